import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@arbor/shared/clock'
import type { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { aborted, busy, closed, crashed, dead, unsendable } from './errors.ts'
import { fromPlainError, type ToChild, type ToParent } from './protocol.ts'
import type { Contained, ContainedOptions, ContainedStats, RunOptions } from './types.ts'

interface Pending {
  readonly id: number
  readonly job: unknown
  readonly onProgress: ((value: unknown) => void) | undefined
  /** Settles the caller's promise; calls after the first do nothing. */
  readonly resolve: (value: unknown) => void
  readonly reject: (error: SubnetError) => void
  abandoned: boolean
}

const ABORT_GRACE_MS = 10_000 as Ms // several times what one long answer takes on a busy core
const MAX_RESTARTS = 5

/** Starts a child process that runs jobs; what aborts there costs the jobs in flight and nothing else. */
export const startContained = <Job, Result, Progress = unknown>(
  of: ContainedOptions,
): Contained<Job, Result, Progress> => {
  const { log, threads, jobsPerThread = 1, maxQueue, clock = systemClock } = of
  const { abortGraceMs = ABORT_GRACE_MS, maxRestarts = MAX_RESTARTS } = of
  const places = threads * jobsPerThread
  const queue: Pending[] = []
  const inFlight = new Map<number, Pending>()
  const ended = Promise.withResolvers<void>()
  const stopTimers = new AbortController()
  let state: ContainedStats['state'] = 'running'
  let child: ChildProcess | undefined
  let nextId = 0
  let finished = 0
  let crashes = 0
  let crashesInRow = 0

  const tell = (message: ToChild): void => {
    if (child?.connected) child.send(message, () => undefined) // a child that dies meanwhile is seen by its exit
  }

  const launch = (): void => {
    const launched = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    child = launched
    launched.on('message', (message: ToParent) => receive(message))
    launched.on('error', (error) => {
      log.warn({ error: error.message }, 'inference process cannot be reached')
      if (launched.pid === undefined) exited(launched, null, null) // it never started, so no exit follows
    })
    launched.once('exit', (code, signal) => exited(launched, code, signal))
    tell({ kind: 'start', setup: { worker: of.worker.href, workerData: of.workerData, threads, jobsPerThread } })
    log.info({ pid: launched.pid ?? null }, 'inference process started')
  }

  const receive = (message: ToParent): void => {
    const pending = inFlight.get(message.id)
    if (pending === undefined) return
    if (message.kind === 'progress') {
      if (!pending.abandoned) pending.onProgress?.(message.value)
      return
    }
    inFlight.delete(message.id)
    const { outcome } = message
    if (outcome.ok) pending.resolve(outcome.value)
    else pending.reject(fromPlainError(outcome.error))
    finished++
    crashesInRow = 0
    advance()
  }

  const exited = (which: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void => {
    if (which !== child) return
    child = undefined
    if (state === 'closing' && inFlight.size === 0 && queue.length === 0) {
      finish('closed')
      return
    }
    crashes++
    crashesInRow++
    const lost = [...inFlight.values()]
    inFlight.clear()
    log.warn({ code, signal, lost: lost.length, crashes }, 'inference process ended unexpectedly')
    for (const pending of lost) pending.reject(crashed(code, signal))
    if (crashesInRow > maxRestarts) {
      for (const pending of queue.splice(0)) pending.reject(dead(crashesInRow))
      finish('dead')
    } else if (state === 'closing' && queue.length === 0) {
      finish('closed')
    } else {
      launch()
      advance()
    }
  }

  const finish = (last: 'closed' | 'dead'): void => {
    state = last
    stopTimers.abort()
    of.signal.removeEventListener('abort', stop)
    ended.resolve()
  }

  const advance = (): void => {
    while (inFlight.size < places && child !== undefined) {
      const pending = queue.shift()
      if (pending === undefined) break
      inFlight.set(pending.id, pending)
      try {
        tell({ kind: 'run', id: pending.id, job: pending.job })
      } catch (error) {
        inFlight.delete(pending.id) // the job cannot be cloned, so it never left
        pending.reject(unsendable(error))
      }
    }
    if (state === 'closing' && inFlight.size === 0 && queue.length === 0) tell({ kind: 'close' })
  }

  const abandon = (pending: Pending, error: SubnetError): void => {
    if (pending.abandoned) return
    pending.abandoned = true
    pending.reject(error)
    const place = queue.indexOf(pending)
    if (place !== -1) queue.splice(place, 1)
    if (inFlight.has(pending.id)) {
      tell({ kind: 'abort', id: pending.id })
      void killAfterGrace(pending)
    } else advance()
  }

  const killAfterGrace = async (pending: Pending): Promise<void> => {
    const blamed = child
    try {
      await clock.sleep(abortGraceMs, stopTimers.signal)
    } catch {
      return // everything ended before the grace did
    }
    if (inFlight.get(pending.id) !== pending) return
    log.warn(
      { pid: blamed?.pid ?? null, graceMs: abortGraceMs },
      'a job ignores its abort: killing the inference process',
    )
    blamed?.kill('SIGKILL')
  }

  const stop = (): void => {
    for (const pending of [...queue, ...inFlight.values()]) abandon(pending, aborted(of.signal.reason))
    void close()
  }

  const run = async (job: Job, { signal, onProgress }: RunOptions<Progress> = {}): Promise<Result> => {
    if (state === 'dead') throw dead(crashesInRow)
    if (state !== 'running') throw closed()
    if (signal?.aborted) throw aborted(signal.reason)
    if (queue.length >= maxQueue && inFlight.size >= places) throw busy(inFlight.size, queue.length)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const report = onProgress as ((value: unknown) => void) | undefined
    const pending: Pending = { id: nextId++, job, onProgress: report, resolve, reject, abandoned: false }
    const onAbort = (): void => abandon(pending, aborted(signal?.reason))
    signal?.addEventListener('abort', onAbort, { once: true })
    queue.push(pending)
    advance()
    try {
      return (await promise) as Result
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  const close = async (): Promise<void> => {
    if (state === 'running') {
      state = 'closing'
      advance()
    }
    await ended.promise
  }

  of.signal.throwIfAborted()
  of.signal.addEventListener('abort', stop, { once: true })
  launch()
  return {
    run,
    close,
    stats: () => ({ state, pid: child?.pid ?? null, running: inFlight.size, queued: queue.length, finished, crashes }),
  }
}
