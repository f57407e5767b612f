import type { WeightRow } from '@arbor/chain/client/types'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { Block, Uid } from '@arbor/shared/units'
import type { MoveEntry, RowEntry } from '../log/entry.ts'
import { WEIGHT_TRANSITIONS, type WeightState } from '../weights/machine.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** A row that was computed in the stretch of log that is audited, and what became of it. */
export interface Attempt {
  readonly placed: Placed<RowEntry>
  readonly recomputed: WeightRow
  /** Whether the chain said who was registered at its block; else it is the log's word. */
  readonly byChain: boolean
  readonly state: WeightState
  /** Block in which the chain got it as a commit; null where it was sent openly. */
  readonly sentAt: Block | null
  /** Block in which the chain applied it, as the log says. */
  readonly appliedAt: Block | null
}

/** States in which the log says that the chain holds the row for good, from the move's block on or at it; what is included may still be lost. */
export const HELD: ReadonlySet<WeightState> = new Set(['finalised', 'confirmed'])

/** Follows an attempt by a move. @returns the mismatch where a row cannot go that way */
export function moveAttempt(
  attempt: Attempt,
  move: Placed<MoveEntry>,
): { readonly attempt: Attempt; readonly mismatch: Mismatch | null } {
  const { state, block } = move.entry
  const isFirst = attempt.state === 'computed' && state === 'computed'
  const allowed = WEIGHT_TRANSITIONS[attempt.state]
  const mismatch =
    isFirst || allowed.includes(state)
      ? null
      : mismatchOf(move, `a state that follows on ${attempt.state}`, { expected: allowed, found: state })
  const appliedAt = state === 'finalised' ? block : attempt.appliedAt
  const sentAt = state === 'committed' ? block : attempt.sentAt
  return { attempt: { ...attempt, state, sentAt, appliedAt }, mismatch }
}

/**
 * Tells whether the chain holds a row: a uid that is absent weighs zero, and those that changed hands since it was sent are zeroed by the
 * chain when it is revealed.
 */
export function isHeld(row: WeightRow, held: WeightRow, changedHands: ReadonlySet<Uid> = NOBODY): boolean {
  const found = new Map(held.filter(([, weight]) => weight > 0))
  const zeroed = row.filter(([uid]) => changedHands.has(uid) && !found.has(uid))
  const gone = new Set(zeroed.map(([uid]) => uid))
  return canonicalJson(sorted(row.filter(([uid]) => !gone.has(uid)))) === canonicalJson(sorted([...found]))
}

const NOBODY: ReadonlySet<Uid> = new Set()

/** Leaves zeros out and sorts by uid. */
const sorted = (row: WeightRow): WeightRow => row.filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b)
