import type { Logger } from '@arbor/shared/log'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type ApiError, errorBody, internal, invalidRequest } from '../openai/errors.ts'
import { boundConnections, type Connections } from './connections.ts'

/** Bounds of a connection, whoever calls. */
export const HTTP = {
  /** A key, cookies of a proxy, and room for names that clients add. */
  headerBytes: 16_384,
  headersMs: 10_000,
  /** From the first byte of a request to the last of its body. */
  requestMs: 30_000,
  /** A connection that is kept open between requests. */
  keepAliveMs: 65_000,
  checkMs: 1_000,
  connections: 1_024,
}

/** Answers with a refusal in OpenAI's format. */
export const refuse = (reply: FastifyReply, error: ApiError): FastifyReply => {
  if (error.retryAfterS !== undefined) reply.header('retry-after', String(error.retryAfterS))
  // OpenAI's clients put requests again after 429, 500 and above, unless they are told that it is of no use.
  else if (error.status === 429) reply.header('x-should-retry', 'false')
  return reply.code(error.status).type('application/json; charset=utf-8').send(errorBody(error))
}

/** Builds an application with the bounds and errors that all routes share. */
export const createApp = (of: {
  readonly log: Logger
  readonly bodyBytes: number
  /** Longest time in which nothing need move on a connection. */
  readonly quietMs: number
  /** Bound of connections; that of HTTP when absent. */
  readonly connections?: number
  readonly requestId: () => string
  /** Which methods a known path has; null for an unknown one. */
  readonly methodOf: (path: string) => string | null
}): { readonly app: FastifyInstance; readonly connections: Connections } => {
  const app = fastify({
    logger: false,
    bodyLimit: of.bodyBytes,
    requestTimeout: HTTP.requestMs,
    connectionTimeout: of.quietMs,
    keepAliveTimeout: HTTP.keepAliveMs,
    http: {
      maxHeaderSize: HTTP.headerBytes,
      headersTimeout: HTTP.headersMs,
      connectionsCheckingInterval: HTTP.checkMs,
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    genReqId: of.requestId,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 256 },
    frameworkErrors: (_error, _request, reply) => refuse(reply, malformed),
    clientErrorHandler: (error, socket) => {
      const status = statusOfClientError(error.code)
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      else socket.destroy()
    },
  })
  const connections = boundConnections(app.server, of.connections ?? HTTP.connections)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.setNotFoundHandler((request, reply) => refuse(reply, notFound(request, of.methodOf)))
  app.setErrorHandler((error, request, reply) => {
    const known = httpErrorOf(error, of.bodyBytes)
    if (known === null)
      of.log.error(
        { event: 'gateway.failed', path: request.routeOptions.url, error: String(error) },
        'answering failed',
      )
    if (!request.raw.complete) reply.header('connection', 'close') // what is left of its body is not waited for
    return refuse(reply, known ?? internal)
  })
  return { app, connections }
}

const statusOfClientError = (code: string | undefined): string => {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
}

const malformed = invalidRequest({ message: 'The address of the request is malformed.' })

const notFound = ({ method, url }: FastifyRequest, methodOf: (path: string) => string | null): ApiError => {
  const path = url.split('?', 1)[0]?.slice(0, 200) ?? ''
  const due = methodOf(path)
  if (due === null)
    return invalidRequest({ status: 404, message: `Invalid URL (${method} ${path})`, code: 'unknown_url' })
  const message = `Not allowed to ${method} on ${path}; use ${due}.`
  return invalidRequest({ status: 405, message, code: 'method_not_supported' })
}

/** Finds what to tell a caller about an error of the server's; null for one of ours. */
const httpErrorOf = (error: unknown, bodyBytes: number): ApiError | null => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return invalidRequest({
      status: 413,
      message: `The body of the request is larger than ${bodyBytes} bytes.`,
      code: 'request_too_large',
    })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return invalidRequest({
      status: 415,
      message: "Unsupported content type: send JSON with the header 'Content-Type: application/json'.",
      code: 'unsupported_media_type',
    })
  if (code.startsWith('FST_ERR_CTP_') || code === 'ECONNRESET')
    return invalidRequest({ message: 'The body of the request is empty, or shorter than announced.' })
  return null
}
