import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { allowsPrivate, PRIVATE_ADDRESSES, type PrivateAddresses } from '@arbor/chain/address'
import { connectChain } from '@arbor/chain/client/connect'
import type { ChainClient } from '@arbor/chain/client/types'
import { lockFolder } from '@arbor/chain/folder-lock'
import {
  integerArgument,
  type NetworkOptions,
  netuidArgument,
  withLogLevel,
  withNetwork,
  withWallet,
} from '@arbor/chain/options'
import { openHotkeySigner, type SignerOptions, withSigner } from '@arbor/chain/signer/flags'
import { startContained } from '@arbor/engine/contained/start'
import { findModel } from '@arbor/engine/find-model'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { createLogger, type Logger, type LogLevel } from '@arbor/shared/log'
import { DEFAULT_LIFETIME_MS } from '@arbor/shared/protocol/limits'
import type { Signer } from '@arbor/shared/signer'
import { supervise } from '@arbor/shared/supervise'
import { type Ms, type NetUid, netUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { Command, Option } from 'commander'
import { mustBeRegistered, mustHoldModel, mustNotBeAhead } from './checks.ts'
import { ASK_LIMITS } from './dendrite/ask.ts'
import { openDendrite } from './dendrite/open.ts'
import { economicsCommand } from './economics/command.ts'
import { healthCommand } from './health.ts'
import type { Judged } from './judged.ts'
import { createKeep } from './keep.ts'
import { openLedger } from './ledger.ts'
import { createPrecedence } from './precedence.ts'
import { KEPT_RECEIPTS, noReceipts, openReceipts } from './receipts.ts'
import { openDoor } from './relay/door.ts'
import { addressArgument, hostArgument, listenArgument } from './relay/options.ts'
import type { Place } from './relay/server.ts'
import { staleRule } from './stale.ts'
import { openTraffic } from './traffic.ts'
import { createValidator } from './validator.ts'
import type { ScoreJob, ScoreWorkerData } from './worker.ts'

interface Options extends NetworkOptions, SignerOptions {
  readonly netuid: NetUid
  readonly spec: string
  readonly model?: string
  readonly data?: string
  readonly threads: number
  readonly receipts: number
  readonly fanout: number
  readonly staleBlocks?: number
  readonly seal: boolean
  readonly signRequests?: boolean
  readonly privateAddresses: PrivateAddresses
  readonly bittensor?: boolean
  readonly listen?: Place
  readonly externalIp?: string
  readonly name: readonly string[]
  readonly announce: boolean
  readonly logLevel: LogLevel
}

/** Makes `arbor validator`: queries, verifies, scores, and sets weights, until the signal. */
export function validatorCommand(context: CommandContext): Command {
  return withNetwork(withSigner(withWallet(withLogLevel(new Command('validator')), context)))
    .description('query, verify and score miners, and set weights that read back as set')
    .enablePositionalOptions() // else this command would take the --data of `health`
    .option('--netuid <n>', 'the subnet', netuidArgument, netUid(1))
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--model <name or path>', "the spec's model (default: the one of its name)")
    .option('--data <folder>', 'where the ledger lies (default: .arbor/validator/<hotkey>)')
    .option('--threads <n>', 'worker threads that score', integerArgument(1, 64), 1)
    .option(
      '--receipts <n>',
      'judged answers that are kept as files; 0 for none',
      integerArgument(0, 1_000_000),
      KEPT_RECEIPTS,
    )
    .option('--fanout <n>', 'questions in flight at once', integerArgument(1, 4_096), 64)
    .option(
      '--stale-blocks <n>',
      'decide nothing by a metagraph that is so many blocks old (default: two minutes of blocks, 10 at least)',
      integerArgument(1, 100_000),
    )
    .option('--no-seal', 'send questions and take answers unencrypted')
    .option('--sign-requests', 'prove each question by a signature instead of a MAC, which convinces third parties too')
    .addOption(
      new Option('--private-addresses <rule>', 'dial miners at addresses that are not of the public internet')
        .choices(PRIVATE_ADDRESSES)
        .default('auto', 'auto: when the chain itself is at such an address, and is no public one'),
    )
    .option('--bittensor', "ask miners that announce a version of Bittensor's on its wire")
    .option(
      '--listen <[ip:]port>',
      'let miners without an open port dial in there (default: listen nowhere)',
      listenArgument,
    )
    .option('--external-ip <address>', 'with --listen: the address that the chain announces', addressArgument)
    .option('--name <host:port...>', 'with --listen: further names under which miners dial in', hostArgument, [])
    .option('--no-announce', 'with --listen: tell the chain nothing; miners are told the address by --dial')
    .action((options: Options) => start(context, options))
    .addCommand(healthCommand(context))
    .addCommand(economicsCommand(context))
}

async function start(context: CommandContext, options: Options): Promise<void> {
  const { signal, stderr, cwd } = context
  const log = createLogger({ name: 'validator', level: options.logLevel, destination: stderr })
  const specifier = specifierOf(options.spec, cwd)
  const spec = await loadSpec(specifier)
  const wallets = resolve(cwd, options.wallets)
  const hotkey = await openHotkeySigner({ context, options, clock: systemClock, log })
  const { netuid } = options
  const modelFolder = findModel({ model: options.model ?? spec.model.name, cwd })
  await mustHoldModel(modelFolder, spec)
  const chain = await connectChain({
    url: options.network,
    signal,
    clock: systemClock,
    log,
    needs: ['metagraph', 'hyperparameters', 'weights', ...(options.listen === undefined ? [] : (['serve'] as const))],
  })
  try {
    await mustBeRegistered(chain, { ...options, wallets, netuid, address: hotkey.address })
    const data = resolve(cwd, options.data ?? join('.arbor', 'validator', hotkey.address))
    const worker: ScoreWorkerData = { spec: specifier, modelFolder }
    await validate({ chain, hotkey, netuid, spec, data, worker, log, signal, options })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await chain.close()
  }
}

interface Work {
  readonly chain: ChainClient
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly data: string
  readonly worker: ScoreWorkerData
  readonly log: Logger
  readonly signal: AbortSignal
  readonly options: Options
}

/** Opens what a validator holds, validates until the signal, and closes it in reverse. */
async function validate({ chain, hotkey, netuid, spec, data, worker, log, signal, options }: Work): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  using _held = lockFolder({ file: join(data, 'lock.sqlite'), what: 'a validator' })
  const owner = { genesisHash: chain.genesisHash, netuid, hotkey: hotkey.address }
  using ledger = openLedger({ file: join(data, 'ledger.sqlite'), owner })
  mustNotBeAhead(ledger.lastRoundBlock(), (await chain.finalized()).number, data)
  using traffic = openTraffic({ file: join(data, 'traffic.sqlite'), owner, spec })
  const receipts = options.receipts === 0 ? noReceipts : openReceipts({ data, most: options.receipts })
  const { listen } = options
  const door =
    listen === undefined ? null : await openDoor({ chain, hotkey, netuid, options: { ...options, listen }, log })
  const stop = new AbortController()
  const running = AbortSignal.any([signal, stop.signal])
  const scorers = startContained<ScoreJob, Judged>({
    worker: new URL('./worker.ts', import.meta.url),
    workerData: worker,
    threads: options.threads,
    maxQueue: 4_096, // one round of the largest subnet
    log,
    signal: running,
  })
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
    privateAllowed: allowsPrivate(options.privateAddresses, chain),
    speaksBittensor: options.bittensor === true,
    sessionMs: DEFAULT_LIFETIME_MS as Ms,
  })
  try {
    const about = { netuid, hotkey: hotkey.address, spec: spec.name, version: spec.version }
    log.info({ event: 'validator.ready', ...about }, 'validator ready')
    const judge = (job: ScoreJob, until: AbortSignal) => scorers.run(job, { signal: until })
    const keep = createKeep({ clock: systemClock, log })
    const { loops } = createValidator({
      chain,
      ledger,
      traffic,
      netuid,
      spec,
      receipts,
      hotkey,
      judge,
      keep,
      precedence: createPrecedence(),
      clock: systemClock,
      log,
      threads: options.threads,
      stale: await staleRule(chain, options.staleBlocks),
      ask: dendrite.ask,
      registered: dendrite.registered,
      ...(door === null ? {} : { route: door.route }),
    })
    await supervise({ loops: { ...loops, ...door?.loops }, signal: running, clock: systemClock })
  } finally {
    stop.abort()
    await Promise.allSettled([dendrite.close(), scorers.close(), door?.close()])
  }
}
