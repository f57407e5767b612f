import type { Clock } from '@arbor/shared/clock'
import { decodeFrame, decodeWindow, encodeFrame, FRAME, FRAME_HEAD_BYTES, type Frame } from '@arbor/shared/dial/frame'
import {
  decodeRequest,
  decodeWelcome,
  encodeHello,
  REQUEST_HEAD_BYTES,
  type Welcome,
} from '@arbor/shared/dial/messages'
import { DIAL_PATH, DIAL_PROTOCOL, dialStatement, hostOf } from '@arbor/shared/dial/statement'
import type { Logger } from '@arbor/shared/log'
import type { Session } from '@arbor/shared/protocol/session'
import type { Ms } from '@arbor/shared/units'
import { WebSocket } from 'ws'
import type { Service } from '../service/types.ts'
import type { ServeSessions } from '../sessions.ts'
import { answerOver } from './answer.ts'
import type { DialLimits } from './limits.ts'
import { type Outgoing, openOutgoing } from './outgoing.ts'

/** Why a connection is over. */
export type Ended =
  /** The relay said a code. */
  | { readonly kind: 'refused'; readonly code: string }
  /** The socket, the network, or rules of the frames. */
  | { readonly kind: 'lost'; readonly why: string }

export interface ConnectionDeps {
  readonly service: Service
  readonly sessions: Pick<ServeSessions, 'current' | 'renewals'>
  /** Largest body of a question. */
  readonly bodyBytes: number
  readonly limits: DialLimits
  readonly clock: Clock
  readonly log: Logger
}

/** A relay that welcomed the miner. */
export interface Welcomed {
  /** Address that the socket is connected to. */
  readonly ip: string
  readonly welcome: Welcome
}

/** Dials once, serves what comes, and resolves when the connection is over, or the signal aborted and it was closed. */
export const holdConnection = (
  deps: ConnectionDeps,
  of: { readonly url: URL; readonly signal: AbortSignal; readonly onWelcome: (welcomed: Welcomed) => void },
): Promise<Ended> =>
  new Promise((resolve) => {
    const { service, sessions, bodyBytes, limits, clock, log } = deps
    const { url, signal } = of
    const host = hostOf(url)
    const socket = new WebSocket(new URL(DIAL_PATH, url), DIAL_PROTOCOL, {
      handshakeTimeout: limits.connectMs,
      maxPayload: bodyBytes + REQUEST_HEAD_BYTES + FRAME_HEAD_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    })
    const over = new AbortController()
    const running = new Map<number, Outgoing>()
    let ended: Ended | null = null
    let heardAt = clock.monotonic()
    let challenge: Uint8Array | null = null
    let welcome: Welcome | null = null
    let ip = ''
    let lastId = 0

    const finish = (why: Ended): void => {
      ended ??= why
      socket.terminate()
    }
    const lost = (why: string): void => finish({ kind: 'lost', why })

    /** Says who we are; again when there is a newer certificate. */
    const hello = (session: Session | null) => {
      if (session === null) return lost('the miner has no session')
      if (challenge === null || socket.readyState !== socket.OPEN) return
      const signature = session.sign(dialStatement({ challenge, host }))
      const certificate = session.certificate.text
      const payload = encodeHello({ certificate, host, signature, inFlight: limits.inFlight, bodyBytes })
      socket.send(encodeFrame({ kind: FRAME.hello, id: 0, payload }))
    }

    const start = (id: number, payload: Uint8Array, windowBytes: number) => {
      const request = decodeRequest(payload)
      if (request === null || id !== lastId + 1 || running.size >= limits.inFlight)
        return lost('the relay asked against the rules')
      lastId = id
      const outgoing = openOutgoing({ socket, id, windowBytes })
      running.set(id, outgoing)
      void answerOver({ service, request, relay: host, outgoing, log }).finally(() => running.delete(id))
    }

    const receive = ({ kind, id, payload }: Frame) => {
      if (kind === FRAME.refused) return finish({ kind: 'refused', code: codeOf(payload) })
      if (kind === FRAME.challenge && challenge === null && payload.length === 32) {
        challenge = Uint8Array.from(payload)
        return hello(sessions.current())
      }
      if (kind === FRAME.welcome && welcome === null && challenge !== null) {
        welcome = decodeWelcome(payload)
        return welcome === null ? lost('the relay sent no proper welcome') : of.onWelcome({ ip, welcome })
      }
      if (welcome === null) return lost('the relay sent what was not due')
      if (kind === FRAME.request) return start(id, payload, welcome.windowBytes)
      if (kind === FRAME.cancel && id <= lastId) return running.get(id)?.abort()
      const bytes = kind === FRAME.window && id <= lastId ? decodeWindow(payload) : null
      if (bytes === null) return lost('the relay sent what was not due')
      running.get(id)?.widen(bytes)
    }

    const renewals = async (): Promise<void> => {
      for await (const session of sessions.renewals(over.signal)) if (welcome !== null) hello(session)
    }
    const watch = async (): Promise<void> => {
      await clock.sleep(limits.welcomeMs as Ms, over.signal)
      if (welcome === null) return lost('no welcome in time')
      for (;;) {
        const left = heardAt + limits.silentMs - clock.monotonic()
        if (left <= 0) return lost('the relay is silent')
        await clock.sleep(left as Ms, over.signal)
      }
    }

    socket.on('upgrade', (response) => {
      ip = (response.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
    })
    socket.on('message', (data: Buffer, isBinary) => {
      heardAt = clock.monotonic()
      const frame = isBinary ? decodeFrame(data) : null
      if (ended !== null) return
      if (frame === null) lost('the relay sent no frame')
      else receive(frame)
    })
    socket.on('ping', () => {
      heardAt = clock.monotonic()
    })
    socket.on('open', () => {
      watch().catch(() => undefined) // it is over
      renewals().catch((error: unknown) => lost(String(error)))
    })
    socket.on('error', (error) => {
      ended ??= { kind: 'lost', why: error.message }
    })
    const stop = (): void => lost('the miner stops')
    socket.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      over.abort()
      for (const outgoing of running.values()) outgoing.abort()
      resolve(ended ?? { kind: 'lost', why: `closed with ${code}` })
    })
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })

const codeOf = (payload: Uint8Array): string => {
  const text = Buffer.from(payload.subarray(0, 64)).toString('latin1')
  return /^[A-Z_]+$/.test(text) ? text : 'unnamed'
}
