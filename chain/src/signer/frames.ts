import { decodeCanonical, encodeCanonical, type Field } from '@arbor/shared/protocol/canonical'

/** Largest payload that is signed: a row of 4 096 weights takes 16 KiB. */
export const MAX_PAYLOAD_BYTES = 65_536
/** Largest message: a payload and what names it. */
export const MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + 1_024
const HEAD_BYTES = 4

/** Writes a message: its length as u32be, then canonical CBOR of a flat array. */
export const writeFrame = (fields: readonly Field[]): Uint8Array => {
  const body = encodeCanonical(fields)
  const frame = Buffer.alloc(HEAD_BYTES + body.length)
  frame.writeUInt32BE(body.length)
  frame.set(body, HEAD_BYTES)
  return frame
}

/** Cuts a stream of bytes into messages. */
export interface FrameReader {
  /** Takes bytes as they come. @returns the messages that they complete, or null when they are no messages of ours */
  push(bytes: Uint8Array): readonly (readonly Field[])[] | null
  /** Whether a message has begun and not ended. */
  readonly isPartial: boolean
}

/** Makes a reader that holds at most one message. */
export const createFrameReader = (maxBytes: number = MAX_FRAME_BYTES): FrameReader => {
  let held: Buffer[] = []
  let size = 0
  /** Joins what is held, only when enough is there: many small pieces cost no more than one. */
  const take = (): Buffer => {
    const all = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
    held = [all]
    return all
  }
  let wanted = HEAD_BYTES
  return {
    get isPartial() {
      return size > 0
    },
    push: (bytes) => {
      held.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      size += bytes.length
      const found: (readonly Field[])[] = []
      while (size >= wanted) {
        const all = take()
        const length = all.readUInt32BE()
        if (length === 0 || length > maxBytes) return null
        wanted = HEAD_BYTES + length
        if (size < wanted) break
        const fields = decodeCanonical(Uint8Array.from(all.subarray(HEAD_BYTES, wanted)))
        if (fields === null) return null
        found.push(fields)
        size -= wanted
        held = size === 0 ? [] : [all.subarray(wanted)]
        wanted = HEAD_BYTES
      }
      return found
    },
  }
}
