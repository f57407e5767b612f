import { MAX_HEADER_LENGTH } from './limits.ts'

/** Kinds of a stream's frames. */
export const CHUNK = 1
export const END = 2
/** Kind and length before each frame's payload. */
const FRAME_HEAD_BYTES = 5
/** Longest payload of a chunk, as sent. */
export const MAX_CHUNK_BYTES = 65_536

export interface StreamFrame {
  readonly kind: typeof CHUNK | typeof END
  readonly payload: Uint8Array
}

/** Writes u8 kind ‖ u32be length ‖ payload. */
export const writeFrame = (kind: number, payload: Uint8Array): Buffer => {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
  head.writeUInt8(kind, 0)
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

/** Cuts bytes off a socket into frames; holds one, of bounded size. */
export interface FrameReader {
  /** Reads on from `at`; at most one frame at a time. null when it is none of ours, and nothing may be read any more. */
  read(bytes: Uint8Array, at: number): { readonly at: number; readonly frame: StreamFrame | null } | null
}

/** Creates a reader that waits for a frame's head. */
export const createFrameReader = (): FrameReader => {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  let headLength = 0
  let payload = Buffer.alloc(0)
  let filled = 0

  /** Makes room for the payload that a whole head announces. */
  const isHeadGood = (): boolean => {
    const length = head.readUInt32BE(1)
    if (length > (head[0] === CHUNK ? MAX_CHUNK_BYTES : MAX_HEADER_LENGTH)) return false
    payload = Buffer.allocUnsafeSlow(length)
    filled = 0
    return true
  }

  const read: FrameReader['read'] = (bytes, at) => {
    let next = at
    while (headLength < FRAME_HEAD_BYTES && next < bytes.length) {
      head[headLength] = bytes[next] ?? 0
      headLength += 1
      next += 1
      if (head[0] !== CHUNK && head[0] !== END) return null
      if (headLength === FRAME_HEAD_BYTES && !isHeadGood()) return null
    }
    if (headLength < FRAME_HEAD_BYTES) return { at: next, frame: null }
    const piece = bytes.subarray(next, next + payload.length - filled)
    payload.set(piece, filled)
    filled += piece.length
    next += piece.length
    if (filled < payload.length) return { at: next, frame: null }
    headLength = 0
    return { at: next, frame: { kind: head[0] === CHUNK ? CHUNK : END, payload } }
  }
  return { read }
}
