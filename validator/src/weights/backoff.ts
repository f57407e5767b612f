import type { Block, Blocks } from '@arbor/shared/units'
import type { WeightAttempt } from './attempt.ts'
import type { WeightOutcome } from './report.ts'

/** Ends of a try that came to nothing. */
const CAME_TO_NOTHING: ReadonlySet<WeightAttempt['state']> = new Set(['failed', 'lost', 'mismatch'])
/** 2⁴ = 16 blocks, 3 minutes on Bittensor: nothing is missed in an epoch of 72, and a refusal that lasts fills no ledger. */
const MOST_DOUBLINGS = 4
/** Share of an epoch that a pause may take: on a chain of short epochs, 16 blocks would be one or two of them. */
const MOST_OF_EPOCH = 1 / 4

const pauseOf = (tries: number, tempo: Blocks): number =>
  Math.min(2 ** Math.min(tries - 1, MOST_DOUBLINGS), Math.max(1, Math.floor(tempo * MOST_OF_EPOCH)))

/**
 * Tells whether tries that came to nothing put the next one off: one block after the first, twice as long after each further one, and no longer than
 * 16 blocks or a quarter of an epoch.
 * @param recent newest first
 */
export function backingOff(
  recent: readonly WeightAttempt[],
  { block, tempo }: { readonly block: Block; readonly tempo: Blocks },
): Extract<WeightOutcome, { kind: 'backing-off' }> | null {
  const end = recent.findIndex(({ state }) => !CAME_TO_NOTHING.has(state))
  const tries = end === -1 ? recent.length : end
  const [last] = recent
  if (last === undefined || tries === 0) return null
  const since = Math.max(last.computedAt, last.sent?.birth ?? 0, last.committedAt ?? 0, last.readBackAt ?? 0)
  const until = (since + pauseOf(tries, tempo)) as Block
  return block >= until ? null : { kind: 'backing-off', until, tries, error: last.error ?? last.state }
}

/**
 * Tells whether refusals put the next opening of a commit off.
 * @param tries how often it was sent
 */
export const openingBacksOff = (
  { sent, error }: Pick<WeightAttempt, 'sent' | 'error'>,
  tries: number,
  { block, tempo }: { readonly block: Block; readonly tempo: Blocks },
): boolean => sent !== null && error !== null && tries > 0 && block < sent.birth + pauseOf(tries, tempo)
