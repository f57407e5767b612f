import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from './dispatch.ts'
import { RPC, RpcError } from './error.ts'
import { isAllowedHost, isAllowedOrigin } from './origin.ts'
import { errorText, NO_ID } from './request.ts'
import type { SharedBounds } from './shared-bounds.ts'
import { decodeUtf8 } from './utf8.ts'

/** State of the process as a health check sees it. */
export interface Health {
  readonly healthy: boolean
  readonly details: Readonly<Record<string, unknown>>
}

export interface HttpDeps {
  readonly dispatcher: Dispatcher
  readonly health: () => Health
  readonly requestBytes: number
  readonly bounds: Pick<SharedBounds, 'receiving' | 'answered'>
  readonly origins: readonly string[]
  /** Where the server listens. */
  readonly host: string
  /** Requests of all callers that are answered at once. */
  readonly concurrent: number
}

/** Makes the handler of plain HTTP: JSON-RPC by POST, health by GET. */
export const createHttpHandler = (
  deps: HttpDeps,
): ((request: IncomingMessage, response: ServerResponse) => Promise<void>) => {
  let running = 0
  return async (request, response) => {
    const { origin, host } = request.headers
    if (!isAllowedHost({ host, listensOn: deps.host, extra: deps.origins })) {
      return reply(response, 403, { error: 'host not allowed' })
    }
    if (!isAllowedOrigin(origin, deps.origins)) return reply(response, 403, { error: 'origin not allowed' })
    if (origin !== undefined) allow(response, origin)
    if (running >= deps.concurrent) return reply(response, 503, { error: 'too many requests' })
    running += 1
    try {
      await route(deps, request, response)
    } finally {
      running -= 1
    }
  }
}

const route = async (deps: HttpDeps, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const path = (request.url ?? '/').split('?')[0]
  if (request.method === 'OPTIONS') return reply(response, 204, null)
  if (request.method === 'GET' && path === '/health') {
    const { healthy, details } = deps.health()
    return reply(response, healthy ? 200 : 503, details)
  }
  if (request.method !== 'POST') return reply(response, 405, { error: 'use POST, or GET /health' })
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    return reply(response, 415, { error: 'content-type must be application/json' })
  }
  let held = 0
  const fits = (bytes: number): boolean => {
    held += bytes
    return deps.bounds.receiving(bytes)
  }
  try {
    await answer(deps, response, await readBody(request, deps.requestBytes, fits))
  } finally {
    deps.bounds.answered(held)
  }
}

const answer = async (
  deps: HttpDeps,
  response: ServerResponse,
  body: Buffer | 'too big' | 'too much',
): Promise<void> => {
  if (!Buffer.isBuffer(body)) response.setHeader('connection', 'close')
  if (body === 'too much') return reply(response, 503, { error: 'too many requests' })
  if (body === 'too big') {
    const tooBig = new RpcError({ code: RPC.tooBig, message: 'Request is too big' })
    return send(response, 413, errorText(NO_ID, tooBig))
  }
  const text = await deps.dispatcher.handle(decodeUtf8(body) ?? '', null)
  if (text === null) return reply(response, 204, null)
  send(response, 200, text)
}

/** Reads a body; no more than the bound is ever held. @param fits tells whether all callers' bodies together still fit */
const readBody = async (
  request: IncomingMessage,
  bound: number,
  fits: (bytes: number) => boolean,
): Promise<Buffer | 'too big' | 'too much'> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > bound) return 'too big'
    if (!fits(chunk.length)) return 'too much'
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const allow = (response: ServerResponse, origin: string): void => {
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-headers', 'content-type')
  response.setHeader('access-control-allow-methods', 'POST, GET')
  response.setHeader('vary', 'origin')
}

const reply = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, body === null ? '' : JSON.stringify(body))

const send = (response: ServerResponse, status: number, text: string): void => {
  response.statusCode = status
  if (text !== '') response.setHeader('content-type', 'application/json')
  response.end(text)
}
