/** What a message between a relay and a miner that dialled it is about: docs/relay.md, "Frames". */
export const FRAME = {
  /** To the miner, id 0: 32 random bytes. */
  challenge: 1,
  /** To the relay, id 0: who the miner is, and the proof. */
  hello: 2,
  /** To the miner, id 0: the proof held. */
  welcome: 3,
  /** To the miner: a question, in a message of its own. */
  request: 4,
  /** To the relay: status and headers of an answer. */
  head: 5,
  /** To the relay: bytes of an answer. */
  body: 6,
  /** To the relay: the answer is whole. */
  end: 7,
  /** To the miner: nobody waits for the answer any more. To the relay: the answer breaks off here. */
  cancel: 8,
  /** To the miner, id 0: a code; the connection closes after it. */
  refused: 9,
  /** To the miner: so many bytes more of this answer may be sent. */
  window: 10,
} as const

export type FrameKind = (typeof FRAME)[keyof typeof FRAME]

/** One message. Ids are given by the relay, count up from 1 and are never used again on a connection. */
export interface Frame {
  readonly kind: FrameKind
  /** 0 for what concerns the connection. */
  readonly id: number
  readonly payload: Uint8Array
}

/** Kind u8, id u32be. */
export const FRAME_HEAD_BYTES = 5
/** Largest piece of an answer in one message. */
export const MAX_PIECE_BYTES = 65_536
/** The largest message that a relay takes: a piece with its head, and room for a hello. */
export const MAX_MESSAGE_TO_RELAY_BYTES = MAX_PIECE_BYTES + 64

const KINDS: ReadonlySet<number> = new Set(Object.values(FRAME))

/** Writes a message. */
export const encodeFrame = ({ kind, id, payload }: Frame): Uint8Array => joinFrame({ kind, id, parts: [payload] })

/** Writes a message whose payload lies in parts, which are copied once. */
export const joinFrame = (of: {
  readonly kind: FrameKind
  readonly id: number
  readonly parts: readonly Uint8Array[]
}): Uint8Array => {
  const bytes = new Uint8Array(of.parts.reduce((sum, part) => sum + part.length, FRAME_HEAD_BYTES))
  bytes[0] = of.kind
  new DataView(bytes.buffer).setUint32(1, of.id)
  let at = FRAME_HEAD_BYTES
  for (const part of of.parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Reads a message; its payload lies in the same memory. null when it is none. */
export const decodeFrame = (bytes: Uint8Array): Frame | null => {
  const kind = bytes[0]
  if (bytes.length < FRAME_HEAD_BYTES || !isKind(kind)) return null
  const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  return { kind, id, payload: bytes.subarray(FRAME_HEAD_BYTES) }
}

const isKind = (kind: number | undefined): kind is FrameKind => kind !== undefined && KINDS.has(kind)

/** Writes a number of bytes that may be sent more: u32be. */
export const encodeWindow = (bytes: number): Uint8Array => {
  const payload = new Uint8Array(4)
  new DataView(payload.buffer).setUint32(0, bytes)
  return payload
}

/** Reads it; null when malformed. */
export const decodeWindow = (payload: Uint8Array): number | null =>
  payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset).getUint32(0) : null
