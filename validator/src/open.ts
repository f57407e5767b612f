import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { allowsPrivate, type PrivateAddresses } from '@arbor/chain/address'
import { createRecordKeeper } from '@arbor/chain/client/committed-record'
import type { ChainConnection } from '@arbor/chain/client/connect'
import { lockFolder } from '@arbor/chain/folder-lock'
import { startContained } from '@arbor/engine/contained/start'
import { systemClock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import { DEFAULT_LIFETIME_MS } from '@arbor/shared/protocol/limits'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Ms, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { mustBeSameChain, mustNotBeAhead } from './checks.ts'
import { ASK_LIMITS } from './dendrite/ask.ts'
import { type Dendrite, openDendrite } from './dendrite/open.ts'
import { readLink, readLog } from './health/readings.ts'
import type { Judged } from './judged.ts'
import { openLedger } from './ledger.ts'
import type { PublishOptions } from './log/options.ts'
import { openPublishing } from './log/publish.ts'
import { createPrecedence } from './precedence.ts'
import { noReceipts, openReceipts } from './receipts.ts'
import { openDoor } from './relay/door.ts'
import type { Place } from './relay/server.ts'
import { staleRule } from './stale.ts'
import type { Supervised } from './supervised.ts'
import { openTraffic, type Traffic } from './traffic.ts'
import { openTrainingPart, type TrainingPart } from './training/open.ts'
import { createValidator } from './validator.ts'
import type { ScoreJob, ScoreWorkerData } from './worker.ts'

/** How a validator validates, as its flags say. */
export interface ValidateOptions extends PublishOptions {
  /** Mechanism of the subnet whose weights are set. */
  readonly mechanism: number
  readonly threads: number
  readonly receipts: number
  readonly fanout: number
  readonly staleBlocks?: number
  readonly seal: boolean
  readonly signRequests?: boolean
  readonly privateAddresses: PrivateAddresses
  readonly bittensor?: boolean
  readonly listen?: Place
  readonly name: readonly string[]
  readonly announce: boolean
  /** Of a training subnet. */
  readonly dataset?: string
  readonly graphs?: string
}

interface Work {
  readonly chain: ChainConnection
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly data: string
  /** Where a training subnet's dataset is looked for by name. */
  readonly cwd: string
  readonly worker: ScoreWorkerData
  readonly log: Logger
  readonly signal: AbortSignal
  readonly options: ValidateOptions
  readonly supervision: Supervised
}

/** Opens what a validator holds, validates until the signal, and closes it in reverse. */
export async function validate(work: Work): Promise<void> {
  const { chain, hotkey, netuid, spec, data, worker, log, signal, options, supervision } = work
  mkdirSync(data, { recursive: true, mode: 0o700 })
  using _held = lockFolder({ file: join(data, 'lock.sqlite'), what: 'a validator' })
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  const file = join(data, 'ledger.sqlite')
  using ledger = openLedger({ file, owner })
  mustNotBeAhead(ledger.lastRoundBlock(), (await chain.finalized()).number, data)
  await mustBeSameChain(ledger, chain)
  using traffic = openTraffic({ file: join(data, 'traffic.sqlite'), owner, spec })
  const receipts = options.receipts === 0 ? noReceipts : openReceipts({ data, most: options.receipts })
  const record = createRecordKeeper(work)
  const publishing = await openPublishing({ ...work, ledger, receipts, record, clock: systemClock })
  const { listen } = options
  const door =
    listen === undefined ? null : await openDoor({ chain, hotkey, netuid, options: { ...options, listen }, log })
  const stop = new AbortController()
  const running = AbortSignal.any([signal, stop.signal])
  const scorers = spec.training === undefined ? startScorers({ worker, options, log, signal: running }) : null
  const privateAllowed = allowsPrivate(options.privateAddresses, chain)
  const dendrite = openDendrite({
    spec,
    specifier: worker.spec,
    signer: hotkey,
    netuid,
    genesisHash: chain.genesisHash,
    clock: systemClock,
    log,
    limits: { ...ASK_LIMITS, inFlight: options.fanout },
    isSealed: options.seal,
    proof: options.signRequests === true ? 'signature' : 'mac',
    privateAllowed,
    speaksBittensor: options.bittensor === true,
    sessionMs: DEFAULT_LIFETIME_MS as Ms,
  })
  let training: TrainingPart | null = null
  try {
    const about = { netuid, hotkey: hotkey.address, spec: spec.name, version: spec.version }
    log.info({ event: 'validator.ready', ...about }, 'validator ready')
    const judge = (job: ScoreJob, until: AbortSignal) => {
      if (scorers === null) throw new Error('unreachable: a training subnet asks no questions')
      return scorers.run(job, { signal: until })
    }
    const { keep, meter } = supervision
    const asking = counted(dendrite.ask)
    const route = door === null ? {} : { route: door.route }
    training =
      spec.training === undefined
        ? null
        : await openTrainingPart({
            ...{
              ...work,
              ...route,
              terms: spec.training,
              modelFolder: worker.modelFolder,
              ledger,
              receipts,
              record,
              keep,
            },
            ...{ meter, ask: asking.ask, registered: dendrite.registered, threads: options.threads, privateAllowed },
            ...{ clock: systemClock, signal: running, dataset: options.dataset, graphs: options.graphs },
          })
    const { loops, sight, view } = createValidator({
      chain,
      ledger,
      traffic,
      netuid,
      spec,
      receipts,
      hotkey,
      judge,
      keep,
      meter,
      precedence: createPrecedence(),
      clock: systemClock,
      log,
      threads: options.threads,
      mechanism: options.mechanism,
      stale: await staleRule(chain, options.staleBlocks),
      ask: asking.ask,
      registered: dendrite.registered,
      ...route,
      ...(training === null ? {} : { training: training.loops }),
    })
    const { queued, reading } = training ?? {}
    await supervision.run({
      loops: { ...loops, ...publishing.loops({ keep, view }), ...door?.loops },
      signal: running,
      sight,
      included: () => ({ mechanism: options.mechanism, block: ledger.lastIncluded(options.mechanism) }),
      queues: () => ({
        asking: asking.inFlight(),
        scoring: scorers?.stats().queued ?? queued?.() ?? 0,
        auditing: waitingIn(traffic),
      }),
      ...(reading === undefined ? {} : { training: reading }),
      link: () => readLink(chain.link()),
      receipts: () => readLog(ledger.log, file),
    })
  } finally {
    stop.abort()
    await Promise.allSettled([dendrite.close(), scorers?.close(), training?.close(), publishing.close(), door?.close()])
  }
}

const startScorers = (of: {
  readonly worker: ScoreWorkerData
  readonly options: Pick<ValidateOptions, 'threads'>
  readonly log: Logger
  readonly signal: AbortSignal
}) =>
  startContained<ScoreJob, Judged>({
    worker: new URL('./worker.ts', import.meta.url),
    workerData: of.worker,
    threads: of.options.threads,
    maxQueue: 4_096, // one round of the largest subnet
    log: of.log,
    signal: of.signal,
  })

/** Counts the questions that are in flight. */
const counted = (ask: Dendrite['ask']): { readonly ask: Dendrite['ask']; readonly inFlight: () => number } => {
  let inFlight = 0
  return {
    ask: async (...given) => {
      inFlight += 1
      try {
        return await ask(...given)
      } finally {
        inFlight -= 1
      }
    },
    inFlight: () => inFlight,
  }
}

/** Counts users' answers that wait for their audit. */
const waitingIn = (traffic: Traffic): number =>
  traffic
    .counts({ before: Number.MAX_SAFE_INTEGER as Block, upTo: traffic.lastRow() })
    .reduce((sum, { answers }) => sum + answers, 0)
