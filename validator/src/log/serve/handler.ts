import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import { callerOf } from '../../relay/address.ts'
import { createProofRate } from '../../relay/proof-rate.ts'
import { createFileSender, type FindFile } from './blobs.ts'
import { type Document, type Documents, type RefusalCode, refusal } from './documents.ts'
import type { ServeLimits } from './limits.ts'

/** Makes what answers requests: GET alone, at bounded rates, one at a time on a connection. */
export const createHandler = (of: {
  readonly documents: Documents
  /** Files of a training subnet; none where it is absent. */
  readonly files?: FindFile
  readonly limits: ServeLimits
  readonly clock: Clock
}): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const { documents, limits, clock, files = () => null } = of
  const each = createProofRate({ perSecond: limits.perSecond, burst: limits.burst, clock })
  const all = createProofRate({ perSecond: limits.perSecondOfAll, burst: limits.burstOfAll, clock, maxAddresses: 1 })
  const admit = (request: IncomingMessage): RefusalCode | null => {
    if (!each.take(callerOf(request.socket))) return 'LOG_RATE'
    if (!all.take('')) return 'LOG_BUSY'
    return request.method === 'GET' ? null : 'LOG_METHOD'
  }
  const busy = new WeakSet<Socket>()
  let waiting = 0
  const sender = createFileSender({ limits, clock })
  /** Sends a file where one is asked for. @returns whether it does, or why not */
  const sendFile = (request: IncomingMessage, response: ServerResponse, url: string): boolean | RefusalCode => {
    const [, name] = /^\/blobs\/(?:0x)?([0-9a-f]{64})$/.exec(url) ?? []
    const file = name === undefined ? null : files(name)
    if (name === undefined || file === null) return false
    if (!sender(request, response, { ...file, name })) return 'LOG_BUSY'
    busy.add(request.socket)
    response.once('close', () => busy.delete(request.socket))
    return true
  }
  return (request, response) => {
    const { socket } = request
    response.on('error', () => undefined) // the caller is gone
    // What is asked before the last answer was taken would pile up.
    if (busy.has(socket)) return void socket.destroy()
    const refused = admit(request)
    const sent = refused === null ? sendFile(request, response, request.url ?? '') : refused
    if (sent === true) return
    const found = sent === false ? answer(documents, limits, request.url ?? '') : refusal(sent)
    const document = waiting + found.body.length > limits.waitingBytes ? refusal('LOG_BUSY') : found
    const { length } = document.body
    const done = new AbortController()
    busy.add(socket)
    waiting += length
    response.once('close', () => {
      busy.delete(socket)
      waiting -= length
      done.abort()
    })
    clock.sleep(limits.answerMs as Ms, done.signal).then(
      () => socket.destroy(),
      () => undefined,
    )
    send(request, response, document)
  }
}

/** Finds what a path asks for. */
const answer = (documents: Documents, limits: ServeLimits, url: string): Document => {
  const [path = '', text = '', ...more] = url.split('?')
  const query = more.length > 0 ? null : readQuery(text)
  if (query === null) return refusal('LOG_BAD_QUERY')
  const asks = (...names: readonly string[]): boolean =>
    query.size === names.length && names.every((name) => query.has(name))
  const value = (name: string): number => query.get(name) ?? 0
  const count = query.get('count') ?? limits.pageEntries
  if (path === '/head') {
    if (asks()) return documents.head(null)
    return asks('size') ? documents.head(value('size')) : refusal('LOG_BAD_QUERY')
  }
  if (path === '/receipts') {
    if (count < 1) return refusal('LOG_BAD_QUERY')
    if (asks('from', 'count') || asks('from')) return documents.entries({ from: value('from'), count })
    if (asks('state', 'count') || asks('state')) return documents.entries({ from: { state: value('state') }, count })
    return refusal('LOG_BAD_QUERY')
  }
  if (path === '/proof') {
    if (asks('index', 'size')) return documents.inclusion(value('index'), value('size'))
    return asks('from', 'to') ? documents.consistency(value('from'), value('to')) : refusal('LOG_BAD_QUERY')
  }
  if (path === '/training') {
    if (asks()) return documents.training(null)
    return asks('from') ? documents.training(value('from')) : refusal('LOG_BAD_QUERY')
  }
  const [, id] = /^\/bodies\/([0-9a-f]{64})$/.exec(path) ?? []
  if (id === undefined) return refusal('LOG_NOT_FOUND')
  return asks() ? documents.body(id) : refusal('LOG_BAD_QUERY')
}

/** Reads whole numbers by name, each once; null for anything else. */
const readQuery = (text: string): ReadonlyMap<string, number> | null => {
  const query = new Map<string, number>()
  if (text === '') return query
  for (const part of text.split('&')) {
    const [, name, digits] = /^([a-z]{1,8})=(0|[1-9]\d{0,15})$/.exec(part) ?? []
    const value = Number(digits)
    if (name === undefined || query.has(name) || !Number.isSafeInteger(value)) return null
    query.set(name, value)
  }
  return query
}

/** Answers; what has not changed since the caller last heard of it is not sent again. */
const send = (request: IncomingMessage, response: ServerResponse, { status, body, lasts }: Document): void => {
  const tag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`
  const isKnown = status === 200 && request.headers['if-none-match'] === tag
  response.sendDate = false
  response.writeHead(isKnown ? 304 : status, {
    ...(status === 200
      ? { etag: tag, 'cache-control': lasts === 'fixed' ? 'public, max-age=31536000, immutable' : 'no-cache' }
      : { 'cache-control': 'no-store' }),
    ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}),
    ...(status === 405 ? { allow: 'GET' } : {}),
    ...(isKnown ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
    ...(request.method === 'GET' && request.headers['content-length'] === undefined ? {} : { connection: 'close' }),
  })
  response.end(isKnown || request.method === 'HEAD' ? undefined : body)
}
