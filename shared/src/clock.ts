import { performance } from 'node:perf_hooks'
import type { Ms, UnixMs } from './units.ts'

/** Where time comes from; the only reader of the machine's clocks and timers is `systemClock`. */
export interface Clock {
  /** Wall time; may jump. */
  now(): UnixMs
  /** Time since an arbitrary start; never goes back. */
  monotonic(): Ms
  /** Waits; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: Ms, signal: AbortSignal): Promise<void>
}

/** Longest delay that Node's timers keep; larger ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1 // 24.8 days

/** Reads the machine's clocks. */
export const systemClock: Clock = {
  now: () => Date.now() as UnixMs,
  monotonic: () => performance.now() as Ms,
  sleep: async (ms, signal) => {
    signal.throwIfAborted()
    for (let left: number = ms; left > 0; left -= MAX_TIMER_MS) await timer(Math.min(left, MAX_TIMER_MS), signal)
    if (ms <= 0) await timer(0, signal)
  },
}

const timer = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(handle)
      reject(signal.reason)
    }
    const handle = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })

/** A signal that aborts by itself; dispose it as soon as the guarded work is done, after which it never aborts. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/** Why a disposed deadline stops to wait; made once, since an abort without a reason takes a stack trace for one. */
const DISPOSED = new Error('the deadline was disposed')

/**
 * Starts a deadline: its signal aborts with `reason` after `ms`, or with the parent's reason when the parent aborts.
 * @param of.ms milliseconds from now
 */
export const startDeadline = (of: {
  readonly clock: Clock
  readonly ms: Ms
  readonly parent: AbortSignal
  readonly reason: () => Error
}): Deadline => {
  const { clock, ms, parent } = of
  const own = new AbortController()
  const stop = new AbortController()
  const onParent = (): void => {
    own.abort(parent.reason)
    stop.abort(DISPOSED)
  }
  const dispose = (): void => {
    parent.removeEventListener('abort', onParent)
    stop.abort(DISPOSED)
  }
  if (parent.aborted) onParent()
  else parent.addEventListener('abort', onParent, { once: true })
  clock.sleep(ms, stop.signal).then(
    () => own.abort(of.reason()),
    () => undefined, // disposed, or the parent aborted
  )
  return { signal: own.signal, [Symbol.dispose]: dispose }
}
