import { type Clock, systemClock } from '@arbor/shared/clock'
import type { Ms, UnixMs } from '@arbor/shared/units'

/** A clock that runs faster than the machine's, as blocks on demand come faster than slots; its wall time can be made to jump. */
export interface FastClock extends Clock {
  /** Sets the wall time off by so many milliseconds; the monotonic time goes on as it did. */
  jump(ms: number): void
}

/** Makes a clock. @param speed its seconds in one of the machine's */
export const fastClock = (speed: number): FastClock => {
  const startedAt = systemClock.now()
  const since = systemClock.monotonic()
  let off = 0
  const monotonic = (): Ms => ((systemClock.monotonic() - since) * speed) as Ms
  return {
    now: () => Math.round(startedAt + monotonic() + off) as UnixMs,
    monotonic,
    sleep: (ms, signal) => systemClock.sleep((ms / speed) as Ms, signal),
    jump: (ms) => {
      off = ms
    },
  }
}
