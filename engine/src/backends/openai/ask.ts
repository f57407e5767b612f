import { startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import { readEvents } from './events.ts'
import { BOUNDS, type Server } from './server.ts'
import { cut, failedMidway, late, nonsense, refusal, unreachable } from './wire-errors.ts'

/** A JSON object as a server sent it. */
export type Received = Readonly<Record<string, unknown>>

interface Exchange {
  readonly server: Server
  readonly url: URL
  readonly signal: AbortSignal
  /** Ends the exchange, with why. */
  readonly stop: AbortController
}

/**
 * Asks a question whose answer comes in pieces, and yields them; who stops early hangs up, which stops the server's work.
 * @param of.maxBytes of the whole answer
 * @throws ENGINE_BACKEND_*; the signal's reason when it aborts
 */
export async function* ask(of: {
  readonly server: Server
  readonly url: URL
  readonly body: object
  readonly maxBytes: number
  readonly signal: AbortSignal
}): AsyncGenerator<Received> {
  const { server, url, signal, maxBytes } = of
  const exchange: Exchange = { server, url, signal, stop: new AbortController() }
  try {
    const response = await send(exchange, { method: 'POST', body: JSON.stringify(of.body) })
    const type = response.headers.get('content-type') ?? ''
    const chunks = readBody(exchange, response, maxBytes)
    if (/\bjson\b/i.test(type)) {
      yield checked(server, parse(server, await textOf(chunks)))
      return
    }
    for await (const data of readEvents(chunks, BOUNDS.event)) {
      if (data === null) throw nonsense(server, `sent a piece of more than ${BOUNDS.event} bytes`)
      if (data === '[DONE]') return
      yield checked(server, parse(server, data))
    }
  } finally {
    exchange.stop.abort()
  }
}

/** Fetches a JSON object. @throws what `ask` throws */
export const fetchJson = async (of: {
  readonly server: Server
  readonly url: URL
  readonly signal: AbortSignal
}): Promise<Received> => {
  const exchange: Exchange = { ...of, stop: new AbortController() }
  try {
    const response = await send(exchange, { method: 'GET' })
    return parse(of.server, await textOf(readBody(exchange, response, BOUNDS.list)))
  } finally {
    exchange.stop.abort()
  }
}

const send = async (
  exchange: Exchange,
  init: { readonly method: string; readonly body?: string },
): Promise<Response> => {
  const { server, url, stop } = exchange
  const headers = new Headers({ accept: 'text/event-stream, application/json' })
  if (init.body !== undefined) headers.set('content-type', 'application/json')
  if (server.key !== null) headers.set('authorization', `Bearer ${server.key}`)
  const request = { ...init, headers, signal: stop.signal, redirect: 'manual' } as const // no redirect takes the key elsewhere
  const response = await within(exchange, server.firstMs, 'answer', () => fetch(url, request))
  if (response.ok) return response
  const said = await textOf(readBody(exchange, response, BOUNDS.refusal)).catch(() => '')
  exchange.signal.throwIfAborted()
  throw refusal(server, response.status, said)
}

async function* readBody(exchange: Exchange, response: Response, maxBytes: number): AsyncGenerator<Uint8Array> {
  const { server } = exchange
  const reader = response.body?.getReader()
  if (reader === undefined) throw nonsense(server, 'gave an empty answer')
  for (let bytes = 0, pieces = 0; ; pieces++) {
    const ms = pieces === 0 ? server.firstMs : server.idleMs
    const { done, value } = await within(exchange, ms, 'more', () => reader.read())
    if (done) return
    bytes += value.length
    if (bytes > maxBytes) throw nonsense(server, `sent more than ${maxBytes} bytes`)
    yield value
  }
}

/** Waits for one step of the exchange: not longer than it may take, nor than the caller wants. */
const within = async <Result>(
  { server, signal, stop }: Exchange,
  ms: Ms,
  what: string,
  step: () => Promise<Result>,
): Promise<Result> => {
  using deadline = startDeadline({ clock: server.clock, ms, parent: signal, reason: () => late(server, what, ms) })
  const end = (): void => stop.abort(deadline.signal.reason)
  if (deadline.signal.aborted) end()
  deadline.signal.addEventListener('abort', end, { once: true })
  try {
    return await step()
  } catch (error) {
    if (deadline.signal.aborted) throw deadline.signal.reason
    if (error instanceof SubnetError) throw error
    throw what === 'answer' ? unreachable(server, error) : cut(server)
  } finally {
    deadline.signal.removeEventListener('abort', end)
  }
}

const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts).toString('utf8')
}

const parse = (server: Server, text: string): Received => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Received
  } catch {
    // told below
  }
  throw nonsense(server, 'sent what is no JSON object')
}

/** Some servers tell a failure in the stream, with status 200. */
const checked = (server: Server, event: Received): Received => {
  if (event.error !== undefined && event.error !== null) throw failedMidway(server, event)
  return event
}
