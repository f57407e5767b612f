import { encodeFrame, FRAME, type FrameKind, MAX_PIECE_BYTES } from '@arbor/shared/dial/frame'
import type { AnswerHead } from '@arbor/shared/dial/messages'
import { encodeHead } from '@arbor/shared/dial/messages'
import { SubnetError } from '@arbor/shared/errors'
import type { WebSocket } from 'ws'

/** Sends one answer piece by piece, no faster than its asker takes it. */
export interface Outgoing {
  /** Aborts when nobody waits any more. */
  readonly gone: AbortSignal
  head(head: AnswerHead): Promise<void>
  /** Resolves when the bytes have left. @throws the reason of `gone` */
  body(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
  /** Says that the answer breaks off. */
  breakOff(): void
  /** Lets so many bytes more be sent. */
  widen(bytes: number): void
  /** The relay cancelled, or is gone. */
  abort(): void
}

const NONE = new Uint8Array(0)

/** Sends a message. @returns when it has left; rejects when the socket is closed */
export const sendFrame = (
  socket: WebSocket,
  frame: { readonly kind: FrameKind; readonly id: number; readonly payload: Uint8Array },
): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(encodeFrame(frame), (error) => {
      if (error) reject(goneError())
      else resolve()
    })
  })

/** Opens the way of an answer back. @param of.windowBytes bytes that may be under way before `widen` */
export const openOutgoing = (of: {
  readonly socket: WebSocket
  readonly id: number
  readonly windowBytes: number
}): Outgoing => {
  const { socket, id } = of
  const stop = new AbortController()
  let window = of.windowBytes
  let wake: () => void = () => undefined
  stop.signal.addEventListener('abort', () => wake(), { once: true })

  const send = (kind: FrameKind, payload: Uint8Array): Promise<void> => {
    stop.signal.throwIfAborted()
    return sendFrame(socket, { kind, id, payload })
  }

  const room = async (): Promise<void> => {
    while (window === 0 && !stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  return {
    gone: stop.signal,
    head: (head) => send(FRAME.head, encodeHead(head)),
    body: async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        await room()
        const size = Math.min(MAX_PIECE_BYTES, window, bytes.length - at)
        window -= size
        await send(FRAME.body, bytes.subarray(at, at + size))
        at += size
      }
    },
    end: () => send(FRAME.end, NONE),
    breakOff: () => {
      if (!stop.signal.aborted) send(FRAME.cancel, NONE).catch(() => undefined) // the socket is closed: nobody is left to be told
    },
    widen: (bytes) => {
      window += bytes
      wake()
    },
    abort: () => stop.abort(goneError()),
  }
}

const goneError = (): SubnetError =>
  new SubnetError({ code: 'MINER_CALLER_GONE', message: 'Nobody waits for the answer any more' })
