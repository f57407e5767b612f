import type { AuditedAttack } from './terms.ts'

/** How much of an answer is looked at. */
export interface Look {
  /** Chunks that the answer has, and that are looked at. */
  readonly of: number
  readonly chunks: number
}

/**
 * Computes the probability that a look shows a cheat in an answer of its making: with `c` of `C` chunks 1 − (1 − p)^c where all chunks are
 * spoiled, and p·c/C where one is.
 */
export const detectionOf = ({ perChunk, isLocal }: AuditedAttack, { of, chunks }: Look): number =>
  isLocal === true ? (perChunk * chunks) / of : 1 - (1 - perChunk) ** chunks

/**
 * Expects the share of an answer's prefill that a look costs: what comes before the last of `c` chunks drawn from `C` has to be computed, on
 * average c(C + 1) ÷ (c + 1) chunks.
 * @returns in (0, 1]
 */
export const lookCost = ({ of, chunks }: Look): number => (chunks * (of + 1)) / (chunks + 1) / of

/**
 * Computes the probability that a miner is found in `answers` answers, each cheated with probability `cheated` and audited with `share`:
 * 1 − (1 − f·q·d)^n.
 */
export const foundWithin = (of: {
  readonly answers: number
  /** f, in [0, 1]. */
  readonly cheated: number
  /** q, in [0, 1]. */
  readonly share: number
  /** d, in [0, 1]. */
  readonly detection: number
}): number => -Math.expm1(of.answers * Math.log1p(-of.cheated * of.share * of.detection))

/**
 * Solves 1 − (1 − q·d)^n = P for the audit share q.
 * @returns q; above 1 when no share is enough
 */
export const shareFor = (of: {
  readonly answers: number
  readonly detection: number
  /** P, in [0, 1). */
  readonly found: number
}): number => {
  if (of.found <= 0) return 0
  if (of.answers === 0) return Number.POSITIVE_INFINITY
  return -Math.expm1(Math.log1p(-of.found) / of.answers) / of.detection
}
