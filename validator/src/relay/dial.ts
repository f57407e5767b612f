import type { Clock } from '@arbor/shared/clock'
import { decodeFrame, encodeFrame, FRAME } from '@arbor/shared/dial/frame'
import { decodeHello, encodeWelcome, type Hello } from '@arbor/shared/dial/messages'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import type { WebSocket } from 'ws'
import type { RelayLimits } from './limits.ts'
import { openLink } from './link.ts'
import type { ProvedCertificate, Prover } from './proof.ts'
import type { DialRefusal } from './refusal.ts'
import type { Connected, Registry } from './registry.ts'

export interface DialDeps {
  readonly registry: Registry
  readonly prove: Prover
  readonly limits: RelayLimits
  /** Whether everybody may ask through this relay. */
  readonly relays: boolean
  readonly randomBytes: (length: number) => Uint8Array
  readonly clock: Clock
  readonly log: Logger
}

/** A socket that dialled. */
interface Dialler {
  readonly socket: WebSocket
  /** Its own address, and the names under which it may have dialled us. */
  readonly address: string
  readonly isOwnHost: (host: string) => boolean
  /** Called once: it has proved a hotkey, or is gone. */
  readonly onSettled: () => void
}

/** Lets a miner in that proves its hotkey in time; anybody else is told a code and hung up on. */
export const acceptDialler = (deps: DialDeps, dialler: Dialler): void => {
  const { clock, limits, log } = deps
  const { socket, address } = dialler
  const gone = new AbortController()
  const challenge = deps.randomBytes(32)
  let settled = false
  const settle = (): void => {
    if (settled) return
    settled = true
    dialler.onSettled()
  }

  const hangUp = (code: DialRefusal): void => {
    settle()
    log.info({ event: 'relay.refused', code, address }, 'a dialler was sent away')
    hangUpOn({ socket, code, clock, closeMs: limits.closeMs as Ms, gone: gone.signal })
  }

  const first = (data: Buffer, isBinary: boolean) => {
    socket.off('message', first)
    try {
      judge(data, isBinary)
    } catch (err) {
      log.error({ event: 'relay.fault', address, err }, 'a hello was not foreseen')
      hangUp('RELAY_HELLO')
    }
  }

  const judge = (data: Buffer, isBinary: boolean) => {
    const frame = isBinary ? decodeFrame(data) : null
    const hello = frame?.kind === FRAME.hello && frame.id === 0 ? decodeHello(frame.payload) : null
    if (hello === null) return hangUp('RELAY_HELLO')
    const proved = deps.prove({ hello, challenge, address, isOwnHost: dialler.isOwnHost })
    if (!proved.ok) return hangUp(proved.code)
    settle()
    enter(hello, proved.certificate)
  }

  const enter = (hello: Hello, certificate: ProvedCertificate) => {
    const { registry } = deps
    const { hotkey } = certificate
    if (registry.get(hotkey) === undefined && registry.size >= limits.miners) return hangUp('RELAY_FULL')
    const takes = { inFlight: hello.inFlight, bodyBytes: Math.min(hello.bodyBytes, limits.bodyBytes) }
    const link = openLink({
      socket,
      hotkey,
      limits,
      takes,
      hangUp: (code) => {
        registry.remove(link)
        hangUp(code)
      },
      onHello: (payload) => renew(entry, payload),
      onFault: (err) => log.error({ event: 'relay.fault', hotkey, err }, 'a message of a miner was not foreseen'),
      onClose: () => {
        registry.remove(link)
        log.info({ event: 'relay.left', hotkey, address, miners: registry.size }, 'a miner has left')
      },
    })
    const entry: Connected = { link, certificate }
    registry.put(entry)
    const inFlight = Math.min(limits.inFlightPerMiner, takes.inFlight)
    const payload = encodeWelcome({ windowBytes: limits.windowBytes, inFlight, relays: deps.relays })
    socket.send(encodeFrame({ kind: FRAME.welcome, id: 0, payload }))
    log.info({ event: 'relay.joined', hotkey, address, miners: registry.size }, 'a miner has joined')
  }

  /** Takes a newer certificate of the same hotkey; its proof is over this connection's challenge. */
  const renew = (entry: Connected, payload: Uint8Array) => {
    const hello = decodeHello(payload)
    if (hello === null) return entry.link.close('RELAY_HELLO')
    const proved = deps.prove({ hello, challenge, address, isOwnHost: dialler.isOwnHost })
    if (!proved.ok) return entry.link.close(proved.code)
    if (proved.certificate.hotkey !== entry.link.hotkey) return entry.link.close('RELAY_HELLO')
    entry.certificate = proved.certificate
  }

  socket.on('message', first)
  socket.on('error', (error) => log.debug({ event: 'relay.socket_error', address, message: error.message }))
  socket.on('close', () => {
    gone.abort()
    settle()
  })
  clock.sleep(limits.helloMs as Ms, gone.signal).then(
    () => {
      if (!settled) hangUp('RELAY_LATE')
    },
    () => undefined, // it closed in time
  )
  socket.send(encodeFrame({ kind: FRAME.challenge, id: 0, payload: challenge }))
}

/** Close code of a socket that is sent away. @source RFC 6455 §7.4.1 */
const POLICY = 1008

const hangUpOn = (of: {
  readonly socket: WebSocket
  readonly code: DialRefusal
  readonly clock: Clock
  readonly closeMs: Ms
  readonly gone: AbortSignal
}): void => {
  const { socket, code, clock } = of
  if (socket.readyState === socket.OPEN) {
    socket.send(encodeFrame({ kind: FRAME.refused, id: 0, payload: new TextEncoder().encode(code) }))
  }
  socket.close(POLICY, code)
  clock.sleep(of.closeMs, of.gone).then(
    () => socket.terminate(),
    () => undefined, // it closed in time
  )
}
