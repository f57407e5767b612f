import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectChain } from '@arbor/chain/client/connect'
import type { ChainClient } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { netUid, type Ss58 } from '@arbor/shared/units'
import type { RowAudit } from './audited.ts'
import { type Cast, type CastOptions, castOf } from './cast.ts'
import { type Children, openChildren } from './children.ts'
import { chainArgs, type NetPaths } from './command-lines.ts'
import { earnings } from './earnings.ts'
import { openNetFolder } from './folder.ts'
import { startGateway } from './gateway.ts'
import { openMembers } from './members.ts'
import { type Served, served } from './models.ts'
import { take } from './news.ts'
import { openOutput } from './output.ts'
import { type Claim, makeReport } from './report.ts'
import { type Member, places, shuffled } from './roster.ts'
import { askForMajority, type FundedMember, registerMembers } from './setup.ts'
import { startMembers } from './start-members.ts'
import { type NetEvent, type NetState, reduce } from './state.ts'
import { type Outcome, outcomeLines, readOutcome, reportOutcome } from './training/outcome.ts'
import { emptyTraining, type RoundTerms } from './training/state.ts'
import { askAsUsers } from './users.ts'
import { allWeighed, asEvent, look, type Sight } from './watch.ts'

export interface UpOptions extends CastOptions {
  readonly validators: number
  readonly epochs?: number
  readonly json?: boolean
  readonly spec: string
  readonly model?: string
  readonly gateway: boolean
  readonly data: string
  readonly fresh?: boolean
  readonly blockTime?: string
  readonly seed: number
}

/** Halves the resident memory of a process that loads the chain client (318 to 161 MB), at no CPU that can be seen. */
const leanNode = '--max-semi-space-size=4'

/** Members that read every block, and answer or judge in every round, on blocks of a second on two cores. */
const manyMembers = 12
/** Time between blocks for more of them. */
const slowBlocks = '2s'

/** The attack that differs from honesty only where users ask. */
const USERS = 'two-faced'

/** The subnet that the dev genesis holds. */
const netuid = netUid(1)

/** Runs a whole subnet as separate processes until the signal, or until so many epochs with weights have passed. */
export async function runUp(context: CommandContext, options: UpOptions): Promise<void> {
  const startedAt = systemClock.monotonic()
  const serving = await served({ spec: options.spec, model: options.model, cwd: context.cwd })
  const cast = castOf(options, serving.training !== null)
  if (options.gateway && serving.training !== null) throw noUsers(serving.spec)
  using _folder = openNetFolder({ data: options.data, fresh: options.fresh === true })
  const paths: NetPaths = { data: options.data, wallets: join(options.data, 'wallets') }
  const funded = await openMembers({
    places: places({ ...cast, validators: options.validators }),
    wallets: paths.wallets,
  })
  const members = funded.map(({ member }) => member)

  let state = firstState(members, serving.training)
  const claims: Claim[] = []
  const output = openOutput({ context, json: options.json === true, first: state })
  const emit = (event: NetEvent): void => {
    state = reduce(state, event)
    output.show(state)
  }
  const children = openChildren({
    program: [process.execPath, fileURLToPath(new URL('../main.ts', import.meta.url))],
    env: { ...context.env, NODE_OPTIONS: `${context.env.NODE_OPTIONS ?? ''} ${leanNode}`.trim() },
    clock: systemClock,
    onEvent: (event) => take(event, members, emit, claims),
  })
  let reported = false
  const ending = new AbortController()
  try {
    const running = { context, options, cast, paths, children, members, funded, emit, serving }
    const net: Net = { ...running, state: () => state, ending: ending.signal }
    const sights = await Promise.race([children.failed, startAndWatch(net, startedAt)])
    ending.abort()
    await children.stop()
    output.close()
    const outcome = sights?.outcome ?? null
    const work = { serving, paths, state, netuid, cwd: context.cwd, signal: context.signal }
    const training = outcome === null ? undefined : await reportOutcome({ ...work, outcome })
    if ((cast.zoo || serving.training !== null) && !options.json)
      for (const line of [...earnings(state), ...(training === undefined ? [] : outcomeLines(training))])
        context.stdout.write(`${line}\n`)
    if (sights !== null && options.json) {
      context.stdout.write(`${JSON.stringify(makeReport({ ...sights, training, members, state, claims }))}\n`)
      reported = true
    }
  } catch (error) {
    if (!context.signal.aborted) throw error
  } finally {
    ending.abort()
    await children.stop()
    output.close()
  }
  if (options.json && !reported) throw unreported()
}

/** Whoever reads the report must not take its absence for success. */
const unreported = (): SubnetError =>
  new SubnetError({
    code: 'UP_NO_REPORT',
    message: 'stopped before the epochs asked for had passed, so there is no report; run it again',
  })

const noUsers = (spec: string): SubnetError =>
  new SubnetError({
    code: 'UP_NO_USERS',
    message: `Miners of ${spec} train and answer nobody; leave --gateway out, and serve the model that arbor finetune export makes`,
  })

interface Net {
  readonly context: CommandContext
  readonly options: UpOptions
  readonly cast: Cast
  readonly paths: NetPaths
  readonly children: Children
  readonly members: readonly Member[]
  readonly funded: readonly FundedMember[]
  readonly emit: (event: NetEvent) => void
  /** As it is now. */
  readonly state: () => NetState
  readonly serving: Served
  /** Aborts when the net is about to stop. */
  readonly ending: AbortSignal
}

interface Measured {
  readonly from: Sight
  readonly to: Sight
  /** By hotkey; nothing without a report. */
  readonly audits: ReadonlyMap<Ss58, RowAudit>
  readonly secondsToFirstWeights: number
  readonly outcome: Outcome | null
}

async function startAndWatch(net: Net, startedAt: number): Promise<Measured | null> {
  const { context, options, cast, paths, children, emit, serving } = net
  emit({ kind: 'phase', phase: 'starting the chain' })
  const blockTime = options.blockTime ?? (net.members.length > manyMembers ? slowBlocks : serving.blockTime)
  children.start('chain', chainArgs({ paths, blockTime }))
  const ready = await children.waitFor('chain', 'chain.ready', context.signal)
  const url = String(ready.fields.url)
  const log = createLogger({ name: 'up', level: 'silent' })
  const chain = await connectChain({ url, signal: context.signal, clock: systemClock, log })
  try {
    emit({ kind: 'phase', phase: 'registering miners and validators', url })
    const members = shuffled(net.funded, options.seed)
    const alice = keypairFromUri('//Alice') // the development chain's bank, and its sudo key
    await registerMembers({ chain, netuid, members, bank: alice, signal: context.signal })
    if (cast.zoo || serving.training !== null)
      await askForMajority({ chain, netuid, root: alice, signal: context.signal })
    emit({ kind: 'phase', phase: 'starting miners and validators' })
    const watching = watch(net, chain, startedAt)
    await Promise.race([watching, startAll(net, url)])
    return await watching
  } finally {
    await chain.close()
  }
}

/** Starts members, then what serves users, and users where an attack lives on them; all of it ends with the net. */
async function startAll(net: Net, url: string): Promise<void> {
  const { options, cast, serving, emit, context } = net
  const { signal } = context
  await startMembers({ ...net, ...serving, url, netuid, signal })
  const needsUsers = cast.cheats.includes(USERS)
  if (!options.gateway && !needsUsers) return
  const gateway = await startGateway({ ...net, url, netuid, signal })
  emit({ kind: 'gateway', url: gateway.url, keyFile: gateway.keyFile, model: serving.modelName })
  if (!needsUsers) return
  const users = { gateway, model: serving.modelName, seed: options.seed, clock: systemClock, signal: net.ending }
  await askAsUsers(users)
}

/** Follows the finalised chain with a reader of its own, until the epochs asked for have passed. */
async function watch(
  { context, options, members, emit, state, serving }: Net,
  chain: ChainClient,
  startedAt: number,
): Promise<Measured | null> {
  let first: Sight | null = null
  let from: Sight | null = null
  let to: Sight | null = null
  let secondsToFirstWeights: number | null = null
  for await (const block of chain.heads('finalized', context.signal)) {
    const sight = await look({ chain, netuid, members, block })
    if (first === null) emit({ kind: 'phase', phase: 'running' })
    first ??= sight
    emit(asEvent(sight, first, members))
    if (secondsToFirstWeights === null && [...sight.rows.values()].some((row) => row.length > 0)) {
      secondsToFirstWeights = Math.round(systemClock.monotonic() - startedAt) / 1_000
    }
    if (from === null && allWeighed(sight, members)) from = sight
    // one block more, so that the validators' own word on the last rows has arrived
    if (to !== null && from !== null) {
      const epoch = to.metagraph.epochIndex - 1
      const auditing = { chain, netuid, members, epoch, spec: serving.spec, clock: systemClock, signal: context.signal }
      const audits = options.json === true ? await (await import('./audited.ts')).auditRows(auditing) : new Map()
      const outcome = await readOutcome({ chain, serving, state: state() })
      return { from, to, audits, secondsToFirstWeights: secondsToFirstWeights ?? 0, outcome }
    }
    if (
      from !== null &&
      options.epochs !== undefined &&
      sight.metagraph.epochIndex - from.metagraph.epochIndex >= options.epochs
    )
      to = sight
  }
  return null
}

const firstState = (members: readonly Member[], terms: RoundTerms | null): NetState => ({
  phase: 'starting',
  url: null,
  netuid,
  block: null,
  tempo: null,
  epoch: null,
  nextEpochBlock: null,
  rounds: 0,
  warnings: [],
  gateway: null,
  training: terms === null ? null : emptyTraining(terms),
  miners: members.flatMap(({ name, kind, hotkey }) =>
    kind === 'validator'
      ? []
      : [{ name, kind, hotkey, uid: null, verdicts: {}, lastReason: null, incentive: 0, earned: 0n }],
  ),
  validators: members.flatMap(({ name, kind, hotkey }) =>
    kind === 'validator'
      ? [{ name, hotkey, uid: null, permit: false, weights: [], readBackBlock: null, dividends: 0, earned: 0n }]
      : [],
  ),
})
