import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AskerRefusal, isRetryable, refusalBody, statusOf } from './refusal.ts'

/** Bodies that are this short are read and dropped, so that the connection can be kept. */
const DROPPED_BYTES = 65_536

/** Answers with a code in a body of constant size. */
export const refuse = (request: IncomingMessage, response: ServerResponse, code: AskerRefusal): void => {
  if (response.headersSent || response.destroyed) return
  const body = refusalBody(code)
  const length = Number(request.headers['content-length'] ?? (request.headers['transfer-encoding'] ? Number.NaN : 0))
  const keep = request.complete || length <= DROPPED_BYTES
  request.removeAllListeners('data')
  if (keep) request.resume()
  response.writeHead(statusOf(code), {
    'content-type': 'application/json',
    'content-length': body.length,
    ...(isRetryable(code) ? { 'retry-after': '1' } : {}),
    ...(keep ? {} : { connection: 'close' }),
  })
  response.end(body)
}

/** Answers with text or JSON. */
export const reply = (response: ServerResponse, status: number, contentType: string, body: string): void => {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
