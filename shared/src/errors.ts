/** What every error of Arbor carries; `code` is AREA_WHAT and listed in docs/errors.md. */
export interface SubnetErrorOptions {
  readonly code: string
  /** What happened, the value, and what to do. Never holds a secret. */
  readonly message: string
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
  readonly cause?: unknown
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable?: boolean
}

/** An error a caller can decide on by its code. */
export class SubnetError extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, string | number | boolean | null>>
  readonly retryable: boolean

  constructor({ code, message, details = {}, cause, retryable = false }: SubnetErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SubnetError'
    this.code = code
    this.details = details
    this.retryable = retryable
  }
}
