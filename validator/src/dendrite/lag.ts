import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'

/** Watches how late a thread's own loop runs. */
export interface LagMeter {
  /** Begins to watch; `worstMs` says how late the loop was at worst since then, what is late right now included. */
  watch(): LagWatch
}

export interface LagWatch extends Disposable {
  worstMs(): number
}

const BEAT_MS = 10 as Ms
/** Timers themselves are late by a millisecond or two. */
const NOTICED_MS = 2
/** Late beats kept: 2 minutes of nothing but late ones. */
const KEPT = 12_000

/** Creates a meter: a timer that beats every 10 ms while somebody watches, and notes the beats that come late. */
export const createLagMeter = ({ clock }: { readonly clock: Clock }): LagMeter => {
  const late: { readonly at: number; readonly ms: number }[] = []
  let watchers = 0
  let dueAt = 0
  let stop = new AbortController()

  const note = (): void => {
    const now = clock.monotonic()
    const ms = now - dueAt
    if (ms >= NOTICED_MS) late.push({ at: now, ms })
    if (late.length > KEPT) late.splice(0, KEPT / 2)
  }

  const beat = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      dueAt = clock.monotonic() + BEAT_MS
      await clock.sleep(BEAT_MS, signal).then(note, () => undefined)
    }
  }

  const watch = (): LagWatch => {
    watchers += 1
    if (watchers === 1) {
      late.length = 0
      stop = new AbortController()
      void beat(stop.signal)
    }
    const since = clock.monotonic()
    return {
      worstMs: () => {
        let worst = Math.max(0, clock.monotonic() - dueAt) // a beat that is due and could not come yet
        for (let index = late.length - 1; index >= 0; index -= 1) {
          const entry = late[index]
          if (entry === undefined || entry.at < since) break
          worst = Math.max(worst, entry.ms)
        }
        return worst < NOTICED_MS ? 0 : worst
      },
      [Symbol.dispose]: () => {
        watchers -= 1
        if (watchers === 0) stop.abort()
      },
    }
  }
  return { watch }
}
