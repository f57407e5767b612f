import type { Clock } from '@arbor/shared/clock'

const MINUTE_MS = 60_000

/** Counts what happens in any minute, exactly: the last `perMinute` times are kept. */
export interface Rate {
  /** Counts one more, unless it would be one too many within the minute that ends now. */
  take(): boolean
}

export const createRate = ({ perMinute, clock }: { readonly perMinute: number; readonly clock: Clock }): Rate => {
  const times: number[] = []
  let oldest = 0
  return {
    take: () => {
      const now = clock.monotonic()
      if (times.length < perMinute) {
        times.push(now)
        return true
      }
      if (now - (times[oldest] ?? now) < MINUTE_MS) return false
      times[oldest] = now
      oldest = (oldest + 1) % perMinute
      return true
    },
  }
}
