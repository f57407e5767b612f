import { createHash, randomBytes } from 'node:crypto'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { systemClock } from '@arbor/shared/clock'
import { decodeFrame, encodeFrame, FRAME, type Frame, type FrameKind } from '@arbor/shared/dial/frame'
import { type AnswerHead, decodeRequest, decodeWelcome, encodeHead, encodeHello } from '@arbor/shared/dial/messages'
import { DIAL_PATH, DIAL_PROTOCOL, dialStatement } from '@arbor/shared/dial/statement'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { requestBytes } from '@arbor/shared/protocol/request'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import { writeToken } from '@arbor/shared/protocol/token'
import { type Block, type Ms, netUid, type UnixMs } from '@arbor/shared/units'
import { afterAll } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import { defaultRelayLimits, type RelayLimits } from '../../src/relay/limits.ts'
import { type Relay, type RelayDeps, startRelay } from '../../src/relay/relay.ts'

export const genesisHash = new Uint8Array(32).fill(7)
export const netuid = netUid(1)
export const bob = keypairFromUri('//Bob')
export const eve = keypairFromUri('//Eve')
export const stranger = keypairFromUri('//Stranger')
export const registered = {
  block: 10 as Block,
  registeredAt: new Map([bob, eve].map((key) => [key.address, 3 as Block])),
}

const stop = new AbortController()
const relays: Relay[] = []
const sockets: WebSocket[] = []
afterAll(async () => {
  stop.abort()
  for (const socket of sockets) socket.terminate()
  await Promise.all(relays.map((relay) => relay.close()))
})

/** Lines that the relay logged. */
export interface TestRelay extends Relay {
  readonly log: readonly string[]
}

/** Starts a relay on loopback with bounds that a test can reach. */
export const testRelay = async (of: Partial<RelayLimits> = {}, deps: Partial<RelayDeps> = {}): Promise<TestRelay> => {
  const log: string[] = []
  const relay = await startRelay({
    place: { host: '127.0.0.1', port: 0 },
    names: [],
    isOpen: true,
    probes: true,
    genesisHash,
    netuid,
    self: new Uint8Array(32),
    registrations: registered,
    limits: { ...defaultRelayLimits, sweepMs: 20, closeMs: 100, ...of },
    randomBytes,
    clock: systemClock,
    log: createLogger({ name: 'relay', level: 'debug', destination: { write: (line) => void log.push(line) } }),
    ...deps,
  })
  relays.push(relay)
  relay.run(stop.signal).catch((error: unknown) => log.push(String(error)))
  return Object.assign(relay, { log })
}

/** Opens a serve session, by default a good one of Bob's. */
export const serveSession = (
  signer: Keypair = bob,
  of: Partial<{
    netuid: ReturnType<typeof netUid>
    registeredAt: Block
    genesisHash: Uint8Array
    lifetimeMs: Ms
    issuedAt: UnixMs
    purpose: 'ask' | 'serve'
  }> = {},
): Promise<Session> =>
  openSession({
    signer,
    purpose: 'serve',
    genesisHash,
    netuid,
    registeredAt: 3 as Block,
    audience: null,
    issuedAt: systemClock.now(),
    randomBytes,
    ...of,
  })

/** A socket that dialled, whose frames a test reads one by one. */
export interface TestDialler {
  readonly socket: WebSocket
  next(): Promise<Frame>
  send(kind: FrameKind, id: number, payload?: Uint8Array): void
  readonly closed: Promise<number>
}

export const dialSocket = async (port: number, path: string = DIAL_PATH, autoPong = true): Promise<TestDialler> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, DIAL_PROTOCOL, { autoPong })
  sockets.push(socket)
  const frames: Frame[] = []
  const waiting: ((frame: Frame) => void)[] = []
  socket.on('message', (data: RawData) => {
    const frame = decodeFrame(Buffer.isBuffer(data) ? data : Buffer.alloc(0))
    if (frame === null) throw new Error('the relay sent no frame')
    const take = waiting.shift()
    if (take) take(frame)
    else frames.push(frame)
  })
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  return {
    socket,
    next: () => {
      const frame = frames.shift()
      return frame === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(frame)
    },
    send: (kind, id, payload = new Uint8Array(0)) => socket.send(encodeFrame({ kind, id, payload })),
    closed,
  }
}

/** Writes the hello of a session. */
export const helloOf = (
  session: Session,
  of: {
    readonly challenge: Uint8Array
    readonly host: string
    readonly inFlight?: number
    readonly bodyBytes?: number
  },
): Uint8Array =>
  encodeHello({
    certificate: session.certificate.text,
    host: of.host,
    signature: session.sign(dialStatement(of)),
    inFlight: of.inFlight ?? 64,
    bodyBytes: of.bodyBytes ?? 1_048_576,
  })

/** Dials and proves itself. */
export const dialAs = async (
  port: number,
  session: Session,
  of: { readonly inFlight?: number; readonly bodyBytes?: number; readonly autoPong?: boolean } = {},
) => {
  const dialler = await dialSocket(port, DIAL_PATH, of.autoPong)
  const challenge = await dialler.next()
  dialler.send(FRAME.hello, 0, helloOf(session, { challenge: challenge.payload, host: `127.0.0.1:${port}`, ...of }))
  const { kind, payload } = await dialler.next()
  if (kind !== FRAME.welcome) throw new Error(`refused: ${Buffer.from(payload).toString()}`)
  return { ...dialler, challenge: challenge.payload, welcome: decodeWelcome(payload) }
}

/** Reads the next question. */
export const questionAt = async (dialler: TestDialler) => {
  const frame = await dialler.next()
  const request = frame.kind === FRAME.request ? decodeRequest(frame.payload) : null
  if (request === null) throw new Error(`a question was due, not a frame of kind ${frame.kind}`)
  return { id: frame.id, ...request }
}

export const headBytes = (of: Partial<AnswerHead> = {}): Uint8Array =>
  encodeHead({
    status: 200,
    contentType: 'application/arbor-sealed',
    envelope: null,
    certificate: null,
    retryAfterS: null,
    ...of,
  })

/** An envelope as a relay reads it; no relay can judge its proof. */
export const envelopeFor = (
  body: Uint8Array,
  of: {
    readonly receiver?: Keypair
    readonly contentType?: 'application/json' | 'application/arbor-sealed'
    readonly timeoutMs?: number
  } = {},
): string =>
  writeToken(
    requestBytes({
      session: randomBytes(16),
      with: randomBytes(16),
      counter: 1,
      receiver: (of.receiver ?? bob).publicKey,
      netuid,
      method: 'POST',
      path: '/chat',
      contentType: of.contentType ?? 'application/arbor-sealed',
      accept: 'whole',
      sentAt: systemClock.now(),
      timeoutMs: (of.timeoutMs ?? 10_000) as Ms,
      bodyLength: body.length,
      bodyHash: createHash('sha256').update(body).digest(),
    }),
    randomBytes(32),
  )

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Whether the body came to its proper end. */
  readonly whole: boolean
}

/** Starts a question over HTTP. */
export const startAsking = (
  port: number,
  of: {
    readonly body?: Uint8Array
    readonly envelope?: string
    readonly headers?: Record<string, string>
    readonly path?: string
    readonly method?: string
  } = {},
): { readonly request: ClientRequest; readonly head: Promise<IncomingMessage> } => {
  const body = of.body ?? Buffer.from('sealed')
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: of.path ?? '/chat',
    method: of.method ?? 'POST',
    agent: false,
    headers: {
      'content-length': String(body.length),
      'arbor-envelope': of.envelope ?? envelopeFor(body),
      ...of.headers,
    },
  })
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
  head.catch(() => undefined)
  request.end(body)
  return { request, head }
}

export const readReply = async (head: IncomingMessage): Promise<Reply> => {
  const pieces: Buffer[] = []
  const whole = await new Promise<boolean>((resolve) => {
    head.on('data', (piece: Buffer) => pieces.push(piece))
    head.on('error', () => undefined)
    head.on('close', () => resolve(head.complete))
    head.resume()
  })
  return { status: head.statusCode ?? 0, headers: head.headers, body: Buffer.concat(pieces), whole }
}

export const ask = async (port: number, of: Parameters<typeof startAsking>[1] = {}): Promise<Reply> =>
  readReply(await startAsking(port, of).head)

export const codeOf = ({ body }: Reply): unknown => JSON.parse(body.toString()).code

/** Waits until something holds. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await systemClock.sleep(5 as Ms, stop.signal)
}
