import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@arbor/shared/clock'
import { decodeFrame, encodeFrame, FRAME, type Frame, type FrameKind } from '@arbor/shared/dial/frame'
import { decodeHead, decodeHello, encodeRequestHead, encodeWelcome, type Hello } from '@arbor/shared/dial/messages'
import { DIAL_PROTOCOL, dialStatement } from '@arbor/shared/dial/statement'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { readCertificate } from '@arbor/shared/protocol/certificate'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import { type Block, type Ms, netUid } from '@arbor/shared/units'
import { afterAll } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ConnectionDeps } from '../../src/dial/connection.ts'
import { defaultDialLimits } from '../../src/dial/limits.ts'
import type { RequestHead, Service, StreamedAnswer, WholeAnswer } from '../../src/service/types.ts'

export const bob = keypairFromUri('//Bob')

const servers: WebSocketServer[] = []
afterAll(() => {
  for (const server of servers) {
    for (const socket of server.clients) socket.terminate()
    server.close()
  }
})

/** One miner's connection, seen from a relay that a test plays. */
export interface Seen {
  readonly socket: WebSocket
  /** Waits for the next frame of the miner. */
  next(): Promise<Frame>
  send(kind: FrameKind, id: number, payload?: Uint8Array): void
  /** Sends the challenge and reads the hello. @returns it, and whether it is proved for this relay's host */
  greet(): Promise<{ readonly hello: Hello; readonly isProved: boolean; readonly challenge: Uint8Array }>
  /** Greets and welcomes. */
  welcome(of?: { readonly windowBytes?: number; readonly relays?: boolean }): Promise<void>
  /** Sends a question. */
  ask(id: number, body?: Uint8Array): void
  readonly closed: Promise<number>
}

export interface PlayedRelay {
  readonly url: URL
  readonly host: string
  /** Waits for the next miner that dials. */
  dialled(): Promise<Seen>
  close(): void
}

/** Plays a relay on loopback. */
export const playRelay = async (
  of: { readonly autoPong?: boolean; readonly port?: number } = {},
): Promise<PlayedRelay> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: of.port ?? 0, handleProtocols: () => DIAL_PROTOCOL })
  servers.push(server)
  const seen: Seen[] = []
  const waiting: ((each: Seen) => void)[] = []
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  server.on('connection', (socket) => {
    const each = see(socket, host)
    const take = waiting.shift()
    if (take) take(each)
    else seen.push(each)
  })
  return {
    url: new URL(`ws://${host}`),
    host,
    dialled: () => {
      const first = seen.shift()
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first)
    },
    close: () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

const see = (socket: WebSocket, host: string): Seen => {
  const frames: Frame[] = []
  const waiting: ((frame: Frame) => void)[] = []
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => {
    const frame = decodeFrame(data)
    if (frame === null) throw new Error('the miner sent no frame')
    const take = waiting.shift()
    if (take) take(frame)
    else frames.push(frame)
  })
  const next = (): Promise<Frame> => {
    const first = frames.shift()
    return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first)
  }
  const send: Seen['send'] = (kind, id, payload = new Uint8Array(0)) => socket.send(encodeFrame({ kind, id, payload }))
  const greet: Seen['greet'] = async () => {
    const challenge = randomBytes(32)
    send(FRAME.challenge, 0, challenge)
    const hello = decodeHello((await next()).payload)
    const read = readCertificate(hello?.certificate ?? '')
    if (hello === null || !read.ok) throw new Error('the miner sent no hello')
    const isProved = hello.host === host && read.certificate.verify(dialStatement({ challenge, host }), hello.signature)
    return { hello, isProved, challenge }
  }
  return {
    socket,
    next,
    send,
    greet,
    welcome: async ({ windowBytes = 262_144, relays = true } = {}) => {
      await greet()
      send(FRAME.welcome, 0, encodeWelcome({ windowBytes, inFlight: 64, relays }))
    },
    ask: (id, body = Buffer.from('sealed')) =>
      send(
        FRAME.request,
        id,
        Buffer.concat([
          encodeRequestHead({
            method: 'POST',
            path: '/chat',
            envelope: 'cGF5.cHJvb2Y',
            certificate: null,
            asker: '192.0.2.7',
          }),
          body,
        ]),
      ),
    closed: new Promise((resolve) => socket.on('close', resolve)),
  }
}

/** Reads an answer: its head, and its bytes up to the end. */
export const readAnswer = async (seen: Seen, id: number) => {
  const first = await seen.next()
  const head = first.kind === FRAME.head && first.id === id ? decodeHead(first.payload) : null
  const pieces: Uint8Array[] = []
  for (let frame = await seen.next(); frame.kind !== FRAME.end; frame = await seen.next()) {
    if (frame.kind !== FRAME.body || frame.id !== id) throw new Error(`a frame of kind ${frame.kind} for ${frame.id}`)
    pieces.push(frame.payload)
  }
  return { head, body: Buffer.concat(pieces), pieces: pieces.length }
}

export const serveSession = (): Promise<Session> =>
  openSession({
    signer: bob,
    purpose: 'serve',
    genesisHash: new Uint8Array(32),
    netuid: netUid(1),
    registeredAt: 3 as Block,
    audience: null,
    issuedAt: systemClock.now(),
    randomBytes,
  })

/** A service that admits everything and answers as a test says. */
export const serviceOf = (
  answer: (body: Uint8Array, gone: AbortSignal) => Promise<WholeAnswer | StreamedAnswer>,
  heads: RequestHead[] = [],
): Service => ({
  open: async (head, gone) => {
    heads.push(head)
    const lengthAt = head.rawHeaders.indexOf('content-length') + 1
    const bodyLength = Number(head.rawHeaders[lengthAt])
    return { kind: 'admitted', admitted: { bodyLength, signal: gone, release: () => undefined } }
  },
  answer: (admitted, body) => answer(body, admitted.signal),
  certificateOf: () => null,
})

export const whole = (body: Uint8Array): WholeAnswer => ({
  kind: 'whole',
  head: {
    status: 200,
    contentType: 'application/arbor-sealed',
    envelope: 'cGF5.c2ln',
    certificate: null,
    retryAfterS: null,
  },
  body,
})

/** Sessions of which a test opens the next. */
export const sessionsOf = (first: Session) => {
  let session: Session | null = first
  const watchers = new Set<(next: Session) => void>()
  return {
    current: () => session,
    renew: (next: Session | null) => {
      session = next
      if (next !== null) for (const tell of watchers) tell(next)
    },
    async *renewals(signal: AbortSignal) {
      while (!signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<Session | null>()
        watchers.add(resolve)
        signal.addEventListener('abort', () => resolve(null), { once: true })
        const next = await promise
        watchers.delete(resolve)
        if (next !== null) yield next
      }
    },
  }
}

export const depsOf = async (of: Partial<ConnectionDeps> = {}): Promise<ConnectionDeps> => ({
  service: serviceOf(async (body) => whole(body)),
  sessions: sessionsOf(await serveSession()),
  bodyBytes: 100_000,
  limits: defaultDialLimits,
  clock: systemClock,
  log: createLogger({ name: 'test', level: 'silent' }),
  ...of,
})

export const pause = (ms: number): Promise<void> => systemClock.sleep(ms as Ms, new AbortController().signal)
