import type { Blocks } from '@arbor/shared/units'

/** 13 minutes on Bittensor: long enough for a full pool. */
const LONGEST = 64
/** What FRAME allows. */
const SHORTEST = 4

/**
 * Chooses for how many blocks an extrinsic with weights is valid: half a tempo and a rate limit at most, so that one which was lost
 * cannot come up later, when the next row is due; yet longer than finality lags, since it counts from a final block.
 * @param of.lag blocks between the final and the best one
 * @returns a power of two
 */
export function eraBlocks({
  tempo,
  rateLimit,
  lag,
}: {
  readonly tempo: Blocks
  readonly rateLimit: Blocks
  readonly lag: number
}): number {
  const bounds = [LONGEST, ...(tempo > 0 ? [tempo / 2] : []), ...(rateLimit > 0 ? [rateLimit] : [])]
  const most = 2 ** Math.floor(Math.log2(Math.max(SHORTEST, Math.min(...bounds))))
  const least = 2 ** Math.ceil(Math.log2(Math.max(SHORTEST, lag + 3)))
  return Math.max(most, Math.min(least, LONGEST))
}
