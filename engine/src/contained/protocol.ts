import { SubnetError } from '@arbor/shared/errors'

/** What the child needs to host the workers. */
export interface ChildSetup {
  /** URL of the worker module. */
  readonly worker: string
  readonly workerData: unknown
  readonly threads: number
  readonly jobsPerThread: number
}

/** From the parent to the child. */
export type ToChild =
  | { readonly kind: 'start'; readonly setup: ChildSetup }
  | { readonly kind: 'run'; readonly id: number; readonly job: unknown }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'close' }

/** From the child to the parent. */
export type ToParent =
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'settled'; readonly id: number; readonly outcome: Outcome }

/** How a job ended; errors travel as plain values, since cloning an error drops its code. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PlainError }

export interface PlainError {
  readonly code: string
  readonly message: string
  readonly details: SubnetError['details']
  readonly retryable: boolean
}

/** Makes an error fit to travel; one that is no SubnetError becomes ENGINE_JOB_FAILED. */
export const toPlainError = (error: unknown): PlainError => {
  if (error instanceof SubnetError) {
    const { code, message, details, retryable } = error
    return { code, message, details, retryable }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'ENGINE_JOB_FAILED', message: `The worker failed: ${text}`, details: {}, retryable: false }
}

/** Makes the travelled error an error again. */
export const fromPlainError = (error: PlainError): SubnetError => new SubnetError(error)
