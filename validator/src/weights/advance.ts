import type { PendingCommit } from '@arbor/chain/client/commits'
import type { BlockRef } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Block, Uid } from '@arbor/shared/units'
import { noMeter, timed } from '../health/meter.ts'
import type { WeightAttempt, WeightMove } from './attempt.ts'
import type { WeightDeps } from './deps.ts'
import { nextAllowed, type WeightFacts } from './next-allowed.ts'
import type { Refusal } from './outcome.ts'
import { type WeightOutcome, warnOfChangedHands } from './report.ts'
import { changedHands, sameRow } from './row.ts'
import type { Delivery } from './send.ts'

/** What an attempt's next move needs. */
export interface Advancing {
  readonly deps: WeightDeps
  readonly facts: WeightFacts
}

/** Writes a move with the time of now. */
export const moved = (
  { ledger, clock }: Pick<WeightDeps, 'ledger' | 'clock'>,
  { id }: WeightAttempt,
  move: WeightMove,
): WeightAttempt => ledger.moveAttempt(id, { ...move, at: clock.now() })

/** Ends an attempt, and tells why. */
export const ended = (
  deps: WeightDeps,
  attempt: WeightAttempt,
  kind: 'lost' | 'expired' | 'superseded',
  why: string,
): WeightOutcome => ({ kind, attempt: moved(deps, attempt, { state: kind, error: why }), why })

/** Takes an attempt on from what became of its bytes. */
export async function afterDelivery(of: Advancing, delivery: Delivery): Promise<WeightOutcome> {
  if (delivery.kind === 'unseen') return afterUnseen(of, delivery.attempt)
  if (delivery.kind === 'refused') return afterRefusal(of, delivery.attempt, delivery.refusal)
  const { attempt, block } = delivery
  return attempt.state === 'committing' ? committed(of, attempt, block) : applied(of, attempt, block.number)
}

/** The chain says that it applied the row: written down, then read back. */
export async function applied(
  { deps, facts }: Advancing,
  attempt: WeightAttempt,
  block: Block,
): Promise<WeightOutcome> {
  // Salted and timelocked rows were looked at when they were committed; later changes of hands the chain masks.
  const inherited = attempt.method === 'open' ? await inheritedBy(deps, attempt, block) : []
  const final = moved(deps, attempt, {
    state: 'finalised',
    block,
    ...(inherited.length === 0 ? {} : { inherited }),
  })
  warnOfChangedHands(deps.log, {
    attempt: final,
    uids: inherited,
    what: 'the row came into a block after that; it is set again without them as soon as the chain allows',
  })
  return readBack({ deps, facts }, final)
}

/** Finds the uids of a row that changed hands between its metagraph and a block. */
async function inheritedBy(
  { chain, netuid }: WeightDeps,
  attempt: WeightAttempt,
  before: Block,
): Promise<readonly Uid[]> {
  const { registrations } = attempt
  const at = await chain.registeredAt(
    netuid,
    registrations.map(({ uid }) => uid),
  )
  return changedHands(registrations, at, before)
}

/** Compares what the chain holds at its finalised head with the row. */
export const readBack = (of: Advancing, attempt: WeightAttempt): Promise<WeightOutcome> =>
  timed({ clock: of.deps.clock, meter: of.deps.meter ?? noMeter }, 'read-back', () => compare(of, attempt))

async function compare({ deps, facts }: Advancing, attempt: WeightAttempt): Promise<WeightOutcome> {
  const { chain, netuid, mechanism, hotkey, log } = deps
  const { me } = facts
  if (me === undefined) {
    // A block that does not know the hotkey tells nothing of its row.
    const next = nextAllowed(facts, { kind: 'set', method: attempt.method, version: attempt.version })
    if (next.allowed) throw new Error('unreachable: an unregistered hotkey is never allowed')
    return { kind: 'waiting', next }
  }
  const block = await chain.finalized()
  const held = await chain.weights(netuid, me.uid, block.hash, mechanism)
  let same = sameRow(held, attempt.row)
  let masked: readonly Uid[] = []
  if (attempt.committedAt !== null) {
    const of = { netuid, mechanism, hotkey: hotkey.address, row: attempt.row, committedAt: attempt.committedAt }
    const revealed = await chain.revealed(of, block.hash)
    same = revealed.kind === 'revealed'
    masked = revealed.changedHands
    warnOfChangedHands(log, {
      attempt,
      uids: revealed.changedHands,
      what: 'they were registered after the commit, so the chain gives them no weight of this row',
    })
  }
  const after = moved(deps, attempt, { state: same ? 'confirmed' : 'mismatch', block: block.number })
  return same
    ? { kind: 'confirmed', attempt: after, block: block.number, masked }
    : { kind: 'mismatch', attempt: after, held, block: block.number }
}

/** A commit is in a final block: its window is noted, and who changed hands before it. */
async function committed(of: Advancing, attempt: WeightAttempt, block: BlockRef): Promise<WeightOutcome> {
  const { deps, facts } = of
  const here = facts.commits.find((each) => isOf(attempt, each))
  if (here !== undefined) return holdsCommit(of, attempt, here)
  const then = await commitsAt(deps, block)
  const commit = then?.find((each) => isOf(attempt, each))
  if (commit !== undefined) return holdsCommit(of, attempt, commit)
  if (then !== null) return ended(deps, attempt, 'lost', `block ${block.number} took the commit and holds it no more`)
  // The block's state is gone, and the call went through: whether the commit was opened since, the next pass sees.
  const after = moved(deps, attempt, { state: 'committed', block: block.number })
  return { kind: 'committed', attempt: after, block: block.number }
}

/** Reads the hotkey's commits at a block; null when the chain node keeps its state no more. */
async function commitsAt(
  { chain, netuid, mechanism, hotkey }: WeightDeps,
  block: BlockRef,
): Promise<readonly PendingCommit[] | null> {
  try {
    return (await chain.pendingCommits({ netuid, mechanism, hotkey: hotkey.address }, block.hash)).commits
  } catch (error) {
    if (error instanceof SubnetError && GONE.has(error.code)) return null
    throw error
  }
}

/** How a chain node says that it has forgotten a block's state. */
export const GONE: ReadonlySet<string> = new Set(['CHAIN_RPC', 'CHAIN_UNKNOWN_BLOCK'])

/** The chain holds the commit. */
export async function holdsCommit(
  { deps }: Advancing,
  attempt: WeightAttempt,
  commit: PendingCommit,
): Promise<WeightOutcome> {
  const inherited = await inheritedBy(deps, attempt, commit.block)
  const after = moved(deps, attempt, {
    state: 'committed',
    block: commit.block,
    ...(commit.window === null ? {} : { opens: commit.window }),
    ...(inherited.length === 0 ? {} : { inherited }),
  })
  warnOfChangedHands(deps.log, {
    attempt: after,
    uids: inherited,
    what: 'the row was committed after that; another is committed without them as soon as the chain allows',
  })
  return { kind: 'committed', attempt: after, block: commit.block }
}

/** Tells whether a commit on the chain is that of an attempt. */
export const isOf = ({ commitHash }: Pick<WeightAttempt, 'commitHash'>, { sealed }: PendingCommit): boolean =>
  commitHash !== null &&
  (sealed.kind === 'salted' ? sealed.hash : toHex(blake2b256(fromHex(sealed.ciphertext)))) === commitHash

/** Repeats the block of a commit, so that the log tells it with each move back. */
const committedIn = (state: WeightAttempt['state'], { committedAt }: WeightAttempt): Pick<WeightMove, 'block'> =>
  state === 'committed' && committedAt !== null ? { block: committedAt } : {}

/** The chain, its pool or the signer refused. */
function afterRefusal({ deps }: Advancing, attempt: WeightAttempt, refusal: Refusal): WeightOutcome {
  const why = refusal.error
  const end = (state: 'failed' | 'committed'): WeightOutcome => ({
    kind: 'failed',
    attempt:
      attempt.state === state ? attempt : moved(deps, attempt, { state, error: why, ...committedIn(state, attempt) }),
    refusal,
  })
  switch (attempt.state) {
    case 'included': // it was seen in a block that is not in the chain any more; the next pass looks whether the commit still is
      return attempt.method === 'salted' ? end('committed') : ended(deps, attempt, 'lost', why)
    case 'setting':
    case 'committing':
      return refusal.kind === 'never-included'
        ? ended(deps, attempt, 'lost', `${why}: ${refusal.means}`)
        : end('failed')
    case 'revealing':
    case 'committed':
      if (refusal.kind === 'reveal-late') return ended(deps, attempt, 'expired', refusal.means)
      if (refusal.kind === 'commit-unknown' || refusal.kind === 'commit-reveal-off')
        return ended(deps, attempt, 'lost', refusal.means)
      return refusal.kind === 'commit-differs' ? end('failed') : end('committed')
    default:
      return end('failed')
  }
}

/**
 * Nobody gives the blocks that would tell: what the chain holds after the last of them decides, and where it does not tell, the row counts
 * as lost.
 */
async function afterUnseen({ deps, facts }: Advancing, attempt: WeightAttempt): Promise<WeightOutcome> {
  const last = attempt.sent?.lastBlock ?? null
  if (last !== null && facts.metagraph.block.number < last) return { kind: 'unseen', attempt, until: last }
  const { chain, netuid, mechanism } = deps
  const commit = facts.commits.find((each) => isOf(attempt, each))
  if (commit !== undefined && attempt.state === 'committing') return holdsCommit({ deps, facts }, attempt, commit)
  if (commit !== undefined && (attempt.state === 'revealing' || attempt.state === 'included')) {
    const move = { state: 'committed', block: commit.block, error: 'it was not opened by what was sent' } as const
    return { kind: 'committed', attempt: moved(deps, attempt, move), block: commit.block }
  }
  const { me, metagraph, rules } = facts
  const held = me === undefined ? [] : await chain.weights(netuid, me.uid, metagraph.block.hash, mechanism)
  const since = attempt.sent?.birth ?? attempt.computedAt
  const isNew = (rules.lastUpdate ?? 0) > since || attempt.committedAt !== null
  if (attempt.state !== 'committing' && isNew && sameRow(held, attempt.row))
    return applied({ deps, facts }, attempt, rules.lastUpdate ?? metagraph.block.number)
  return ended(deps, attempt, 'lost', 'the chain holds neither the row nor its commit')
}
