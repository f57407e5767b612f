import { PING } from '@arbor/shared/bittensor/synapse'
import { SubnetError } from '@arbor/shared/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { z } from 'zod'
import { cutOff, fits } from '../http/server.ts'
import { type AxonAnswer, answerWhole, type NoJson, readQuestion } from './answer.ts'
import { createFailures } from './failures.ts'
import { type AxonAdmitted, type OpenDeps, openRequest } from './open.ts'
import { type AxonRefusal, notFound } from './refusal.ts'
import { type AxonStream, answerStream } from './stream.ts'
import type { AxonDeps, ServedSynapse } from './types.ts'

/** The ping: an object without fields of its own is sent back. */
const ping: ServedSynapse = {
  synapse: PING,
  request: z.object({}),
  maxRequestBytes: 0,
  maxResponseBytes: 0,
  deadlineMs: 12_000,
  answer: async () => ({ response: {} }),
}

/** What every request has beside its own fields; names, addresses, hashes and two signatures are under 2 KB. */
const OBJECT_BYTES = 4_096
/** Python writes é as \u00e9: six bytes for two, and for three at most. */
const ESCAPED = 3
const METHODS: readonly HTTPMethods[] = ['POST', 'GET']
const OTHER_METHODS: readonly HTTPMethods[] = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']

/**
 * Adds the routes of a Bittensor axon to an application: POST (and GET with a body) /<Synapse>, and /Synapse, the ping.
 * They bring their own body parser and errors, and leave those of the application alone.
 */
export const mountAxon = (app: FastifyInstance, of: AxonDeps): void => {
  const deps: OpenDeps = { ...of, failures: createFailures(of.clock) }
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true })
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.setErrorHandler((error, request, reply) => sendError(deps, error, request, reply))
    const all = of.served.some(({ synapse }) => synapse.name === PING.name) ? of.served : [ping, ...of.served]
    for (const served of all) serve(scope, deps, served)
    replyAtOnce(scope, METHODS, '/:name', (reply, request) =>
      isAsker(request) ? send(deps, reply, notFound(nameOf(request))) : reply.callNotFound(),
    )
    replyAtOnce(scope, METHODS, '/:name/*', (reply, request) =>
      isAsker(request) ? reply.code(404).send({ detail: 'Not Found' }) : reply.callNotFound(),
    )
  })
}

const nameOf = ({ params }: FastifyRequest): string =>
  typeof params === 'object' && params !== null && 'name' in params ? String(params.name) : ''

/** Whether a request speaks Bittensor's protocol; others get the application's own 404. */
const isAsker = ({ headers }: FastifyRequest): boolean =>
  'bt_header_dendrite_nonce' in headers || 'bt_header_dendrite_hotkey' in headers || 'computed_body_hash' in headers

const serve = (scope: FastifyInstance, deps: OpenDeps, served: ServedSynapse): void => {
  const { name } = served.synapse
  const admissions = new WeakMap<FastifyRequest, AxonAdmitted>()
  scope.route({
    method: [...METHODS],
    url: `/${name}`,
    exposeHeadRoute: false,
    bodyLimit: ESCAPED * served.maxRequestBytes + OBJECT_BYTES,
    onRequest: async (request, reply) => {
      const admitted = await open(deps, served, request, reply)
      if (admitted !== null) admissions.set(request, admitted)
    },
    handler: async (request, reply) => {
      const admitted = admissions.get(request)
      if (admitted === undefined) throw new Error('a request without its admission')
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      return send(deps, reply, await answer(deps, admitted, body))
    },
  })
  const refuseMethod = (reply: FastifyReply): FastifyReply =>
    reply.code(405).header('allow', 'POST, GET').send({ detail: 'Method Not Allowed' })
  const redirect = (reply: FastifyReply): FastifyReply => reply.code(307).header('location', `/${name}`).send()
  replyAtOnce(scope, OTHER_METHODS, `/${name}`, refuseMethod)
  replyAtOnce(scope, METHODS, `/${name}/`, redirect)
}

/** Adds a route whose answer needs no body, which then is not waited for. */
const replyAtOnce = (
  scope: FastifyInstance,
  method: readonly HTTPMethods[],
  url: string,
  answer: (reply: FastifyReply, request: FastifyRequest) => unknown,
): void => {
  scope.route({
    method: [...method],
    url,
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      reply.header('connection', 'close')
      await answer(reply, request)
      return reply
    },
    handler: async () => undefined,
  })
}

const answer = async (
  deps: OpenDeps,
  admitted: AxonAdmitted,
  body: Uint8Array,
): Promise<AxonAnswer | AxonStream | AxonRefusal | NoJson> => {
  const question = readQuestion(deps, admitted, body)
  if (question.kind !== 'question') {
    admitted.leave()
    return question
  }
  const refusal = await admitted.work()
  if (refusal !== null) return refusal
  const { synapse } = admitted.served
  return synapse.stream === null ? answerWhole(deps, admitted, question) : answerStream(deps, admitted, question)
}

/** Opens a request and ties its place and its time to the connection; null when it was refused, which is then answered. */
const open = async (
  deps: OpenDeps,
  served: ServedSynapse,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AxonAdmitted | null> => {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished)
      gone.abort(new SubnetError({ code: 'MINER_CALLER_GONE', message: 'The caller left' }))
  })
  const { rawHeaders, socket } = request.raw
  const contentType = request.headers['content-type'] ?? ''
  const bytes = Math.min(
    Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY),
    request.routeOptions.bodyLimit,
  )
  const head = { served, rawHeaders, contentType, bytes, remote: socket.remoteAddress ?? '' }
  const opened = await openRequest(deps, head, gone.signal)
  if (opened.kind === 'refused') {
    if (!fits(request)) reply.header('connection', 'close')
    await send(deps, reply, opened)
    return null
  }
  if (reply.raw.destroyed) opened.release()
  else reply.raw.once('close', opened.release)
  opened.signal.addEventListener('abort', () => {
    // A body that trickles in, and an answer that is read too slowly, hold a connection no longer than the deadline.
    if (!request.raw.complete) request.raw.destroy()
    else void cutOff(deps.clock, reply)
  })
  return opened
}

const send = (
  { log }: Pick<OpenDeps, 'log'>,
  reply: FastifyReply,
  answer: AxonAnswer | AxonStream | AxonRefusal | NoJson,
): FastifyReply => {
  if (answer.kind === 'no-json')
    return reply.code(422).send({ detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] })
  if (answer.kind === 'refused') {
    const { status, message, retryAfterS, why } = answer
    log.debug({ event: 'bittensor.refused', status, message, why }, 'request refused')
    if (retryAfterS !== null) reply.header('retry-after', String(retryAfterS))
    reply.header('bt_header_axon_status_code', String(status)).header('bt_header_axon_status_message', message)
    return reply.code(status).send({ message })
  }
  if (answer.kind === 'whole') reply.header('content-type', 'application/json')
  for (const [name, value] of answer.headers) reply.header(name, value)
  return reply.code(answer.kind === 'whole' ? answer.status : 200).send(answer.body)
}

const sendError = (deps: OpenDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return reply.code(413).send({ message: 'The body is too large' })
  if (code.startsWith('FST_ERR_CTP_')) return reply.code(400).send({ message: 'The body cannot be read' })
  const message = `Internal Server Error #${deps.randomUuid()}`
  deps.log.error(
    { event: 'bittensor.failed', error: String(error), number: message, path: request.url },
    'answering failed',
  )
  return reply.code(500).send({ message })
}
