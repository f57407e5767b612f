import type { Clock } from '@arbor/shared/clock'

/** Lets each address do something at a steady rate, with some in a burst. */
export interface ProofRate {
  /** Takes one place; false when the address has none left. */
  take(address: string): boolean
}

/**
 * Creates a token bucket for each address; full ones are forgotten when there are many.
 * @param of.perSecond places that come back each second
 * @param of.burst places of an address at most
 */
export const createProofRate = (of: {
  readonly perSecond: number
  readonly burst: number
  readonly clock: Clock
  readonly maxAddresses?: number
}): ProofRate => {
  const buckets = new Map<string, { left: number; at: number }>()
  const most = of.maxAddresses ?? 16_384

  const leftOf = (bucket: { left: number; at: number }, now: number): number =>
    Math.min(of.burst, bucket.left + ((now - bucket.at) / 1_000) * of.perSecond)

  const makeRoom = (now: number): boolean => {
    if (buckets.size < most) return true
    for (const [address, bucket] of buckets) if (leftOf(bucket, now) >= of.burst) buckets.delete(address)
    return buckets.size < most
  }

  return {
    take: (address) => {
      const now = of.clock.monotonic()
      const bucket = buckets.get(address)
      if (bucket === undefined && !makeRoom(now)) return false
      const left = bucket === undefined ? of.burst : leftOf(bucket, now)
      if (left < 1) return false
      buckets.set(address, { left: left - 1, at: now })
      return true
    },
  }
}
