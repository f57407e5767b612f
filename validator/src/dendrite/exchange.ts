import type { Clock } from '@arbor/shared/clock'
import { type Dispatcher, errors } from 'undici'
import type { Fault, SocketTiming } from './answer.ts'
import type { Connection } from './connections.ts'
import type { HttpHead, HttpRequest } from './http.ts'

type Spans = Pick<SocketTiming, 'firstByteMs' | 'totalMs'>

/** What came of one exchange on a connection. */
export type Exchanged =
  | ({ readonly ok: true; readonly body: Uint8Array; readonly timing: Spans } & HttpHead)
  | {
      readonly ok: false
      readonly reason: Fault
      readonly why: string
      readonly timing: Spans
      readonly stale: boolean
    }

/** Ends an exchange that we break off. */
class Broken extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault)
    this.fault = fault
  }
}

/**
 * Puts one request on a connection and reads the answer. Times are taken when the kernel has taken the request's last byte, and
 * when the parser meets the answer's first and last byte, in the same turn of the loop in which they were read.
 * @param of.signal bounds it; what has come by then decides between `timeout` and `trickle`
 */
export const exchange = (of: {
  readonly connection: Connection
  readonly request: HttpRequest
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<Exchanged> => {
  const { connection, request, clock, signal } = of
  const { client, socket } = connection
  const { promise, resolve } = Promise.withResolvers<Exchanged>()
  let [sentAt, firstAt, lastAt]: [number | null, number | null, number | null] = [null, null, null]
  let head: HttpHead | null = null
  let abort: ((error: Error) => void) | null = null
  const parts: Uint8Array[] = []
  let size = 0
  let news = 0

  const spans = (): Spans => {
    const from = sentAt ?? firstAt ?? lastAt ?? 0 // an answer may come before the request was wholly taken
    return { firstByteMs: Math.max(0, (firstAt ?? from) - from), totalMs: Math.max(0, (lastAt ?? from) - from) }
  }
  const fail = (error: Error): void => {
    signal.removeEventListener('abort', onAbort)
    lastAt = clock.monotonic()
    const reason = faultOf(error, { timedOut: signal.aborted, begun: firstAt !== null })
    const stale = connection.reused && firstAt === null && reason === 'early-close'
    resolve({ ok: false, reason, why: whyOf(error, reason), timing: spans(), stale })
  }
  const breakOff = (): void => {
    if (lastAt !== null) return
    const error = new Error('aborted')
    abort?.(error) // before the request is on the connection nothing has to be broken off
    fail(error)
  }
  // Timers come before sockets in a pass of the loop: after a late one, an answer that came in time may still be unread.
  const onAbort = (): void => void setImmediate(breakOff)

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (controller) => {
      abort = (error) => controller.abort(error)
      if (signal.aborted) controller.abort(new Error('aborted'))
    },
    onRequestSent: () => {
      const taken = (): void => {
        sentAt = clock.monotonic()
      }
      if (socket.writableLength === 0) taken()
      else socket.write('', taken) // called when all that is before it has been taken
    },
    onResponseStarted: () => {
      firstAt ??= clock.monotonic()
    },
    onResponseStart: (controller, status, headers) => {
      if (status < 200) {
        firstAt = null // news ahead of an answer are none
        news += 1
        if (news > MAX_NEWS) throw new Broken('oversized')
        return
      }
      head = { status, headers, rawHeaders: rawOf(controller.rawHeaders) }
      const fault = headFault(head, request) ?? request.onHead?.(head) ?? null
      if (fault !== null) throw new Broken(fault)
    },
    onResponseData: (_, chunk) => {
      size += chunk.length
      if (size > request.maxBytes) throw new Broken('oversized')
      if (request.onChunk === undefined) return void parts.push(chunk)
      const fault = request.onChunk(chunk)
      if (fault !== null) throw new Broken(fault)
    },
    onResponseEnd: () => {
      signal.removeEventListener('abort', onAbort)
      lastAt = clock.monotonic()
      if (head === null) return fail(new Broken('no-http'))
      resolve({ ok: true, ...head, body: joined(parts), timing: spans() })
    },
    onResponseError: (_, error) => fail(error),
  }

  if (signal.aborted) breakOff()
  else {
    signal.addEventListener('abort', onAbort, { once: true })
    const { path, method, headers, body } = request
    client.dispatch({ path, method, headers: { ...headers }, body }, handler)
  }
  return promise
}

/** Informational responses (1xx) that an answer may have ahead of it; without a bound they would cost us time, and excuse a late answer by it. */
const MAX_NEWS = 16

/** What is wrong already by the head: no redirect is followed, nothing is inflated, nothing announced too large is read. */
function headFault({ status, headers }: HttpHead, { encodings = [], maxBytes }: HttpRequest): Fault | null {
  if (status >= 300 && status < 400) return 'redirect'
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity' && !encodings.includes(encoding)) return 'compressed'
  return Number(headers['content-length'] ?? 0) > maxBytes ? 'oversized' : null
}

/** Sorts what undici reports. */
function faultOf(error: Error, { timedOut, begun }: { readonly timedOut: boolean; readonly begun: boolean }): Fault {
  if (error instanceof Broken) return error.fault
  if (timedOut) return begun ? 'trickle' : 'timeout'
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') return 'oversized'
  if (code === 'HPE_INVALID_EOF_STATE' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'early-close'
  if (error instanceof errors.HTTPParserError || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'no-http'
  if (error.message === 'bad response' || error.message === 'bad upgrade') return 'no-http'
  return 'early-close'
}

const WHY: Partial<Record<Fault, string>> = {
  timeout: 'no byte of an answer came in time',
  trickle: 'the answer had begun and was not whole in time',
  'early-close': 'the connection was closed before the answer was whole',
  'no-http': 'what came is no HTTP',
  redirect: 'redirects are not followed',
  compressed: 'the answer has a content encoding that nobody asked for',
  oversized: 'the answer is larger than the task allows',
}

const whyOf = (error: Error, reason: Fault): string => {
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `${WHY[reason] ?? reason}${code}`
}

/** undici gives names and values as bytes, latin-1. */
const rawOf = (raw: unknown): readonly string[] =>
  Array.isArray(raw) ? raw.map((part: unknown) => (Buffer.isBuffer(part) ? part.toString('latin1') : String(part))) : []

/** Joins in memory of its own, so that it can be handed to another thread. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
