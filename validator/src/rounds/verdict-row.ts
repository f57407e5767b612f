import type { Block, Hex } from '@arbor/shared/units'
import type { VerdictEntry } from '../log/entry.ts'
import type { Registration } from '../scores.ts'

/** One question's outcome in one round. */
export interface VerdictRow extends Registration {
  readonly round: number
  readonly roundBlock: Block
  readonly task: string
  readonly seed: Hex
  /** 0 for the round's own question, from 1 on for repeats. */
  readonly repeat: number
  readonly reason: string
  readonly value: number
  readonly sigma: number
  /** Milliseconds from the request's last byte to the answer's last; null without an answer. */
  readonly totalMs: number | null
  /** Whether the miner signed the answer; false without one. */
  readonly signed: boolean
  /** Names the answer by what its miner signed; null without one. */
  readonly answerHash: Hex | null
  /** Block that drew what was looked at; null where none did. */
  readonly drawnAt: Block | null
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
