import type { Hex } from '@arbor/shared/units'
import type { MeasuredTiming } from '@arbor/subnet-spec/timing'
import type { Answer } from '../dendrite/answer.ts'
import type { Evidence } from '../evidence.ts'
import type { Registration } from '../scores.ts'

/** What asking a miner came to, as the ledger keeps it until the round is recorded. */
export type Outcome = AnsweredOutcome | FaultOutcome | { readonly kind: 'ours'; readonly reason: string }

export interface AnsweredOutcome {
  readonly kind: 'answered'
  /** JSON of the response, as it came. */
  readonly response: string
  readonly timing: MeasuredTiming
  readonly signed: boolean
  readonly binding: Hex
  readonly answerHash: Hex
  readonly evidence: Evidence
}

export interface FaultOutcome {
  readonly kind: 'fault'
  readonly reason: string
  /** Milliseconds that the exchange took, as far as it came. */
  readonly totalMs: number | null
}

/** One question's outcome. */
export interface KeptAnswer extends Registration {
  readonly repeat: number
  readonly outcome: Outcome
}

/** Takes of what asking came to all that judging it needs. */
export const outcomeOf = (answer: Answer): Outcome => {
  if (answer.kind === 'ours') return { kind: 'ours', reason: answer.reason }
  if (answer.kind === 'answered') return answeredOf(answer)
  return { kind: 'fault', reason: answer.reason, totalMs: answer.timing?.totalMs ?? null }
}

/** Takes of an answer all that judging it needs. */
export const answeredOf = (answer: Extract<Answer, { kind: 'answered' }>): AnsweredOutcome => {
  const { body, timing, signed, binding, answerHash, evidence } = answer
  const { totalMs, deadlineMs } = timing
  const response = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  return { kind: 'answered', response, timing: { totalMs, deadlineMs }, signed, binding, answerHash, evidence }
}
