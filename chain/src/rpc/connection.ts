import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import type { RawData, WebSocket } from 'ws'
import type { Dispatcher } from './dispatch.ts'
import { RPC, RpcError } from './error.ts'
import { countIntake } from './intake.ts'
import type { RpcLimits } from './limits.ts'
import { errorText, NO_ID, readMessage } from './request.ts'
import { createSession } from './session.ts'
import type { SharedBounds } from './shared-bounds.ts'
import { decodeUtf8 } from './utf8.ts'

/** One client. */
export interface Connection {
  /** Sends a ping; drops the client when it did not answer the one before. */
  ping(): void
  /** Milliseconds since it said anything; null while it has subscriptions or waits for an answer. */
  idleMs(): number | null
  /** Says goodbye, and hangs up when the client does not. */
  close(code: number, reason: string): void
}

/** @source RFC 6455 §7.4.1; 1013 in the IANA registry of close codes */
export const CLOSE = { goingAway: 1001, policy: 1008, tryLater: 1013 } as const

/** Answers a client's requests one after the other, in a turn of the event loop each, so that nobody starves the rest. */
export const serveConnection = (of: {
  readonly socket: WebSocket
  /** What the socket reads from. */
  readonly stream: Duplex
  readonly dispatcher: Dispatcher
  readonly limits: RpcLimits
  readonly bounds: SharedBounds
  readonly clock: Clock
  readonly log: Logger
  readonly onClose: () => void
}): Connection => {
  const { socket, dispatcher, limits, bounds, clock, log } = of
  const gone = new AbortController()
  const queue: { readonly text: string; readonly bytes: number }[] = []
  const intake = countIntake(bounds)
  let queuedBytes = 0
  let busy = false
  let draining = false
  let alive = true
  let heardAt = clock.monotonic()

  const close: Connection['close'] = (code, reason) => {
    socket.close(code, reason)
    clock.sleep(limits.closeMs as Ms, gone.signal).then(
      () => socket.terminate(),
      () => undefined, // it closed in time
    )
  }

  const drop = (): void => {
    log.warn({ event: 'rpc.dropped', reason: 'slow consumer', bufferedBytes: socket.bufferedAmount })
    session.close()
    close(CLOSE.policy, 'too slow: unsent data exceeds the bound')
  }

  const send = (text: string): void => {
    if (socket.readyState !== socket.OPEN) return
    const fits = bounds.sending(text.length)
    socket.send(text, () => bounds.sent(text.length))
    const tooMuch = socket.bufferedAmount > limits.bufferedBytes
    if (tooMuch || (!fits && socket.bufferedAmount > limits.highWaterBytes)) drop()
  }

  const session = createSession({
    send,
    bounds,
    limit: limits.subscriptionsPerConnection,
    heldBytes: limits.bufferedBytes,
    overflow: drop,
  })

  const pump = async (): Promise<void> => {
    for (let next = queue[0]; next !== undefined && !gone.signal.aborted; next = queue[0]) {
      await turn()
      const answer = await dispatcher.handle(next.text, session)
      queue.shift()
      queuedBytes -= next.text.length
      intake.answered(next.bytes)
      if (answer !== null) send(answer)
      session.flush()
      draining = socket.bufferedAmount > limits.highWaterBytes
      if (draining) await drained(socket)
      draining = false
      if (socket.isPaused && queuedBytes <= limits.queuedBytes) socket.resume()
    }
  }

  const receive = (data: RawData): void => {
    heardAt = clock.monotonic()
    const text = decodeUtf8(data) ?? ''
    const bytes = Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength
    if (queue.length >= limits.inFlight) {
      intake.answered(bytes)
      send(refusalOf(text, limits.inFlight))
      return
    }
    queue.push({ text, bytes })
    queuedBytes += text.length
    if (queuedBytes > limits.queuedBytes) socket.pause() // the client's own TCP holds what it sends meanwhile
    if (busy) return
    busy = true
    pump()
      .catch((error: unknown) => {
        log.error({ event: 'rpc.connection_failed', err: error })
        socket.terminate()
      })
      .finally(() => {
        busy = false
      })
  }

  socket.on('message', receive)
  of.stream.on('data', (chunk: Buffer) => {
    if (intake.fits(chunk.length)) return
    log.warn({ event: 'rpc.dropped', reason: 'requests of all clients exceed the bound' })
    close(CLOSE.tryLater, 'the server holds as many requests as it can')
  })
  socket.on('pong', () => {
    alive = true
  })
  socket.on('error', (error) => log.debug({ event: 'rpc.socket_error', message: error.message }))
  socket.on('close', () => {
    gone.abort()
    session.close()
    queue.length = 0
    intake.end()
    of.onClose()
  })

  return {
    close,
    idleMs: () => (busy || session.size() > 0 ? null : clock.monotonic() - heardAt),
    ping: () => {
      if (socket.isPaused && !draining) return // we do not listen, so its answer cannot have come
      if (!alive) {
        log.info({ event: 'rpc.dropped', reason: 'no pong', bufferedBytes: socket.bufferedAmount })
        return socket.terminate()
      }
      alive = false
      if (socket.readyState === socket.OPEN) socket.ping()
    },
  }
}

/** Resolves when what is buffered now has left, or the socket is gone. */
const drained = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    socket.ping(undefined, undefined, () => resolve()) // frames leave in order, so a ping's turn comes after them
  })

/** Refuses a message unread, but for its id. */
const refusalOf = (text: string, inFlight: number): string => {
  const message = readMessage(text)
  const data = `more than ${inFlight} requests in flight on this connection`
  const refusal = new RpcError({ code: RPC.busy, message: 'Server is busy, try again later', data })
  return errorText(message.kind === 'single' ? message.request.id : NO_ID, refusal)
}
