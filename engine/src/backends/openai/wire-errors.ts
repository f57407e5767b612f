import { SubnetError } from '@arbor/shared/errors'
import { printable } from '@arbor/shared/printable'
import type { Server } from './server.ts'

/** No answer at all: nothing listens, the connection broke, the name is unknown. */
export const unreachable = ({ url }: Server, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_UNREACHABLE',
    message: `The model server at ${url.origin} cannot be reached: ${reasonOf(cause)}; start it, or correct the URL`,
    details: { url: url.origin },
    retryable: true,
  })

/** The server took longer than it may. */
export const late = ({ url }: Server, what: string, ms: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_TIMEOUT',
    message: `The model server at ${url.origin} gave no ${what} within ${ms} ms; ask again, or send it less at once`,
    details: { url: url.origin, ms },
    retryable: true,
  })

/** The answer ended before its end. */
export const cut = ({ url }: Server): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_CUT',
    message: `The model server at ${url.origin} broke off within an answer; ask again`,
    details: { url: url.origin },
    retryable: true,
  })

/** The answer makes no sense; the same question would get it again. */
export const nonsense = ({ url }: Server, what: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_ANSWER',
    message: `The model server at ${url.origin} ${what}; see that it serves this model, and which API it speaks`,
    details: { url: url.origin },
  })

/** What a refusal's status means: whether the server is busy, broken, or does not want the question. */
export const refusal = (server: Server, status: number, body: string): SubnetError => {
  const { origin } = server.url
  const details = { url: origin, status }
  const said = shown(server, body)
  if (status === 429 || status === 503) {
    return new SubnetError({
      code: 'ENGINE_BACKEND_BUSY',
      message: `The model server at ${origin} takes no more now (${status})${said}; ask again later`,
      details,
      retryable: true,
    })
  }
  if (status >= 500) {
    return new SubnetError({
      code: 'ENGINE_BACKEND_FAILED',
      message: `The model server at ${origin} failed (${status})${said}; see its log`,
      details,
      retryable: true,
    })
  }
  if (status === 401 || status === 403) {
    return new SubnetError({
      code: 'ENGINE_BACKEND_KEY',
      message: `The model server at ${origin} does not take the key (${status}); give the right one with --backend-key-file`,
      details,
    })
  }
  return new SubnetError({
    code: 'ENGINE_BACKEND_REFUSED',
    message: `The model server at ${origin} refused the request (${status})${said}; correct what it names`,
    details,
  })
}

/** An error that the server sent in place of the rest of an answer. */
export const failedMidway = (server: Server, event: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BACKEND_FAILED',
    message: `The model server at ${server.url.origin} failed within an answer${shown(server, JSON.stringify(event))}; see its log`,
    details: { url: server.url.origin },
    retryable: true,
  })

const SHOWN = 200

/** The server's own words, if it has any: bounded, of printable characters, without the key, in whole or in part. */
const shown = ({ key }: Server, body: string): string => {
  const words = wordsOf(body).replaceAll(/\s+/g, ' ').trim()
  if (words === '' || (key !== null && holdsPartOf(words, key))) return ''
  return `: ${printable(words.slice(0, SHOWN))}`
}

const wordsOf = (body: string): string => {
  try {
    const said: unknown = JSON.parse(body)
    return firstText(said, 0) ?? ''
  } catch {
    return /^\s*</.test(body) ? '' : body // a proxy's page of HTML says nothing
  }
}

const FIELDS = ['error', 'message', 'detail', 'msg']

const firstText = (value: unknown, depth: number): string | undefined => {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || depth > 4) return undefined
  const inner = Array.isArray(value) ? value.slice(0, 1) : FIELDS.map((name) => Reflect.get(value, name))
  return inner.map((each) => firstText(each, depth + 1)).find((text) => text !== undefined)
}

/** Servers repeat keys that they refuse with the middle hidden, so any six characters in a row are too many. */
const PART = 6

const holdsPartOf = (words: string, key: string): boolean => {
  const length = Math.min(PART, key.length)
  for (let start = 0; start + length <= key.length; start++) {
    if (words.includes(key.slice(start, start + length))) return true
  }
  return false
}

const reasonOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (!(inner instanceof Error)) return String(inner)
  const code = Reflect.get(inner, 'code')
  return inner.message !== '' ? inner.message : typeof code === 'string' ? code : inner.name
}
