import type { Clock } from './clock.ts'
import type { Ms, UnixMs } from './units.ts'

/** A clock for tests and simulations that moves only when told. */
export interface ManualClock extends Clock {
  /** Moves time forward and wakes the sleepers that are due, in order of their wake time. */
  advance(ms: number): Promise<void>
  /** Number of sleeps that wait now. */
  sleeping(): number
}

interface Sleeper {
  readonly wakeAt: number
  readonly wake: () => void
}

/** Creates a clock that stands at `start` milliseconds since the Unix epoch. */
export const createManualClock = (start = 1_800_000_000_000): ManualClock => {
  let elapsed = 0
  const sleepers = new Set<Sleeper>()

  const sleep = (ms: Ms, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        sleepers.delete(sleeper)
        reject(signal.reason)
      }
      const wake = (): void => {
        sleepers.delete(sleeper)
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { wakeAt: elapsed + Math.max(0, ms), wake }
      sleepers.add(sleeper)
      signal.addEventListener('abort', onAbort, { once: true })
    })

  const advance = async (ms: number): Promise<void> => {
    const target = elapsed + ms
    for (;;) {
      await settle()
      const due = [...sleepers].filter((s) => s.wakeAt <= target).sort((a, b) => a.wakeAt - b.wakeAt)[0]
      if (due === undefined) break
      elapsed = Math.max(elapsed, due.wakeAt)
      due.wake()
    }
    elapsed = target
    await settle()
  }

  return {
    now: () => (start + elapsed) as UnixMs,
    monotonic: () => elapsed as Ms,
    sleep,
    advance,
    sleeping: () => sleepers.size,
  }
}

/** Lets promise chains of ordinary depth run to their next wait. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
