import type { Block } from '@arbor/shared/units'
import type { WeightAttempt } from './attempt.ts'
import type { WeightOutcome } from './report.ts'

/** Ends of a try that came to nothing. */
const CAME_TO_NOTHING: ReadonlySet<WeightAttempt['state']> = new Set(['failed', 'lost', 'mismatch'])
/** 2⁴ = 16 blocks, 3 minutes on Bittensor: nothing is missed in an epoch of 72, and a refusal that lasts fills no ledger. */
const MOST_DOUBLINGS = 4

/**
 * Tells whether tries that came to nothing put the next one off: one block after the first, twice as long after each further one.
 * @param recent newest first
 */
export function backingOff(
  recent: readonly WeightAttempt[],
  block: Block,
): Extract<WeightOutcome, { kind: 'backing-off' }> | null {
  const end = recent.findIndex(({ state }) => !CAME_TO_NOTHING.has(state))
  const tries = end === -1 ? recent.length : end
  const [last] = recent
  if (last === undefined || tries === 0) return null
  const since = Math.max(last.computedAt, last.sent?.birth ?? 0, last.committedAt ?? 0, last.readBackAt ?? 0)
  const until = (since + 2 ** Math.min(tries - 1, MOST_DOUBLINGS)) as Block
  return block >= until ? null : { kind: 'backing-off', until, tries, error: last.error ?? last.state }
}

/**
 * Tells whether refusals put the next opening of a commit off.
 * @param tries how often it was sent
 */
export const openingBacksOff = ({ sent, error }: WeightAttempt, tries: number, block: Block): boolean =>
  sent !== null && error !== null && tries > 0 && block < sent.birth + 2 ** Math.min(tries - 1, MOST_DOUBLINGS)
