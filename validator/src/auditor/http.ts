import { guardedLookup, refusalOfUrl } from '@arbor/chain/guarded-dial'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { Agent, request } from 'undici'

/** Bounds on whoever serves a log; it may be slow, endless, or somebody else. */
export interface HttpBounds {
  /** One request, from dialling to the last byte. */
  readonly requestMs: number
  /** One answer. */
  readonly answerBytes: number
  /** All answers together. */
  readonly totalBytes: number
  /** How often a server that is busy is asked again. */
  readonly patience: number
}

export const HTTP_BOUNDS: HttpBounds = {
  requestMs: 30_000,
  answerBytes: 8 * 2 ** 20, // a page of 4 096 entries of 2 KiB
  totalBytes: 512 * 2 ** 20, // a day of 4 096 miners, 2 rounds in 72 minutes, is a quarter of it
  patience: 30,
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly retryMs: Ms
}

/** What a busy server asks to be left alone for, within bounds. */
const retryMsOf = (header: string | string[] | undefined): Ms => {
  const seconds = typeof header === 'string' && /^\d{1,3}$/.test(header) ? Number(header) : 1
  return (1_000 * Math.min(Math.max(seconds, 1), 10)) as Ms
}

/** Asks one validator's log. */
export interface LogHttp {
  readonly url: string
  /**
   * Gets a path below the log's URL.
   * @throws AUDIT_UNREACHABLE, AUDIT_HTTP, AUDIT_TOO_LARGE
   */
  get(path: string, signal: AbortSignal): Promise<string>
  readonly bytes: number
  close(): Promise<void>
}

/**
 * Opens a log by its URL: no redirect is followed, nothing is decompressed, and addresses that are not of the public internet are dialled
 * only where they are allowed, whatever names stand for them.
 * @throws AUDIT_URL
 */
export function openLogHttp(of: {
  readonly url: string
  readonly privateAllowed: boolean
  readonly clock: Clock
  readonly bounds?: HttpBounds
}): LogHttp {
  const { privateAllowed, clock, bounds = HTTP_BOUNDS } = of
  const base = baseOf(of.url, privateAllowed)
  const agent = new Agent({
    connections: 2,
    connect: { timeout: bounds.requestMs, lookup: guardedLookup(privateAllowed, (why) => badUrl(base.href, why)) },
    headersTimeout: bounds.requestMs,
    bodyTimeout: bounds.requestMs,
  })
  let bytes = 0
  const once = async (url: URL, signal: AbortSignal): Promise<Answer> => {
    signal.throwIfAborted()
    const late = new Error(`no whole answer within ${bounds.requestMs} ms`)
    using deadline = startDeadline({ clock, ms: bounds.requestMs as Ms, parent: signal, reason: () => late })
    try {
      const headers = { accept: 'application/json' }
      const answer = await request(url, { dispatcher: agent, signal: deadline.signal, headers })
      const most = Math.min(bounds.answerBytes, bounds.totalBytes - bytes)
      const text = await textOf(answer.body, most, url, (more) => {
        bytes += more
      })
      return { status: answer.statusCode, text, retryMs: retryMsOf(answer.headers['retry-after']) }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SubnetError) throw error
      throw unreachable(url, deadline.signal.aborted ? deadline.signal.reason : error)
    }
  }
  return {
    url: base.href,
    get bytes() {
      return bytes
    },
    get: async (path, signal) => {
      const url = new URL(path, base)
      for (let tries = 1; ; tries += 1) {
        const { status, text, retryMs } = await once(url, signal)
        if (status === 200) return text
        if ((status !== 429 && status !== 503) || tries > bounds.patience) throw refused(url, status, text)
        await clock.sleep(retryMs, signal)
      }
    },
    close: () => agent.destroy(),
  }
}

function baseOf(text: string, privateAllowed: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.search !== '') throw badUrl(text, 'it is no plain http:// or https:// address')
  const refusal = refusalOfUrl(url, privateAllowed)
  if (refusal !== null) throw badUrl(text, refusal)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

async function textOf(
  body: AsyncIterable<Buffer>,
  most: number,
  url: URL,
  count: (bytes: number) => void,
): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    count(part.length)
    if (length > most) throw tooLarge(url, most)
    parts.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts))
  } catch (cause) {
    throw new SubnetError({
      code: 'AUDIT_HTTP',
      message: `${url.href} answered what is no UTF-8; it is no validator's log`,
      cause,
    })
  }
}

const badUrl = (url: string, why: string): SubnetError =>
  new SubnetError({
    code: 'AUDIT_URL',
    message: `the log at "${url}" is not asked: ${why}; name where it is served with --url`,
    details: { url },
  })

const refused = (url: URL, status: number, text: string): SubnetError =>
  new SubnetError({
    code: 'AUDIT_HTTP',
    message: `${url.href} answered with status ${status}${/^\{"code":"[A-Z_]{1,64}"/.test(text) ? ` ${text.slice(0, 200)}` : ''}; it is no validator's log, keeps that no more, or moved (redirects are not followed)`,
    details: { status },
    retryable: status === 429 || status >= 500,
  })

const tooLarge = (url: URL, most: number): SubnetError =>
  new SubnetError({
    code: 'AUDIT_TOO_LARGE',
    message: `${url.href} sent more than ${most} bytes; the audit ends there`,
    details: { most },
  })

const unreachable = (url: URL, cause: unknown): SubnetError => {
  const inner = cause instanceof Error && cause.cause instanceof SubnetError ? cause.cause : cause
  if (inner instanceof SubnetError) return inner
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return new SubnetError({
    code: 'AUDIT_UNREACHABLE',
    message: `the log at ${url.href} gave no whole answer: ${cause instanceof Error ? cause.message : String(cause)}${code}; try again, or name another place with --url`,
    cause,
    retryable: true,
  })
}
