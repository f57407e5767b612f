import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import type { WebSocket } from 'ws'
import type { Dispatcher } from './dispatch.ts'
import { RPC, RpcError } from './error.ts'
import type { RpcLimits } from './limits.ts'
import { errorText, NO_ID, readMessage } from './request.ts'
import { createSession } from './session.ts'

/** One client. */
export interface Connection {
  /** Sends a ping; drops the client when it did not answer the one before. */
  ping(): void
  /** Says goodbye, and hangs up when the client does not. */
  close(code: number, reason: string): void
}

/** @source RFC 6455 §7.4.1 */
export const CLOSE = { goingAway: 1001, policy: 1008 } as const

/** Answers a client's requests one after the other, in a turn of the event loop each, so that nobody starves the rest. */
export const serveConnection = (of: {
  readonly socket: WebSocket
  readonly dispatcher: Dispatcher
  readonly limits: RpcLimits
  readonly clock: Clock
  readonly log: Logger
  readonly onClose: () => void
}): Connection => {
  const { socket, dispatcher, limits, clock, log } = of
  const gone = new AbortController()
  const queue: string[] = []
  let busy = false
  let alive = true

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
    socket.send(text)
    if (socket.bufferedAmount > limits.bufferedBytes) drop()
  }

  const session = createSession({
    send,
    limit: limits.subscriptionsPerConnection,
    heldBytes: limits.bufferedBytes,
    overflow: drop,
  })

  const pump = async (): Promise<void> => {
    for (let text = queue[0]; text !== undefined && !gone.signal.aborted; text = queue[0]) {
      await turn()
      const answer = await dispatcher.handle(text, session)
      queue.shift()
      if (answer !== null) send(answer)
      session.flush()
      if (socket.bufferedAmount > limits.highWaterBytes) await drained(socket)
    }
  }

  const receive = (text: string): void => {
    if (queue.length >= limits.inFlight) {
      const data = `more than ${limits.inFlight} requests in flight on this connection`
      const refusal = new RpcError({ code: RPC.busy, message: 'Server is busy, try again later', data })
      const message = readMessage(text)
      send(errorText(message.kind === 'single' ? message.request.id : NO_ID, refusal))
      return
    }
    queue.push(text)
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

  socket.on('message', (data) => receive(data.toString()))
  socket.on('pong', () => {
    alive = true
  })
  socket.on('error', (error) => log.debug({ event: 'rpc.socket_error', message: error.message }))
  socket.on('close', () => {
    gone.abort()
    session.close()
    queue.length = 0
    of.onClose()
  })

  return {
    close,
    ping: () => {
      if (!alive) return socket.terminate()
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
