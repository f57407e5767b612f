import type { PendingCommit } from '@arbor/chain/client/commits'
import type { Block } from '@arbor/shared/units'
import { z } from 'zod'
import { isOf } from './advance.ts'
import type { WeightAttempt } from './attempt.ts'
import type { WeightLedger } from './ledger.ts'
import { isSettled } from './machine.ts'
import { nextAllowed, type WeightFacts } from './next-allowed.ts'

const move = z.strictObject({
  state: z.string(),
  block: z.number().nullable(),
  extrinsic: z.string().nullable(),
  error: z.string().nullable(),
  at: z.number(),
})
const attempt = z.strictObject({
  attempt: z.number(),
  method: z.enum(['open', 'salted', 'timelocked']),
  state: z.string(),
  /** uid and weight, the largest 65 535. */
  row: z.array(z.tuple([z.number(), z.number()])),
  version: z.string(),
  computedAt: z.number(),
  committedAt: z.number().nullable(),
  /** Block in which the chain applied the row. */
  includedAt: z.number().nullable(),
  readBackAt: z.number().nullable(),
  error: z.string().nullable(),
  moves: z.array(move),
})
/** What `arbor validator status` prints with --json. */
export const statusSchema = z.strictObject({
  netuid: z.number(),
  mechanism: z.number(),
  hotkey: z.string(),
  /** What the chain says now; null while none answers. */
  chain: z.strictObject({ url: z.string(), block: z.number(), blockMs: z.number().nullable() }).nullable(),
  /** Why the chain is null. */
  away: z.string().nullable(),
  /** The newest row that was read back as set. */
  confirmed: attempt.nullable(),
  /** The newest attempt, whatever came of it. */
  newest: attempt.nullable(),
  /** Tempos since the chain last applied a row of ours; null without a chain or a row. */
  temposSinceInclusion: z.number().nullable(),
  /** Commits that wait to be opened, with the blocks in which they are. */
  pending: z.array(
    z.strictObject({
      attempt: z.number(),
      method: z.string(),
      committedAt: z.number().nullable(),
      from: z.number().nullable(),
      to: z.number().nullable(),
      inBlocks: z.number().nullable(),
      status: z.enum(['waiting', 'open', 'expired', 'unknown']),
    }),
  ),
  next: z.strictObject({
    /** Rule that the next row waits for; null when it goes with the next block in which it is due. */
    rule: z.string().nullable(),
    /** First block that may allow it; null when no block alone does. */
    at: z.number().nullable(),
    inBlocks: z.number().nullable(),
    etaSeconds: z.number().nullable(),
    /** The owner cannot change the rule before this block. */
    frozenUntil: z.number().nullable(),
    why: z.string(),
    todo: z.string().nullable(),
    /** Block by which this was decided. */
    asOf: z.number().nullable(),
  }),
})

export type Status = z.infer<typeof statusSchema>

/** What is known of the chain. */
export interface LiveChain {
  readonly url: string
  readonly facts: WeightFacts
  /** Milliseconds between blocks; null on a chain too young to tell. */
  readonly blockMs: number | null
}

/** Reads the ledger of a validator that may be running. */
type Held = Pick<WeightLedger, 'recentAttempts' | 'unsettledAttempts' | 'attemptMoves' | 'weightPlan' | 'lastIncluded'>

/** Attempts among which the newest confirmed one is looked for. */
const LOOKED_AT = 1_000

/** Puts together what the ledger holds and what the chain says. */
export function statusOf({
  ledger,
  owner,
  mechanism,
  live,
  away,
}: {
  readonly ledger: Held
  readonly owner: { readonly netuid: number; readonly hotkey: string }
  readonly mechanism: number
  readonly live: LiveChain | null
  readonly away: string | null
}): Status {
  const recent = ledger.recentAttempts(mechanism, LOOKED_AT)
  const told = (found: WeightAttempt | undefined) => (found === undefined ? null : attemptOf(ledger, found))
  return {
    netuid: owner.netuid,
    mechanism,
    hotkey: owner.hotkey,
    chain: live === null ? null : { url: live.url, block: live.facts.metagraph.block.number, blockMs: live.blockMs },
    away,
    confirmed: told(recent.find(({ state }) => state === 'confirmed')),
    newest: told(recent[0]),
    temposSinceInclusion: temposSince(ledger.lastIncluded(mechanism), live),
    pending: recent
      .filter(({ state }) => (state === 'committed' || state === 'revealing') && !isSettled(state))
      .map((each) => pendingOf(each, live))
      .reverse(),
    next: nextOf({ ledger, mechanism, recent, live }),
  }
}

const attemptOf = (ledger: Held, found: WeightAttempt): NonNullable<Status['confirmed']> => {
  const { id, method, state, row, version, computedAt, committedAt, includedAt, readBackAt, error } = found
  return {
    attempt: id,
    method,
    state,
    row: row.map(([uid, weight]) => [uid, weight]),
    version: String(version),
    computedAt,
    committedAt,
    includedAt,
    readBackAt,
    error,
    moves: ledger.attemptMoves(id).map((each) => ({ ...each })),
  }
}

const temposSince = (included: Block | null, live: LiveChain | null): number | null => {
  if (included === null || live === null || live.facts.metagraph.tempo === 0) return null
  const { block, tempo } = live.facts.metagraph
  return Math.round((100 * Math.max(0, block.number - included)) / tempo) / 100
}

function pendingOf(found: WeightAttempt, live: LiveChain | null): Status['pending'][number] {
  const { id, method, committedAt, opens } = found
  const commit: PendingCommit | undefined = live?.facts.commits.find((each) => isOf(found, each))
  const window = commit?.window ?? (live === null ? opens : null)
  const block = live?.facts.metagraph.block.number ?? null
  return {
    attempt: id,
    method,
    committedAt,
    from: window?.from ?? null,
    to: window?.to ?? null,
    inBlocks: window === null || block === null ? null : Math.max(0, window.from - block),
    status: commit?.status ?? 'unknown',
  }
}

/** Rules of the validator's own, which its loop wrote down when it last decided. */
const OWN: ReadonlySet<string> = new Set(['pending', 'nothing-scored', 'unchanged', 'backing-off', 'unseen'])

function nextOf({
  ledger,
  mechanism,
  recent,
  live,
}: {
  readonly ledger: Held
  readonly mechanism: number
  readonly recent: readonly WeightAttempt[]
  readonly live: LiveChain | null
}): Status['next'] {
  const plan = ledger.weightPlan(mechanism)
  if (live === null)
    return {
      ...{ rule: plan?.rule ?? null, at: plan?.at ?? null, inBlocks: null, etaSeconds: null, frozenUntil: null },
      ...{ why: plan?.why ?? 'the validator has decided nothing yet', todo: null, asOf: plan?.block ?? null },
    }
  const { facts, blockMs } = live
  const { block } = facts.metagraph
  const times = (at: Block | null) => {
    const inBlocks = at === null ? null : Math.max(0, at - block.number)
    const etaSeconds = inBlocks === null || blockMs === null ? null : Math.round((inBlocks * blockMs) / 1_000)
    return { at, inBlocks, etaSeconds, asOf: block.number }
  }
  const own = (rule: string, why: string, at: Block | null): Status['next'] => ({
    ...{ rule, frozenUntil: null, why, todo: null },
    ...times(at),
  })
  const waits = plan !== null && (plan.at === null || plan.at > block.number)
  // By a chain that is behind, the rules tell nothing.
  if (waits && plan.rule === 'behind') return own(plan.rule, plan.why, plan.at)
  const [newest] = recent
  const method = facts.clock.enabled ? (newest?.method === 'timelocked' ? 'timelocked' : 'salted') : 'open'
  const version = newest?.version ?? BigInt(facts.hyperparameters.weightsVersion)
  const next = nextAllowed(facts, { kind: method === 'open' ? 'set' : 'commit', method, version })
  if (!next.allowed) {
    const { rule, at, frozenUntil, why, todo } = next
    return { rule, frozenUntil, why, todo, ...times(at) }
  }
  if (waits && plan.rule !== null && OWN.has(plan.rule)) return own(plan.rule, plan.why, plan.at)
  return { rule: null, frozenUntil: null, why: 'the chain takes weights in the next block', todo: null, ...times(null) }
}

/** Writes a status for people. */
export function statusLines(status: Status): readonly string[] {
  const { chain, away, confirmed, newest, pending, next, temposSinceInclusion } = status
  const lines = [`validator ${status.hotkey} in subnet ${status.netuid}, mechanism ${status.mechanism}`]
  lines.push(chain === null ? `chain     away: ${away}` : `chain     ${chain.url}, block ${chain.block}`)
  lines.push(`set       ${confirmed === null ? 'nothing yet' : setText(confirmed, temposSinceInclusion)}`)
  if (newest !== null && newest.attempt !== confirmed?.attempt)
    lines.push(
      `newest    attempt ${newest.attempt}: ${newest.state}${newest.error === null ? '' : `, ${newest.error}`}`,
    )
  for (const commit of pending) lines.push(`pending   ${pendingText(commit)}`)
  lines.push(`next      ${nextText(next)}`)
  return lines
}

const setText = (
  { attempt: id, method, row, includedAt, readBackAt }: NonNullable<Status['confirmed']>,
  tempos: number | null,
): string =>
  `attempt ${id}, a row of ${row.length}, ${method}, in block ${includedAt}, read back at ${readBackAt}${tempos === null ? '' : `; ${tempos} tempos ago`}`

const pendingText = ({ attempt: id, committedAt, from, to, inBlocks, status }: Status['pending'][number]): string => {
  const window = from === null ? 'when an epoch comes' : `in blocks ${from} to ${to ?? '?'}`
  const wait = inBlocks === null || inBlocks === 0 ? '' : `, ${inBlocks} blocks from now`
  return `attempt ${id}, committed in block ${committedAt}: revealed ${window}${wait} (${status})`
}

const nextText = ({ rule, why, todo, inBlocks, etaSeconds, frozenUntil, at }: Status['next']): string => {
  if (rule === null) return why
  const when = at === null ? '' : `; at block ${at}${inBlocks === null ? '' : `, in ${inBlocks} blocks`}`
  const eta = etaSeconds === null ? '' : ` (about ${etaSeconds} s)`
  const frozen = frozenUntil === null ? '' : `; its owner cannot change that before block ${frozenUntil}`
  return `waits for ${rule}: ${why}${when}${eta}${frozen}${todo === null ? '' : `; ${todo}`}`
}
