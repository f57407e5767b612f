import type { Server } from 'node:http'
import { type Deadline, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Keypair } from '@arbor/shared/keypair'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import { type Envelope, requestHash } from '@arbor/shared/wire/envelope'
import { refusalBody } from '@arbor/shared/wire/refusal'
import { checkBody } from '@arbor/shared/wire/request'
import { signResponse } from '@arbor/shared/wire/response'
import type { SubnetSpec, TaskDefinition } from '@arbor/subnet-spec/define'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type AdmissionDeps, admit } from './admission.ts'
import { isRetryable, type RefusalCode, statusOf } from './refusal.ts'

export interface ServerDeps extends AdmissionDeps {
  readonly hotkey: Keypair
  readonly spec: SubnetSpec
  readonly log: Logger
  /** Answers a parsed request; rejects when the signal aborts. */
  readonly solve: (of: {
    readonly task: string
    readonly request: unknown
    readonly signal: AbortSignal
  }) => Promise<unknown>
  /** Whether the miner serves and knows its subnet, for probes. */
  readonly health: () => { readonly ready: boolean; readonly uid: number | null; readonly block: number }
}

/** Bounds of a connection, whoever calls. */
const LIMITS = {
  /** The envelope is under 1 KB; proxies add some. */
  headerBytes: 16_384,
  headersMs: 5_000,
  /** A request must be here as a whole by then; longer than any task's deadline may be. */
  requestMs: 65_000,
  /** A socket on which nothing moves is closed that long after the longest deadline. */
  idleMs: 5_000,
  checkMs: 1_000,
  keepAliveMs: 30_000,
  connections: 1_024,
  /** Several validators may share an address; one address may not take all connections. */
  connectionsPerAddress: 128,
} as const

/** Closes connections of an address that has too many. */
const limitPerAddress = (server: Server, most: number): void => {
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
    if (count > most) socket.destroy()
  })
}

/** What admission leaves for the handler. */
interface Accepted {
  readonly envelope: Envelope
  readonly deadline: Deadline
  readonly startedAt: number
}

/** Builds the miner's HTTP application: POST /<task> for validators, GET /health for probes, nothing else. */
export const createServer = (deps: ServerDeps): FastifyInstance => {
  const accepted = new WeakMap<FastifyRequest, Accepted>()
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    requestTimeout: LIMITS.requestMs,
    connectionTimeout: LIMITS.idleMs + Math.max(...Object.values(deps.spec.tasks).map(({ deadlineMs }) => deadlineMs)),
    keepAliveTimeout: LIMITS.keepAliveMs,
    http: {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      connectionsCheckingInterval: LIMITS.checkMs,
    },
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 32 },
    frameworkErrors: (_error, _request, reply) => refuse(reply, 'MINER_BAD_HTTP'),
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    },
  })
  app.server.maxConnections = LIMITS.connections
  limitPerAddress(app.server, LIMITS.connectionsPerAddress)
  app.addHook('onRequest', async (request, reply) => {
    // What nobody will read is not waited for.
    if (request.is404 && request.headers['content-length'] !== '0') reply.header('connection', 'close')
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => done(null, body))
  app.setNotFoundHandler((_request, reply) => refuse(reply, 'MINER_NO_TASK'))
  app.setErrorHandler((error, request, reply) => {
    const code = codeOf(error)
    if (code === 'MINER_FAILED')
      deps.log.error({ event: 'miner.failed', error: String(error), path: request.url }, 'answering failed')
    return refuse(reply, code)
  })
  app.get('/health', (_request, reply) => {
    const health = deps.health()
    return reply.code(health.ready ? 200 : 503).send(health)
  })
  for (const [name, task] of Object.entries(deps.spec.tasks)) {
    app.route({
      method: 'POST',
      url: `/${name}`,
      bodyLimit: task.maxRequestBytes,
      onRequest: async (request, reply) => {
        const result = await accept(deps, { task, request, reply })
        if (result !== null) accepted.set(request, result)
      },
      handler: (request, reply) => {
        const entry = accepted.get(request)
        return entry === undefined ? refuse(reply, 'MINER_FAILED') : answer(deps, { name, task, request, reply, entry })
      },
    })
  }
  return app
}

/** Admits a request and ties its place and its deadline to the connection; null when it was refused, which is then answered. */
const accept = async (
  deps: ServerDeps,
  of: { readonly task: TaskDefinition; readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<Accepted | null> => {
  const { task, request, reply } = of
  const startedAt = deps.clock.monotonic()
  const gone = new AbortController()
  const asked = Number(request.headers['arbor-timeout']) // verified below; here it can only shorten the wait
  const ms = Math.min(task.deadlineMs, asked > 0 ? asked : task.deadlineMs) as Ms
  const deadline = startDeadline({ clock: deps.clock, ms, parent: gone.signal, reason: late })
  reply.raw.once('close', () => {
    gone.abort(new SubnetError({ code: 'MINER_CALLER_GONE', message: 'The caller closed the connection' }))
    deadline[Symbol.dispose]()
  })
  deadline.signal.addEventListener('abort', () => {
    if (!request.raw.complete) request.raw.destroy() // a body that trickles in holds a place no longer than the deadline
  })
  const result = await admit(deps, { head: request.raw, task, signal: deadline.signal })
  if (result.ok) {
    if (reply.raw.destroyed) result.release()
    else reply.raw.once('close', result.release)
    return { envelope: result.envelope, deadline, startedAt }
  }
  deps.log.debug({ event: 'miner.refused', code: result.code, caller: result.caller }, 'request refused')
  const unread = result.code === 'WIRE_TOO_LARGE' || result.code === 'WIRE_LENGTH' || !fits(request, task)
  if (unread) reply.header('connection', 'close')
  await refuse(reply, result.code)
  return null
}

/** Whether what is left of the body is little enough to read and drop, so that the connection can be kept. */
const fits = (request: FastifyRequest, task: TaskDefinition): boolean =>
  Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= task.maxRequestBytes

/** Checks and parses the body, solves, and signs. */
const answer = async (
  deps: ServerDeps,
  of: {
    readonly name: string
    readonly task: TaskDefinition
    readonly request: FastifyRequest
    readonly reply: FastifyReply
    readonly entry: Accepted
  },
): Promise<FastifyReply> => {
  const { name, task, request, reply } = of
  const { envelope, deadline, startedAt } = of.entry
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const intact = checkBody(envelope, body)
  if (!intact.ok) return refuse(reply, intact.code)
  const parsed = parse(task, body)
  if (parsed === null) return refuse(reply, 'MINER_BAD_REQUEST')
  const response = await deps.solve({ task: name, request: parsed.request, signal: deadline.signal })
  const bytes = Buffer.from(JSON.stringify(response))
  const signed = signResponse({
    signer: deps.hotkey,
    receiver: envelope.sender,
    requestHash: requestHash(envelope),
    status: 200,
    body: bytes,
  })
  const ms = Math.round(deps.clock.monotonic() - startedAt)
  deps.log.info(
    { event: 'miner.answered', task: name, caller: envelope.sender, ms, bytes: bytes.length },
    'request answered',
  )
  return reply.code(200).headers(signed).type('application/json').send(bytes)
}

const parse = (task: TaskDefinition, body: Buffer): { readonly request: unknown } | null => {
  try {
    const parsed = task.request.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)))
    return parsed.success ? { request: parsed.data } : null
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null // no JSON, no UTF-8
    throw error
  }
}

/** Answers with a code in a body of constant size. */
const refuse = (reply: FastifyReply, code: RefusalCode): FastifyReply => {
  if (isRetryable(code)) reply.header('retry-after', '1')
  return reply.code(statusOf(code)).type('application/json').send(refusalBody(code))
}

const late = (): SubnetError =>
  new SubnetError({ code: 'MINER_LATE', message: 'The deadline of the request passed', retryable: true })

/** Finds what to tell a caller about an error; fastify's own come with codes of theirs. */
const codeOf = (error: unknown): RefusalCode => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'WIRE_TOO_LARGE'
  if (code.startsWith('FST_ERR_CTP_') || code === 'FST_ERR_BAD_URL') return 'MINER_BAD_HTTP'
  if (code === 'MINER_LATE' || code === 'MINER_CALLER_GONE' || code === 'ENGINE_ABORTED') return 'MINER_LATE'
  if (code === 'ENGINE_BUSY' || code === 'ENGINE_CRASHED' || code === 'ENGINE_CLOSED') return 'MINER_BUSY'
  if (code === 'ENGINE_PROMPT_TOO_LONG' || code === 'ENGINE_REQUEST_INVALID') return 'MINER_BAD_REQUEST'
  return 'MINER_FAILED'
}
