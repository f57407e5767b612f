/** A refusal in Python's words: status and message, of a size that no caller can choose. */
export interface AxonRefusal {
  readonly kind: 'refused'
  readonly status: number
  readonly message: string
  readonly retryAfterS: number | null
  /** For the log: what the caller is not told. */
  readonly why: string
}

const refused = (status: number, message: string, why: string, retryAfterS: number | null = null): AxonRefusal => ({
  kind: 'refused',
  status,
  message,
  retryAfterS,
  why,
})

/** The request is not verified; the text does not repeat what was signed. */
export const notVerified = (text: string): AxonRefusal => refused(401, `Not Verified with error: ${text}`, text)

/** The caller is not served. */
export const forbidden = (reason: string): AxonRefusal =>
  refused(403, `Forbidden. Key is blacklisted: ${reason}.`, reason)

/** The time of the request is over. */
export const tooLate = (timeout: string): AxonRefusal =>
  refused(408, `Response timeout after: ${timeout}s`, 'out of time')

/** The request cannot be read, or the handler failed: the caller gets a number, the log the reason. */
export const failed = (uuid: string, why: string): AxonRefusal => refused(500, `Internal Server Error #${uuid}`, why)

/** The fields have their types and are still not what the task takes. */
export const unfit = (why: string): AxonRefusal => refused(422, 'The request does not fit its schema', why)

/** The caller asks too often, or had too many signatures refused. */
export const tooMany = (retryAfterS: number | null): AxonRefusal =>
  refused(429, 'Too many requests', 'rate', retryAfterS)

/** All places are taken. */
export const busy = (retryAfterS: number | null): AxonRefusal => refused(503, 'Service busy', 'busy', retryAfterS)

/** The synapse is not served; the routes that are served are not listed. */
export const notFound = (name: string): AxonRefusal => {
  const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? `Synapse name '${name}' not found.` : 'Synapse name not found.'
  return refused(404, shown, 'no such synapse')
}

/** The request is larger than the task takes. */
export const tooLarge = (): AxonRefusal => refused(413, 'The body is too large', 'body too large')
