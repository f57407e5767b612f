import type { Clock } from '@arbor/shared/clock'
import type { Ss58 } from '@arbor/shared/units'

/** Lets each caller through at a steady rate with some in a burst. */
export interface RateLimit {
  /** Takes one place; false when the caller has none left. */
  take(caller: Ss58): boolean
}

/**
 * Creates a token bucket for each caller. Only permitted callers get here, so the buckets are as many as permits;
 * full ones are dropped when there are more than `maxCallers`.
 * @param of.perSecond places that come back each second
 * @param of.burst places a caller has at most
 */
export const createRateLimit = (of: {
  readonly perSecond: number
  readonly burst: number
  readonly clock: Clock
  readonly maxCallers?: number
}): RateLimit => {
  const buckets = new Map<Ss58, { left: number; at: number }>()
  const maxCallers = of.maxCallers ?? 1_024

  const leftOf = (bucket: { left: number; at: number }, now: number): number =>
    Math.min(of.burst, bucket.left + ((now - bucket.at) / 1_000) * of.perSecond)

  const take = (caller: Ss58): boolean => {
    const now = of.clock.monotonic()
    const bucket = buckets.get(caller) ?? { left: of.burst, at: now }
    const left = leftOf(bucket, now)
    if (left < 1) return false
    if (!buckets.has(caller) && buckets.size >= maxCallers) {
      for (const [other, its] of buckets) if (leftOf(its, now) >= of.burst) buckets.delete(other)
      if (buckets.size >= maxCallers) return false
    }
    buckets.set(caller, { left: left - 1, at: now })
    return true
  }
  return { take }
}
