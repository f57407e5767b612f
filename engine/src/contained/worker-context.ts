/** What a worker module gets beside its job. */
export interface WorkerContext<Data = unknown, Progress = unknown> {
  /** What `startContained` was given as `workerData`. */
  readonly workerData: Data
  /** Aborts when the caller gave up; a worker that ignores it for the grace period costs the whole child process. */
  readonly signal: AbortSignal
  /** Sends a value to the caller's `onProgress`. */
  readonly progress: (value: Progress) => void
}

/** Default export of a worker module. */
export type WorkerHandler<Job, Result, Data = unknown, Progress = unknown> = (
  job: Job,
  context: WorkerContext<Data, Progress>,
) => Promise<Result>
