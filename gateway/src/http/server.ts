import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Hex, NetUid } from '@arbor/shared/units'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Asking } from '../asking.ts'
import type { Limiter } from '../keys/limits.ts'
import type { KeyRing } from '../keys/ring.ts'
import type { Metrics } from '../metrics.ts'
import { internal, unknownModel } from '../openai/errors.ts'
import type { Route } from '../openai/parameters.ts'
import { modelBody } from '../openai/write.ts'
import type { Questions } from '../question.ts'
import { answer } from './answer.ts'
import { createApp, refuse } from './app.ts'
import { createGuard, type Visit } from './guard.ts'

/** The model that the subnet serves, as callers see it. */
export interface ServedModel {
  readonly id: string
  readonly hash: Hex
  readonly netuid: NetUid
  /** Seconds since the Unix epoch; when the gateway began to serve it. */
  readonly created: number
}

export interface ServerDeps {
  readonly model: ServedModel
  readonly questions: Questions
  readonly asking: Asking
  /** null when nobody needs a key. */
  readonly keys: KeyRing | null
  readonly limiter: Limiter
  readonly isLoopback: boolean
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  readonly randomBytes: (length: number) => Uint8Array
  /** Whether questions can be answered now, and what stands in the way. */
  readonly readiness: () => { readonly ready: boolean; readonly [fact: string]: unknown }
  /** Longest time that a question may take, in which nothing need be sent. */
  readonly quietMs: number
  readonly isStopping: () => boolean
  /** Aborts when answers in flight are to be given up. */
  readonly stop: AbortSignal
  readonly connections?: number
}

/** A JSON text may write each byte of a question in six; and the rest of the body is small. */
const bodyBytesFor = (maxRequestBytes: number): number => 6 * maxRequestBytes + 16_384

const METHODS: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'POST',
  '/v1/completions': 'POST',
  '/v1/models': 'GET',
  '/livez': 'GET',
  '/readyz': 'GET',
  '/metrics': 'GET',
}

/** Builds the gateway's HTTP application, apart from the server that listens. */
export const createServer = (deps: ServerDeps): FastifyInstance => {
  const { clock, metrics, questions, model, randomBytes } = deps
  const { app, connections } = createApp({
    log: deps.log,
    bodyBytes: bodyBytesFor(questions.definition.maxRequestBytes),
    quietMs: deps.quietMs,
    requestId: () => `req_${Buffer.from(randomBytes(16)).toString('hex')}`,
    methodOf: (path) => (Object.hasOwn(METHODS, path) ? (METHODS[path] ?? null) : null),
    ...(deps.connections === undefined ? {} : { connections: deps.connections }),
  })
  const guard = createGuard({ ...deps, connections, onRefused: metrics.refused })
  app.addHook('onRequest', async (_request, reply) => {
    if (deps.isStopping()) reply.header('connection', 'close')
  })
  const visits = new WeakMap<FastifyRequest, Visit>()

  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const began = clock.monotonic()
    const { url = '' } = request.routeOptions
    reply.raw.once('close', () => metrics.request(url, reply.raw.statusCode, (clock.monotonic() - began) / 1_000))
    const visit = await guard.admit(request, reply)
    if (visit === null) return
    visits.set(request, visit)
    reply.headers(visit.entry.headers())
  }

  const serve = (route: Route, url: string): void => {
    app.post(url, { onRequest: admit }, async (request, reply) => {
      const visit = visits.get(request)
      if (visit === undefined) return refuse(reply, internal)
      return answer(deps, { route, request, reply, visit })
    })
  }
  serve('chat', '/v1/chat/completions')
  serve('completions', '/v1/completions')

  app.get('/v1/models', { onRequest: admit }, async () => ({ object: 'list', data: [modelBody(model)] }))
  app.get<{ Params: { '*': string } }>('/v1/models/*', { onRequest: admit }, async (request, reply) =>
    request.params['*'] === model.id ? modelBody(model) : refuse(reply, unknownModel(request.params['*'])),
  )
  app.get('/livez', async () => ({ live: true }))
  app.get('/readyz', async (_request, reply) => {
    const facts = deps.readiness()
    return reply.code(facts.ready ? 200 : 503).send(facts)
  })
  app.get('/metrics', async (request, reply) => {
    const error = guard.operator(request)
    if (error !== null) return refuse(reply, error)
    return reply.type(metrics.contentType).send(await metrics.text())
  })
  return app
}
