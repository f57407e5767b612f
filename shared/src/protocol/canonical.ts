import { encode } from 'cborg'

/** What canonical arrays hold. */
export type Field = number | string | Uint8Array | null

/** Encodes one flat array as deterministic CBOR. @source RFC 8949 §4.2.1 */
export const encodeCanonical = (fields: readonly Field[]): Uint8Array => encode(fields)

/** Major types. @source RFC 8949 §3.1 */
const UINT = 0
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const SIMPLE = 7
const NULL = 22
/** Least value of a head with 1, 2, 4 and 8 bytes after it: what is less has a shorter spelling. */
const LEAST = [24, 2 ** 8, 2 ** 16, 2 ** 32] as const

/**
 * Decodes one flat array; null unless these bytes are its only spelling. Byte strings lie in the same memory.
 * A reader of its own, because it runs for every request: a library's decoder and a second encoding to compare take four times as long.
 */
export const decodeCanonical = (bytes: Uint8Array): readonly Field[] | null => {
  const cursor: Cursor = { bytes, at: 0, major: 0, value: 0 }
  if (!readHead(cursor) || cursor.major !== ARRAY) return null
  const fields: Field[] = []
  for (let left = cursor.value; left > 0; left -= 1) {
    const field = readHead(cursor) ? readField(cursor) : undefined
    if (field === undefined) return null
    fields.push(field)
  }
  return cursor.at === bytes.length ? fields : null
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
  /** Of the head that was read last. */
  major: number
  value: number
}

/** Reads type and value or length; false when they are cut off, indefinite, reserved, over 2^53 − 1 or not the shortest. */
const readHead = (cursor: Cursor): boolean => {
  const { bytes, at } = cursor
  const first = bytes[at]
  if (first === undefined) return false
  const info = first & 31
  cursor.major = first >> 5
  cursor.value = info
  cursor.at = at + 1
  if (info < 24) return true
  const least = LEAST[info - 24]
  if (least === undefined) return false
  const end = at + 1 + 2 ** (info - 24)
  if (end > bytes.length) return false
  let value = 0
  for (let index = at + 1; index < end; index += 1) value = value * 256 + (bytes[index] ?? 0)
  cursor.value = value
  cursor.at = end
  return value >= least && value <= Number.MAX_SAFE_INTEGER
}

/** Reads what a head announces; undefined when it is cut off, ill-formed or nothing of ours. */
const readField = (cursor: Cursor): Field | undefined => {
  const { bytes, at, major, value } = cursor
  if (major === UINT) return value
  if (major === SIMPLE) return value === NULL ? null : undefined
  if ((major !== BYTES && major !== TEXT) || value > bytes.length - at) return undefined
  cursor.at = at + value
  const content = bytes.subarray(at, at + value)
  return major === BYTES ? content : readText(content)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const readText = (content: Uint8Array): string | undefined => {
  let text = ''
  for (const byte of content) {
    if (byte > 127) return readUtf8(content)
    text += String.fromCharCode(byte)
  }
  return text
}

const readUtf8 = (content: Uint8Array): string | undefined => {
  try {
    return utf8.decode(content)
  } catch {
    return undefined // ill-formed
  }
}

/** Compares public bytes; not for secrets. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** Tells whether a field is a byte string of that length. */
export const isBytes = (field: Field | undefined, length: number): field is Uint8Array =>
  field instanceof Uint8Array && field.length === length

/** Tells whether a field is an unsigned integer of at most `max`. */
export const isUint = (field: Field | undefined, max: number = Number.MAX_SAFE_INTEGER): field is number =>
  typeof field === 'number' && field <= max
