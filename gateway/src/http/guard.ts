import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerOf } from '../keys/key.ts'
import type { Caller, Entry, Limiter } from '../keys/limits.ts'
import type { KeyRing } from '../keys/ring.ts'
import { type ApiError, invalidRequest, shuttingDown, unauthorized } from '../openai/errors.ts'
import { refuse } from './app.ts'
import type { Connections } from './connections.ts'

/** A request that was let in. */
export interface Visit {
  readonly entry: Entry
  /** Aborts when the caller has gone, or the gateway stops. */
  readonly signal: AbortSignal
  /** Tokens of prompt and answer together, as far as it came; they count against the key. */
  usedTokens: number
}

/** Lets requests in: who has a key, within its limits, while the gateway serves. */
export interface Guard {
  /** Judges a request by its head. @returns null when it was refused, which is then answered */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<Visit | null>
  /** Tells why somebody may not look at what operators look at; null when they may. */
  operator(request: FastifyRequest): ApiError | null
}

/** Who needs no key has bounds all the same: those of the gateway. */
const ANYBODY: Caller = { id: '', limits: { concurrent: 4_096 } }
const LOOPBACK_NAME = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** @param of.keys null when nobody needs a key, which only a gateway on loopback allows */
export const createGuard = (of: {
  readonly keys: KeyRing | null
  readonly limiter: Limiter
  readonly connections: Connections
  /** Whether the gateway listens to this machine alone. */
  readonly isLoopback: boolean
  readonly isStopping: () => boolean
  readonly stop: AbortSignal
  readonly onRefused: (code: string) => void
}): Guard => {
  const identify = (request: FastifyRequest): Caller | ApiError => {
    if (of.keys === null) {
      // A page in a browser that made its own name mean this machine would show that name here.
      return LOOPBACK_NAME.test(request.headers.host ?? '') ? ANYBODY : otherHost
    }
    const key = bearerOf(request.headers.authorization)
    if (key === null) return unauthorized('missing_api_key')
    const entry = of.keys.find(key)
    return entry === null ? unauthorized('invalid_api_key') : { id: entry.id, limits: entry }
  }

  const admit: Guard['admit'] = async (request, reply) => {
    const caller = of.isStopping() ? shuttingDown : identify(request)
    const encoding = request.headers['content-encoding'] ?? 'identity'
    const error = 'status' in caller ? caller : encoding === 'identity' ? null : encoded
    if (error !== null || 'status' in caller) {
      if (error?.status === 401 && error.code !== null) of.onRefused(error.code)
      turnAway(request, reply, error ?? shuttingDown)
      return null
    }
    const admission = of.limiter.enter(caller)
    if (!admission.ok) {
      reply.headers(admission.headers)
      turnAway(request, reply, admission.error)
      return null
    }
    return begin(of, { request, reply, entry: admission.entry })
  }

  return {
    admit,
    operator: (request) => {
      if (of.isLoopback) return null
      const caller = identify(request)
      return 'status' in caller ? caller : null
    },
  }
}

/** Ties a request's place to its connection. */
const begin = (
  of: { readonly connections: Connections; readonly isStopping: () => boolean; readonly stop: AbortSignal },
  on: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly entry: Entry },
): Visit => {
  const { request, reply, entry } = on
  const { socket } = request.raw
  const gone = new AbortController()
  const visit: Visit = { entry, signal: AbortSignal.any([gone.signal, of.stop]), usedTokens: 0 }
  const end = (): void => {
    if (!reply.raw.writableFinished) gone.abort(CALLER_GONE)
    of.connections.release(socket)
    entry.leave(visit.usedTokens)
    if (of.isStopping()) socket.end() // else the stop would wait for a connection that waits for its next request
  }
  of.connections.keep(socket)
  if (reply.raw.destroyed) end()
  else reply.raw.once('close', end)
  return visit
}

/** Why work stops that nobody waits for any more; made once, for it takes a stack trace. */
export const CALLER_GONE = new Error('the caller has gone')

/** Refuses a request whose body is not read: on this connection nothing more is. */
const turnAway = (request: FastifyRequest, reply: FastifyReply, error: ApiError): void => {
  if (request.method !== 'GET') reply.header('connection', 'close')
  refuse(reply, error)
}

const encoded = invalidRequest({
  status: 415,
  message: 'Compressed bodies are not supported: send JSON as it is.',
  code: 'unsupported_content_encoding',
})
const otherHost = invalidRequest({
  status: 403,
  message:
    'This gateway asks for no key and so answers only under a name of this machine: localhost, 127.0.0.1 or [::1].',
  code: 'unknown_host',
})
