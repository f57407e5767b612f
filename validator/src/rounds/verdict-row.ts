import type { VerdictEntry } from '../log/entry.ts'

/** One question's outcome in one round, as the log tells it, and what judging it took. */
export interface VerdictRow extends Omit<VerdictEntry, 'kind' | 'receipt'> {
  /** What judging it took; absent where there was nothing to judge. */
  readonly checkMs?: number | undefined
  /** Tokens of the check's prefill. */
  readonly prefilled?: number | undefined
  /** Id of its receipt. */
  readonly receipt?: string | undefined
}

/** Tells the log of a verdict. */
export const verdictEntry = (row: VerdictRow): VerdictEntry => {
  const { checkMs: _, prefilled: __, receipt = null, ...told } = row
  return { kind: 'verdict', ...told, receipt }
}
