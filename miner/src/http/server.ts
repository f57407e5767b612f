import { Readable } from 'node:stream'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import { CERTIFICATE_HEADER, ENVELOPE_HEADER, SEAL_BYTES } from '@arbor/shared/protocol/limits'
import { refusalBody } from '@arbor/shared/protocol/refusal'
import type { Ms } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { codeOf, type RefusalCode, statusOf } from '../refusal.ts'
import type { Admitted, Service, StreamedAnswer, WholeAnswer } from '../service/types.ts'
import { type ConnectionLimits, LIMITS, limitConnections } from './limits.ts'

export interface ServerDeps {
  readonly service: Service
  readonly clock: Clock
  readonly spec: SubnetSpec
  readonly log: Logger
  /** Whether the miner serves and knows its subnet, for probes. */
  readonly health: () => { readonly ready: boolean; readonly uid: number | null; readonly block: number }
  /** Those of LIMITS when absent. */
  readonly connections?: ConnectionLimits
  /** Adds routes of another protocol, which share port, limits and error bodies. */
  readonly mount?: ((app: FastifyInstance) => void) | undefined
}

/**
 * Builds the miner's HTTP application: POST /<task> for askers, GET /.arbor/certificate/<hotkey> for their first contact,
 * GET /health for probes.
 */
export const createServer = (deps: ServerDeps): FastifyInstance => {
  const app = createApp(deps)
  app.get('/health', (_request, reply) => {
    const health = deps.health()
    return reply.code(health.ready ? 200 : 503).send(health)
  })
  app.get<{ Params: { hotkey: string } }>('/.arbor/certificate/:hotkey', (request, reply) => {
    const certificate = deps.service.certificateOf(request.params.hotkey)
    return certificate === null ? refuse(reply, 'MINER_NO_TASK') : reply.type('text/plain').send(certificate)
  })
  serveTasks(app, deps)
  deps.mount?.(app)
  return app
}

/** Builds an application with the bounds and errors that all routes share. */
export const createApp = ({
  spec,
  log,
  connections = LIMITS.connections,
}: Pick<ServerDeps, 'log' | 'connections'> & { readonly spec: Pick<SubnetSpec, 'tasks'> }): FastifyInstance => {
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    requestTimeout: LIMITS.requestMs,
    connectionTimeout: LIMITS.idleMs + Math.max(...Object.values(spec.tasks).map(({ deadlineMs }) => deadlineMs)),
    keepAliveTimeout: LIMITS.keepAliveMs,
    http: {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      connectionsCheckingInterval: LIMITS.checkMs,
    },
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 64 },
    frameworkErrors: (_error, _request, reply) => refuse(reply, 'MINER_BAD_HTTP'),
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    },
  })
  const bounds = limitConnections(app.server, connections)
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.sendDate = false // 37 bytes that nobody reads, in refusals that are to be small
    if (!request.is404) return
    // What nobody will read is not waited for, nor judged by its length.
    if (request.headers['content-length'] !== '0') reply.header('connection', 'close')
    return refuse(reply, 'MINER_NO_TASK')
  })
  // Who waits to be told to send its body is told so when it is admitted, not before.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response))
  app.addHook('preParsing', async (request, reply) => {
    if (!request.is404 && /^100-continue$/i.test(request.headers.expect ?? '')) reply.raw.writeContinue()
  })
  app.addHook('preHandler', async (request) => {
    // Whoever is not admitted has been refused by the hooks before.
    if (request.method === 'POST' && !request.is404) bounds.keep(request.raw.socket)
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => done(null, body))
  app.setNotFoundHandler((_request, reply) => refuse(reply, 'MINER_NO_TASK'))
  app.setErrorHandler((error, request, reply) => {
    const code = httpCodeOf(error)
    if (code === 'MINER_FAILED')
      log.error({ event: 'miner.failed', error: String(error), path: request.url }, 'answering failed')
    return refuse(reply, code)
  })
  return app
}

/** Adds the tasks: the head is judged before the body is asked for, and what the head was admitted with waits beside it. */
const serveTasks = (app: FastifyInstance, { service, spec, clock }: ServerDeps): void => {
  const admissions = new WeakMap<FastifyRequest, Admitted>()
  for (const [name, task] of Object.entries(spec.tasks)) {
    app.route({
      method: 'POST',
      url: `/${name}`,
      bodyLimit: task.maxRequestBytes + SEAL_BYTES,
      onRequest: async (request, reply) => {
        const admitted = await open({ service, clock }, request, reply)
        if (admitted !== null) admissions.set(request, admitted)
      },
      handler: async (request, reply) => {
        const admitted = admissions.get(request)
        if (admitted === undefined) return refuse(reply, 'MINER_FAILED')
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        return send(reply, await service.answer(admitted, body), clock)
      },
    })
  }
}

/** Opens a request and ties its place and its time to the connection; null when it was refused, which is then answered. */
const open = async (
  { service, clock }: Pick<ServerDeps, 'service' | 'clock'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Admitted | null> => {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished)
      gone.abort(new SubnetError({ code: 'MINER_CALLER_GONE', message: 'The caller left' }))
  })
  const { method = '', url = '', rawHeaders, socket } = request.raw
  const head = { method, path: url, rawHeaders, remote: socket.remoteAddress ?? '', sealedOnly: false }
  const opened = await service.open(head, gone.signal)
  if (opened.kind === 'refused') {
    if (!fits(request)) reply.header('connection', 'close')
    await send(reply, opened.answer, clock)
    return null
  }
  const { admitted } = opened
  if (reply.raw.destroyed) admitted.release()
  else reply.raw.once('close', admitted.release)
  admitted.signal.addEventListener('abort', () => {
    // A body that trickles in, and an answer that is read too slowly, hold a connection no longer than the deadline.
    if (!request.raw.complete) request.raw.destroy()
    else void cutOff(clock, reply)
  })
  return admitted
}

/** Whether what is left of the body is little enough to read and drop, so that the connection can be kept. */
export const fits = (request: FastifyRequest): boolean =>
  Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= request.routeOptions.bodyLimit

/** Closes the connection of an answer that is not read within the grace. */
export const cutOff = async (clock: Clock, reply: FastifyReply): Promise<void> => {
  await clock.sleep(LIMITS.lateGraceMs as Ms, new AbortController().signal)
  if (!reply.raw.writableFinished) reply.raw.destroy()
}

const send = (reply: FastifyReply, answer: WholeAnswer | StreamedAnswer, clock: Clock): FastifyReply => {
  const { status, contentType, envelope, certificate, retryAfterS } = answer.head
  if (envelope !== null) reply.header(ENVELOPE_HEADER, envelope)
  if (certificate !== null) reply.header(CERTIFICATE_HEADER, certificate)
  if (retryAfterS !== null) reply.header('retry-after', String(retryAfterS))
  // Who is refused for the time of its session, unproven, learns what time it is here.
  reply.raw.sendDate = status === 401 && envelope === null
  reply.code(status).type(contentType)
  if (answer.kind === 'stream') return reply.send(Readable.from(answer.frames, { objectMode: false }))
  const { body, bytesPerSecond } = answer
  if (bytesPerSecond === undefined) return reply.send(body)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return reply.send(Readable.from(drip({ body, bytesPerSecond, clock, signal: gone.signal }), { objectMode: false }))
}

/** Hands out a body second by second, until the signal aborts. */
async function* drip(of: {
  readonly body: Uint8Array
  readonly bytesPerSecond: number
  readonly clock: Clock
  readonly signal: AbortSignal
}): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < of.body.length && !of.signal.aborted; at += of.bytesPerSecond) {
    yield of.body.subarray(at, at + of.bytesPerSecond)
    await of.clock.sleep(1_000 as Ms, of.signal).catch(() => undefined)
  }
}

/** Answers with a code in a body of constant size. */
const refuse = (reply: FastifyReply, code: RefusalCode): FastifyReply =>
  reply.code(statusOf(code)).type('application/json').send(refusalBody(code))

/** Finds what to tell a caller about an error; fastify's own come with codes of theirs. */
const httpCodeOf = (error: unknown): RefusalCode => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'WIRE_TOO_LARGE'
  if (code === 'ECONNRESET') return 'MINER_LATE' // the caller left, or was cut off, before its body was all here: nobody's failure
  if (code.startsWith('FST_ERR_CTP_') || code === 'FST_ERR_BAD_URL') return 'MINER_BAD_HTTP'
  return codeOf(error)
}
