import { revealWeights } from '@arbor/chain/client/calls'
import type { SaltedRow } from '@arbor/chain/client/salted'
import { SubnetError } from '@arbor/shared/errors'
import type { Block } from '@arbor/shared/units'
import { type Advancing, afterDelivery, applied, ended, GONE, isOf } from './advance.ts'
import type { WeightAttempt } from './attempt.ts'
import { openingBacksOff } from './backoff.ts'
import { nextAllowed, type WeightFacts } from './next-allowed.ts'
import { type WeightOutcome, warnOfChangedHands } from './report.ts'
import { sameRow } from './row.ts'
import { send } from './send.ts'

/**
 * Takes care of a commit that the chain holds: opens a salted one when its window comes, and looks what the chain made of a timelocked one.
 * @param later attempts of the same mechanism that came after it
 * @returns null while there is nothing but to wait
 */
export async function tendCommit(
  of: Advancing,
  attempt: WeightAttempt,
  later: readonly WeightAttempt[],
  signal: AbortSignal,
): Promise<WeightOutcome | null> {
  const { deps, facts } = of
  const commit = facts.commits.find((each) => isOf(attempt, each))
  if (commit === undefined) return afterGone(of, attempt, later)
  if (attempt.method === 'timelocked') return null
  // Its weight would pass to others, and the chain would not mask them; another commit takes its place.
  if (attempt.inherited.length > 0 && later.some(({ state }) => state === 'committed'))
    return ended(deps, attempt, 'superseded', `uids ${attempt.inherited.join(', ')} changed hands before the commit`)
  if (!facts.clock.enabled) return ended(deps, attempt, 'superseded', 'the subnet takes weights in the open now')
  const next = nextAllowed(facts, { kind: 'reveal', commit, version: attempt.version, row: attempt.row })
  if (next.allowed) {
    const tries = deps.ledger.attemptMoves(attempt.id).filter(({ state }) => state === 'revealing').length
    const { block, tempo } = facts.metagraph
    return openingBacksOff(attempt, tries, { block: block.number, tempo }) ? null : reveal(of, attempt, signal)
  }
  if (next.rule === 'reveal-expired') return ended(deps, attempt, 'expired', next.why)
  return next.rule === 'reveal-window' ? null : { kind: 'waiting', next }
}

/** Opens a salted row with the very values that were committed. */
async function reveal(of: Advancing, attempt: WeightAttempt, signal: AbortSignal): Promise<WeightOutcome> {
  const { deps, facts } = of
  const { chain, netuid, hotkey } = deps
  const best = await chain.best()
  const call = revealWeights(saltedOf(attempt, { netuid, hotkey: hotkey.address }))
  return afterDelivery(of, await send(deps, { attempt, call, as: 'revealing', facts, best }, signal))
}

/** Makes of an attempt the one value by which it is committed and opened. */
export const saltedOf = (
  { mechanism, row, salt, version }: WeightAttempt,
  { netuid, hotkey }: Pick<SaltedRow, 'netuid' | 'hotkey'>,
): SaltedRow => ({ netuid, mechanism, hotkey, row, salt: salt ?? [], version })

/** The chain holds the commit no more: it was opened, dropped, or fell away with a later one. */
async function afterGone(
  of: Advancing,
  attempt: WeightAttempt,
  later: readonly WeightAttempt[],
): Promise<WeightOutcome | null> {
  const { deps, facts } = of
  const { chain, netuid, mechanism, hotkey } = deps
  const { block } = facts.metagraph
  const committedAt = attempt.committedAt ?? attempt.computedAt
  const own = { netuid, mechanism, hotkey: hotkey.address, committedAt }
  const revealed = await chain.revealed({ ...own, row: attempt.row }, block.hash)
  const opened = attempt.method === 'timelocked' ? await openingOf(of, attempt, own) : null
  const at = opened?.block ?? (Math.min(attempt.opens?.from ?? block.number, block.number) as Block)
  if (revealed.kind === 'revealed' && opened?.kind !== 'dropped') {
    if (opened !== null || attempt.method === 'salted' || !isAsBefore(of, attempt)) return applied(of, attempt, at)
    return ended(deps, attempt, 'lost', 'no block tells that the commit was opened, and the row before it was the same')
  }
  const overtaken = later.some(({ row, state }) => state !== 'failed' && sameRow(row, revealedRow(revealed, attempt)))
  if (overtaken || superseded(opened)) return ended(deps, attempt, 'superseded', 'a later row was opened in its place')
  const why = opened?.kind === 'dropped' ? `the chain dropped the commit: ${opened.reason}` : notHeld(facts)
  warnOfChangedHands(deps.log, { attempt, uids: revealed.changedHands, what: 'they were registered after the commit' })
  return ended(deps, attempt, 'lost', `${why}; the row is committed again`)
}

/** Blocks by which epochs may be put off. */
const PUT_OFF = 16

/**
 * Looks what the chain made of a timelocked commit: where it was to be opened, where it was dropped if it was not, and in the newest blocks;
 * null where none tells.
 */
async function openingOf(
  { deps: { chain }, facts }: Advancing,
  { opens }: WeightAttempt,
  own: Parameters<Advancing['deps']['chain']['openedIn']>[0],
): Promise<Opened> {
  const newest = facts.metagraph.block.number
  const look = async (to: number): Promise<Opened> => {
    try {
      return await chain.openedIn(own, { from: own.committedAt, to: to as Block })
    } catch (error) {
      if (error instanceof SubnetError && GONE.has(error.code)) return null
      throw error
    }
  }
  const ends = opens === null ? [] : [Math.min(opens.to, opens.from + PUT_OFF), opens.to + PUT_OFF]
  for (const to of new Set([...ends, newest].map((end) => Math.min(end, newest)))) {
    const found = await look(to)
    if (found !== null) return found
  }
  return null
}

type Opened = Awaited<ReturnType<Advancing['deps']['chain']['openedIn']>>

/** Tells whether the row that the chain took before was the same, so that what it holds proves nothing. */
const isAsBefore = ({ deps: { ledger, mechanism } }: Advancing, { id, row }: WeightAttempt): boolean => {
  const before = ledger.recentAttempts(mechanism, LOOKED_AT).find((each) => each.id < id && each.includedAt !== null)
  return before !== undefined && sameRow(before.row, row)
}

/** Attempts among which the row before is looked for. */
const LOOKED_AT = 100

const revealedRow = (
  revealed: Awaited<ReturnType<Advancing['deps']['chain']['revealed']>>,
  { row }: WeightAttempt,
): WeightAttempt['row'] => (revealed.kind === 'other' ? revealed.found : row)

const superseded = (opened: Opened): boolean => opened?.kind === 'dropped' && opened.reason === 'Superseded'

const notHeld = ({ metagraph }: WeightFacts): string =>
  `the commit is gone and block ${metagraph.block.number} holds another row`
