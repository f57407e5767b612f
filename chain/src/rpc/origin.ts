/** Pages that may talk to a chain on their visitor's machine; what is no browser sends no origin. */
const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/
const KNOWN = 'https://polkadot.js.org'

/** Tells whether a request of this origin is served: a foreign page must not drive a chain through its visitor's browser. */
export const isAllowedOrigin = (origin: string | undefined, extra: readonly string[]): boolean =>
  origin === undefined || origin === KNOWN || LOCAL.test(origin) || extra.includes('*') || extra.includes(origin)
