import type { Clock } from '@arbor/shared/clock'

/** Whether a place was had, or when to come again. */
export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAfterS: number }

/** Lets each key through at a steady rate with some in a burst. */
export interface RateLimit {
  /** Takes one place of the key's. */
  take(key: string): Taken
  /** Keys that are remembered. */
  readonly size: number
}

/**
 * Creates a token bucket for each key. When there are more than `maxKeys`, the one that was used least recently is forgotten: so
 * nobody is locked out by the number of others, and memory is bounded.
 * @param of.perSecond places that come back each second
 * @param of.burst places a key has at most
 */
export const createRateLimit = (of: {
  readonly perSecond: number
  readonly burst: number
  readonly clock: Clock
  readonly maxKeys?: number
}): RateLimit => {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>()
  const maxKeys = of.maxKeys ?? 1_024

  const take = (key: string): Taken => {
    const now = of.clock.monotonic()
    const bucket = buckets.get(key) ?? { left: of.burst, at: now }
    const left = Math.min(of.burst, bucket.left + ((now - bucket.at) / 1_000) * of.perSecond)
    if (left < 1) return { ok: false, retryAfterS: Math.max(1, Math.ceil((1 - left) / of.perSecond)) }
    buckets.delete(key) // a map hands out its keys in order of insertion: the first is the one used least recently
    buckets.set(key, { left: left - 1, at: now })
    if (buckets.size > maxKeys) for (const oldest of buckets.keys()) return forget(oldest)
    return { ok: true }
  }
  const forget = (key: string): Taken => {
    buckets.delete(key)
    return { ok: true }
  }
  return {
    take,
    get size() {
      return buckets.size
    },
  }
}
