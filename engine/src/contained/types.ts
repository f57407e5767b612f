import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'

/** Receives what happens to the child process. */
export interface ContainedLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface ContainedOptions {
  /** Module whose default export is a WorkerHandler. */
  readonly worker: URL
  /** Handed to each job as `context.workerData`; must survive structured cloning. */
  readonly workerData: unknown
  /** Threads, each with what its worker module loads. */
  readonly threads: number
  /** Jobs that one thread runs at once, which then share it and what it loaded; 1 when absent. */
  readonly jobsPerThread?: number
  /** Jobs that may wait beyond those that run. */
  readonly maxQueue: number
  readonly log: ContainedLog
  /** Aborts every job and ends the child. */
  readonly signal: AbortSignal
  /** Time for an aborted job to stop before the child is killed; 10 s when absent. */
  readonly abortGraceMs?: Ms
  /** Crashes in a row, without a finished job between them, that are answered by a new child; 5 when absent. */
  readonly maxRestarts?: number
  readonly clock?: Clock
}

export interface RunOptions<Progress> {
  /** Gives up on the job: the promise rejects at once, the job is told, and the child is killed if the job does not stop. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((value: Progress) => void) | undefined
}

export interface ContainedStats {
  readonly state: 'running' | 'closing' | 'closed' | 'dead'
  readonly pid: number | null
  readonly running: number
  readonly queued: number
  readonly finished: number
  readonly crashes: number
}

/** Jobs in worker threads of a child process. */
export interface Contained<Job, Result, Progress> {
  /**
   * Runs one job.
   * @throws ENGINE_BUSY, ENGINE_CRASHED (both retryable), ENGINE_ABORTED, ENGINE_DEAD, ENGINE_CLOSED, or what the worker threw
   */
  run(job: Job, options?: RunOptions<Progress>): Promise<Result>
  stats(): ContainedStats
  /** Refuses new jobs, waits for those it has, and ends the child. */
  close(): Promise<void>
}
