import { SubnetError } from '@arbor/shared/errors'

/** All places are taken. */
export const busy = (running: number, queued: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BUSY',
    message: `The engine runs ${running} jobs and ${queued} wait; send fewer or try again`,
    details: { running, queued },
    retryable: true,
  })

/** The child process ended under the job. */
export const crashed = (exitCode: number | null, signal: string | null): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CRASHED',
    message: `The inference process ended during the job (exit ${exitCode}, signal ${signal}); the job may be tried again`,
    details: { exitCode, signal },
    retryable: true,
  })

/** The child process crashed too often. */
export const dead = (crashes: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_DEAD',
    message: `The inference process crashed ${crashes} times in a row and is not started again; see its messages above`,
    details: { crashes },
  })

/** The caller gave up. */
export const aborted = (cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_ABORTED',
    message: 'The job was aborted by its caller; run it again if it is still wanted',
    cause,
    retryable: true,
  })

/** The engine is closing or closed. */
export const closed = (): SubnetError =>
  new SubnetError({ code: 'ENGINE_CLOSED', message: 'The engine is closed; start it again' })

/** The job holds something that no process can receive, such as a function. */
export const unsendable = (cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_JOB_FAILED',
    message: `The job cannot be sent to the inference process: ${cause instanceof Error ? cause.message : cause}; send plain data`,
    cause,
  })
