/** One part of a state: parameters, or a moment. */
export interface ReplayedPart {
  /** Where the replayed stretch begins. */
  readonly start: Float32Array
  /** Where the miner says that it ends. */
  readonly claimed: Float32Array
  /** Where it ends here. */
  readonly replayed: Float32Array
}

/**
 * Says how far from here a miner's stretch ended, as a share of the way that it went: the largest |replayed − claimed| ÷ |claimed − start|
 * of the parts. A part that says that it stood still is 0 where it did, and infinitely far where it did not.
 */
export const replayDistance = (parts: readonly ReplayedPart[]): number =>
  parts.reduce((most, part) => Math.max(most, distanceOf(part)), 0)

const distanceOf = ({ start, claimed, replayed }: ReplayedPart): number => {
  const off = between(replayed, claimed)
  if (off === 0) return 0
  const distance = off / between(claimed, start)
  return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance
}

const between = (a: Float32Array, b: Float32Array): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let sum = 0
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    sum += difference * difference
  }
  return Math.sqrt(sum)
}
