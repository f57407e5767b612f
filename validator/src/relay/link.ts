import {
  decodeFrame,
  encodeFrame,
  encodeWindow,
  FRAME,
  type Frame,
  type FrameKind,
  joinFrame,
} from '@arbor/shared/dial/frame'
import { type AnswerHead, type DialRequestHead, decodeHead, encodeRequestHead } from '@arbor/shared/dial/messages'
import type { Ss58 } from '@arbor/shared/units'
import type { WebSocket } from 'ws'
import type { RelayLimits } from './limits.ts'
import type { AskerRefusal, DialRefusal } from './refusal.ts'

/** Takes one answer: the head, its pieces, and the end or a failure; nothing comes after those. */
export interface AnswerSink {
  onHead(head: AnswerHead): void
  onPiece(piece: Uint8Array): void
  onEnd(): void
  onFail(code: AskerRefusal): void
}

/** A question that a miner is at. */
export interface Question {
  /** Lets the miner send so many bytes more, since the asker has taken them. */
  grant(bytes: number): void
  /** Tells the miner that nobody waits any more; the sink hears nothing further. */
  cancel(): void
}

/** A connection to a miner that has proved its hotkey. */
export interface Link {
  readonly hotkey: Ss58
  readonly inFlight: number
  /** Sends a question. @returns why not, if not; `sent` is called when its bytes have left, or never will */
  ask(of: {
    readonly request: DialRequestHead
    /** Its body, in parts. */
    readonly body: readonly Uint8Array[]
    readonly sink: AnswerSink
    readonly sent: () => void
  }): Question | AskerRefusal
  /** Sends a ping; drops the miner when nothing came from it since the one before. */
  ping(): void
  /** Says why and hangs up; all its questions fail. */
  close(code: DialRefusal): void
}

interface Pending {
  readonly sink: AnswerSink
  hasHead: boolean
  /** Bytes that the miner may send now. */
  window: number
  /** Bytes taken by the asker that the miner was not told of yet. */
  owed: number
  /** Bytes of the answer, a piece counting at least LEAST_PIECE_BYTES. */
  answered: number
}

/** A piece counts as so many bytes at least, so that an answer in single bytes ends as well. */
const LEAST_PIECE_BYTES = 64
/** Messages that may be under way for a question when its miner hears that it was cancelled, besides its window. */
const STRAY_BYTES = 4_096
/** Ids are u32. */
const LAST_ID = 0xffff_ffff
const NONE = new Uint8Array(0)

/** Carries questions over a proved connection, many at once; a miner that breaks the rules of the frames is sent away. */
export const openLink = (of: {
  readonly socket: WebSocket
  readonly hotkey: Ss58
  readonly limits: RelayLimits
  /** Questions that this miner takes at once, and their largest body. */
  readonly takes: { readonly inFlight: number; readonly bodyBytes: number }
  readonly hangUp: (code: DialRefusal) => void
  /** Takes a hello that the miner sends again with a new certificate. */
  readonly onHello: (payload: Uint8Array) => void
  readonly onClose: () => void
  /** Hears of a fault of ours that a message brought to light. */
  readonly onFault: (error: unknown) => void
}): Link => {
  const { socket, hotkey, limits, takes } = of
  const pending = new Map<number, Pending>()
  const most = Math.min(limits.inFlightPerMiner, takes.inFlight)
  let lastId = 0
  let stray = 0
  let alive = true
  /** Unsent bytes at the last ping, and whether some have left since: then the ping may wait in line behind them. */
  let unsent = 0
  let moved = false
  let pings = 0
  let closed = false

  const send = (kind: FrameKind, id: number, payload: Uint8Array): void => {
    if (socket.readyState === socket.OPEN) socket.send(encodeFrame({ kind, id, payload }))
  }

  const close = (code: DialRefusal): void => {
    if (closed) return
    closed = true
    of.hangUp(code)
    end()
  }

  const end = (): void => {
    closed = true
    const lost = [...pending.values()]
    pending.clear()
    for (const { sink } of lost) sink.onFail('RELAY_MINER_GONE')
  }

  /** Takes a question off; the miner hears of it when its answer is still due. */
  const drop = (id: number, entry: Pending, tell: boolean): void => {
    if (pending.get(id) !== entry) return
    pending.delete(id)
    if (!tell) return
    stray += entry.window + STRAY_BYTES
    send(FRAME.cancel, id, NONE)
  }

  const fail = (id: number, entry: Pending, code: AskerRefusal): void => {
    drop(id, entry, true)
    entry.sink.onFail(code)
  }

  const receive = (frame: Frame) => {
    if (frame.kind === FRAME.hello && frame.id === 0) return of.onHello(frame.payload)
    const entry = pending.get(frame.id)
    if (entry !== undefined) return answer(frame, entry)
    stray -= frame.payload.length + LEAST_PIECE_BYTES
    const known = frame.id > 0 && frame.id <= lastId
    if (!known || stray < 0) close('RELAY_PROTOCOL')
  }

  const answer = ({ kind, id, payload }: Frame, entry: Pending) => {
    if (kind === FRAME.head) return takeHead(id, entry, payload)
    if (kind === FRAME.cancel) {
      drop(id, entry, false)
      return entry.sink.onFail('RELAY_MINER_GONE')
    }
    if (!entry.hasHead) return close('RELAY_PROTOCOL')
    if (kind === FRAME.end && payload.length === 0) {
      drop(id, entry, false)
      return entry.sink.onEnd()
    }
    if (kind !== FRAME.body || payload.length === 0 || payload.length > entry.window) return close('RELAY_PROTOCOL')
    entry.window -= payload.length
    entry.answered += Math.max(payload.length, LEAST_PIECE_BYTES)
    if (entry.answered > limits.answerBytes) return fail(id, entry, 'RELAY_BAD_ANSWER')
    entry.sink.onPiece(payload)
  }

  const takeHead = (id: number, entry: Pending, payload: Uint8Array) => {
    const head = entry.hasHead ? null : decodeHead(payload)
    if (head === null) return fail(id, entry, 'RELAY_BAD_ANSWER')
    entry.hasHead = true
    entry.sink.onHead(head)
  }

  const grant = (id: number, entry: Pending, bytes: number): void => {
    entry.owed += bytes
    if (pending.get(id) !== entry || entry.owed < limits.windowBytes / 4) return
    entry.window += entry.owed
    send(FRAME.window, id, encodeWindow(entry.owed))
    entry.owed = 0
  }

  socket.on('message', (data: Buffer, isBinary) => {
    alive = true
    if (closed) return
    const frame = isBinary ? decodeFrame(data) : null
    try {
      if (frame === null) close('RELAY_PROTOCOL')
      else receive(frame)
    } catch (error) {
      of.onFault(error) // one miner's message ends its connection at most
      close('RELAY_PROTOCOL')
    }
  })
  socket.on('ping', (data: Buffer) => {
    pings += 1
    if (pings > limits.pingsOfMiner) close('RELAY_PROTOCOL')
    else if (socket.readyState === socket.OPEN) socket.pong(data)
  })
  socket.on('pong', () => {
    alive = true
  })
  socket.on('close', () => {
    end()
    of.onClose()
  })

  return {
    hotkey,
    get inFlight() {
      return pending.size
    },
    ask: ({ request, body, sink, sent }) => {
      if (closed || socket.readyState !== socket.OPEN) return 'RELAY_NO_MINER'
      if (body.reduce((sum, part) => sum + part.length, 0) > takes.bodyBytes) return 'RELAY_TOO_LARGE'
      if (pending.size >= most || socket.bufferedAmount > limits.unsentBytes) return 'RELAY_MINER_BUSY'
      if (lastId === LAST_ID) {
        close('RELAY_CLOSING') // the miner dials again, and ids begin anew
        return 'RELAY_NO_MINER'
      }
      lastId += 1
      const id = lastId
      const entry: Pending = { sink, hasHead: false, window: limits.windowBytes, owed: 0, answered: 0 }
      pending.set(id, entry)
      const parts = [encodeRequestHead(request), ...body]
      socket.send(joinFrame({ kind: FRAME.request, id, parts }), () => {
        moved = true
        sent()
      })
      return { grant: (bytes) => grant(id, entry, bytes), cancel: () => drop(id, entry, true) }
    },
    ping: () => {
      pings = 0
      if (!alive && !(unsent > 0 && moved)) return socket.terminate()
      alive = false
      unsent = socket.bufferedAmount
      moved = false
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    close,
  }
}
