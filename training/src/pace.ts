import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'

/** How slow a source may be: in each stretch of so many milliseconds so many bytes a second have to come. */
export interface Pace {
  readonly windowMs: number
  readonly minBytesPerSecond: number
}

/** Slower than any line that could take part: 128 kbit/s, looked at every 5 s. */
export const DEFAULT_PACE: Pace = { windowMs: 5_000, minBytesPerSecond: 16_384 }

/** A transfer that is watched; its signal aborts when too little comes, or with the parent. */
export interface WatchedPace extends Disposable {
  readonly signal: AbortSignal
  count(bytes: number): void
}

/** Watches a transfer until it is disposed of: whoever sends drop by drop, or nothing, holds nobody for longer than one stretch. */
export function watchPace(of: {
  readonly clock: Clock
  readonly pace: Pace
  readonly parent: AbortSignal
  readonly reason: (bytes: number) => Error
}): WatchedPace {
  const { clock, pace } = of
  const slow = new AbortController()
  const stop = new AbortController()
  const signal = AbortSignal.any([slow.signal, of.parent])
  let came = 0
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(pace.windowMs as Ms, stop.signal)
      if (came * 1_000 < pace.minBytesPerSecond * pace.windowMs) return slow.abort(of.reason(came))
      came = 0
    }
  }
  watch().catch(() => undefined) // it was disposed of
  return {
    signal,
    count: (bytes) => {
      came += bytes
    },
    [Symbol.dispose]: () => stop.abort(new Error('the transfer ended')),
  }
}
