import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectChain } from '@arbor/chain/client/connect'
import type { ChainClient } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { printable } from '@arbor/shared/printable'
import { netUid, type Ss58 } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { type Children, type LogEvent, openChildren } from './children.ts'
import { chainArgs, memberArgs, type NetPaths } from './command-lines.ts'
import { openNetFolder } from './folder.ts'
import { openMembers } from './members.ts'
import { mustHaveModels } from './models.ts'
import { openOutput } from './output.ts'
import { type Claim, makeReport } from './report.ts'
import { type Member, places, shuffled } from './roster.ts'
import { type FundedMember, registerMembers } from './setup.ts'
import { type NetEvent, type NetState, reduce } from './state.ts'
import { allWeighed, asEvent, look, type Sight } from './watch.ts'

export interface UpOptions {
  readonly miners: number
  readonly cheats: number
  readonly validators: number
  readonly epochs?: number
  readonly json?: boolean
  readonly spec: string
  readonly data: string
  readonly fresh?: boolean
  readonly blockTime: string
  readonly seed: number
}

/** Halves the resident memory of a process that loads the chain client (318 to 161 MB), at no CPU that can be seen. */
const leanNode = '--max-semi-space-size=4'

/** The subnet that the dev genesis holds. */
const netuid = netUid(1)

/** Runs a whole subnet as separate processes until the signal, or until so many epochs with weights have passed. */
export async function runUp(context: CommandContext, options: UpOptions): Promise<void> {
  const startedAt = systemClock.monotonic()
  const spec = await loadSpec(options.spec)
  mustHaveModels({ name: spec.model.name, cheats: options.cheats })
  using _folder = openNetFolder({ data: options.data, fresh: options.fresh === true })
  const paths: NetPaths = { data: options.data, wallets: join(options.data, 'wallets') }
  const funded = await openMembers({
    places: places({ honest: options.miners, cheats: options.cheats, validators: options.validators }),
    wallets: paths.wallets,
  })
  const members = funded.map(({ member }) => member)

  let state = firstState(members)
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
  try {
    const net = { context, options, paths, children, members, funded, emit, modelName: spec.model.name }
    const sights = await Promise.race([children.failed, startAndWatch(net, startedAt)])
    await children.stop()
    output.close()
    if (sights !== null && options.json) {
      context.stdout.write(`${JSON.stringify(makeReport({ ...sights, members, state, claims }))}\n`)
      reported = true
    }
  } catch (error) {
    if (!context.signal.aborted) throw error
  } finally {
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

interface Net {
  readonly context: CommandContext
  readonly options: UpOptions
  readonly paths: NetPaths
  readonly children: Children
  readonly members: readonly Member[]
  readonly funded: readonly FundedMember[]
  readonly emit: (event: NetEvent) => void
  readonly modelName: string
}

interface Measured {
  readonly from: Sight
  readonly to: Sight
  readonly secondsToFirstWeights: number
}

async function startAndWatch(net: Net, startedAt: number): Promise<Measured | null> {
  const { context, options, paths, children, emit } = net
  emit({ kind: 'phase', phase: 'starting the chain' })
  children.start('chain', chainArgs({ paths, blockTime: options.blockTime }))
  const ready = await children.waitFor('chain', 'chain.ready', context.signal)
  const url = String(ready.fields.url)
  const log = createLogger({ name: 'up', level: 'silent' })
  const chain = await connectChain({ url, signal: context.signal, clock: systemClock, log })
  try {
    emit({ kind: 'phase', phase: 'registering miners and validators', url })
    const members = shuffled(net.funded, options.seed)
    await registerMembers({ chain, netuid, members, bank: keypairFromUri('//Alice'), signal: context.signal })
    emit({ kind: 'phase', phase: 'starting miners and validators' })
    for (const member of net.members)
      children.start(
        member.name,
        memberArgs({ member, paths, url, netuid, spec: options.spec, modelName: net.modelName }),
      )
    return await watch(net, chain, startedAt)
  } finally {
    await chain.close()
  }
}

/** Follows the finalised chain with a reader of its own, until the epochs asked for have passed. */
async function watch(
  { context, options, members, emit }: Net,
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
    if (to !== null && from !== null) return { from, to, secondsToFirstWeights: secondsToFirstWeights ?? 0 }
    if (
      from !== null &&
      options.epochs !== undefined &&
      sight.metagraph.epochIndex - from.metagraph.epochIndex >= options.epochs
    )
      to = sight
  }
  return null
}

/** Claims that are kept; a report looks at the newest one of each of at most 16 validators. */
const keptClaims = 1_000

/** Turns a process's log event into what the view and the report need. */
function take(
  { process: name, event, fields }: LogEvent,
  members: readonly Member[],
  emit: (event: NetEvent) => void,
  claims: Claim[],
): void {
  if (event === 'round.done') {
    const verdicts = fields.verdicts as readonly { hotkey: Ss58; reason: string }[]
    for (const { hotkey, reason } of verdicts) emit({ kind: 'verdict', hotkey, reason: printable(reason) })
    if (name === members.find(({ role }) => role === 'validator')?.name) emit({ kind: 'round' })
  }
  if (event === 'weights.confirmed') {
    const hotkey = members.find((member) => member.name === name)?.hotkey
    if (hotkey !== undefined)
      claims.push({ hotkey, row: fields.row as Claim['row'], includedAt: Number(fields.includedAt) })
    if (claims.length > keptClaims) claims.shift()
  }
  if (fields.level === 'error' || fields.level === 'fatal')
    emit({ kind: 'warning', text: `${name}: ${printable(String(fields.msg))}` })
}

const firstState = (members: readonly Member[]): NetState => ({
  phase: 'starting',
  url: null,
  netuid,
  block: null,
  tempo: null,
  epoch: null,
  nextEpochBlock: null,
  rounds: 0,
  warnings: [],
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
