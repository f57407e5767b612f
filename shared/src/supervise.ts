import { aborted } from './aborted.ts'
import { type Clock, startDeadline } from './clock.ts'
import { SubnetError } from './errors.ts'
import type { Ms } from './units.ts'

/** One concern of a process; runs until its signal aborts, then returns or throws the signal's reason. */
export type Loop = (signal: AbortSignal) => Promise<void>

/**
 * Runs loops side by side. When `signal` aborts, all stop and it resolves. When a loop ends or throws before that, all others
 * are stopped and it rejects: no process lives on with a dead part.
 * @param of.graceMs time the others get to stop after the first has ended
 * @throws SUPERVISE_LOOP_ENDED naming the loop, with the loop's error as cause; an error of our own passes as it is
 */
export const supervise = async (of: {
  readonly loops: Readonly<Record<string, Loop>>
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly graceMs?: number
}): Promise<void> => {
  const stop = new AbortController()
  const signal = AbortSignal.any([of.signal, stop.signal])
  let reason: SubnetError | null = null
  const running = Object.entries(of.loops).map(async ([name, loop]) => {
    const error = await loop(signal).then(
      () => null,
      (thrown: unknown) => thrown ?? new Error('rejected without a reason'),
    )
    if (signal.aborted) return
    reason = ended(name, error)
    stop.abort(reason)
  })
  await Promise.race([Promise.all(running), aborted(signal)])
  await withGrace(of.clock, (of.graceMs ?? 2_000) as Ms, running)
  if (reason !== null) throw reason
}

const withGrace = async (clock: Clock, graceMs: Ms, running: readonly Promise<void>[]): Promise<void> => {
  const done = new AbortController()
  await Promise.race([Promise.all(running), clock.sleep(graceMs, done.signal).catch(() => undefined)])
  done.abort()
}

const ended = (name: string, error: unknown): SubnetError => {
  if (error instanceof SubnetError) return error
  const why =
    error === null ? 'returned before it was told to stop' : error instanceof Error ? error.message : String(error)
  return new SubnetError({
    code: 'SUPERVISE_LOOP_ENDED',
    message: `The loop "${name}" ended: ${why}; the process stops, start it again and report this if it repeats`,
    details: { loop: name },
    cause: error,
  })
}

/** How many failures a repeated action may have: more than `failures` within `withinMs` end it. */
export interface ErrorBudget {
  readonly failures: number
  readonly withinMs: number
}

/** How long a loop waits after failures in a row: `firstMs`, doubling up to `mostMs`; the next success starts it anew. */
export interface Backoff {
  readonly firstMs: number
  readonly mostMs: number
}

/** What a loop tells of each of its steps; the times between are its idle ones. */
export interface StepListener {
  begun(): void
  /** @param ms what the step took, by the monotonic clock */
  done(ms: number): void
  /** @param pauseMs what the loop waits before it goes on */
  failed(error: unknown, pauseMs: number): void
}

/** A loop of steps, each of which works on one thing. */
export interface Steps<Work> {
  readonly name: string
  /** Waits for what the next step works on; has no deadline, since nothing may come for long. */
  readonly next: (signal: AbortSignal) => Promise<Work>
  /** Works on it; its signal aborts after `timeoutMs`, which counts as a failure. */
  readonly step: (work: Work, signal: AbortSignal) => Promise<void>
  readonly timeoutMs: number
  readonly budget: ErrorBudget
  readonly backoff: Backoff
  /** Tells errors that no repetition mends: they end the loop at once. */
  readonly isFatal?: (error: unknown) => boolean
  readonly listener: StepListener
}

/**
 * Runs a loop's steps until the signal aborts; a failure, of waiting too, is told, counted and followed by a pause.
 * @throws SUPERVISE_BUDGET_SPENT with the last failure as cause; SUPERVISE_STUCK when a step neither ends nor stops; an error that is
 * fatal as it is
 */
export const runSteps = async <Work>(
  of: Steps<Work> & { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> => {
  const spend = createBudget(of)
  let inRow = 0
  while (!of.signal.aborted) {
    try {
      await runStep(of)
      inRow = 0
    } catch (error) {
      if (of.signal.aborted) return
      if (isStuck(error) || of.isFatal?.(error) === true) throw error
      const pauseMs = Math.min(of.backoff.mostMs, of.backoff.firstMs * 2 ** Math.min(inRow, 30))
      inRow += 1
      of.listener.failed(error, pauseMs)
      spend(error)
      await pause(of, pauseMs)
    }
  }
}

/** Milliseconds that a step may go on after its signal has aborted: then it is deaf, and what it holds is lost to the process. */
const DEAF_AFTER_MS = 60_000

const runStep = async <Work>(
  of: Steps<Work> & { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> => {
  const work = await of.next(of.signal)
  of.signal.throwIfAborted()
  of.listener.begun()
  const began = of.clock.monotonic()
  const late = (): Error =>
    new SubnetError({
      code: 'SUPERVISE_TIMEOUT',
      message: `"${of.name}" took more than ${of.timeoutMs} ms`,
      retryable: true,
    })
  using deadline = startDeadline({ clock: of.clock, ms: of.timeoutMs as Ms, parent: of.signal, reason: late })
  const stuck = (): Error =>
    new SubnetError({
      code: 'SUPERVISE_STUCK',
      message: `"${of.name}" took more than ${of.timeoutMs} ms and did not stop when told; the process ends, start it again and report this`,
      details: { loop: of.name },
    })
  const none = new AbortController().signal
  using deaf = startDeadline({
    clock: of.clock,
    ms: (of.timeoutMs + DEAF_AFTER_MS) as Ms,
    parent: none,
    reason: stuck,
  })
  await Promise.race([of.step(work, deadline.signal), rejection(deaf.signal)])
  deadline.signal.throwIfAborted()
  of.listener.done(of.clock.monotonic() - began)
}

const rejection = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

const isStuck = (error: unknown): boolean => error instanceof SubnetError && error.code === 'SUPERVISE_STUCK'

const pause = (of: { readonly clock: Clock; readonly signal: AbortSignal }, ms: number): Promise<void> =>
  of.clock.sleep(ms as Ms, of.signal).catch((error: unknown) => {
    if (!of.signal.aborted) throw error
  })

/**
 * Repeats an action until the signal aborts, `everyMs` after the end of the one before; a failure is reported and counted.
 * @param of.timeoutMs bound of one run; its signal aborts then, which counts as a failure
 * @throws SUPERVISE_BUDGET_SPENT with the last failure as cause
 */
export const repeat = async (of: {
  readonly name: string
  readonly run: (signal: AbortSignal) => Promise<void>
  readonly everyMs: number
  readonly timeoutMs: number
  readonly budget: ErrorBudget
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}): Promise<void> => {
  let isDue = true // after a failure the backoff is the pause
  await runSteps<void>({
    ...of,
    next: async () => {
      if (!isDue) await pause(of, of.everyMs)
      isDue = false
    },
    step: (_, signal) => of.run(signal),
    backoff: { firstMs: of.everyMs, mostMs: of.everyMs },
    listener: {
      begun: () => undefined,
      done: () => undefined,
      failed: (error) => {
        isDue = true
        of.onError(error)
      },
    },
  })
}

/** Creates a counter of failures. @returns a function that throws SUPERVISE_BUDGET_SPENT when the failure is one too many */
export const createBudget = (of: {
  readonly name: string
  readonly budget: ErrorBudget
  readonly clock: Clock
}): ((error: unknown) => void) => {
  let times: number[] = []
  return (error) => {
    const now = of.clock.monotonic()
    times = [...times.filter((time) => now - time < of.budget.withinMs), now]
    if (times.length <= of.budget.failures) return
    throw new SubnetError({
      code: 'SUPERVISE_BUDGET_SPENT',
      message: `"${of.name}" failed ${times.length} times within ${of.budget.withinMs} ms, last: ${error instanceof Error ? error.message : String(error)}`,
      details: { loop: of.name },
      cause: error,
    })
  }
}
