/** Pages that may talk to a chain on their visitor's machine; what is no browser sends no origin. */
const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/
const KNOWN = 'https://polkadot.js.org'

/** Tells whether a request of this origin is served: a foreign page must not drive a chain through its visitor's browser. */
export const isAllowedOrigin = (origin: string | undefined, extra: readonly string[]): boolean =>
  origin === undefined || origin === KNOWN || LOCAL.test(origin) || extra.includes('*') || extra.includes(origin)

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]'])

/**
 * Tells whether a request was meant for this server. A server that listens to its own machine only is called by a name of
 * that machine; any other name is a foreign page's, which has it resolve to this address.
 */
export const isAllowedHost = (of: {
  /** The request's Host. */
  readonly host: string | undefined
  /** Where the server listens. */
  readonly listensOn: string
  readonly extra: readonly string[]
}): boolean => {
  if (!LOOPBACK.has(of.listensOn) || of.extra.includes('*') || of.host === undefined) return true
  return LOOPBACK.has(of.host.toLowerCase().replace(/:\d+$/, ''))
}
