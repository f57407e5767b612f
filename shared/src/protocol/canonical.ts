import { decode, encode } from 'cborg'

/** What canonical arrays hold. */
export type Field = number | string | Uint8Array | null

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
} as const

/** Encodes one flat array as deterministic CBOR. @source RFC 8949 §4.2.1 */
export const encodeCanonical = (fields: readonly Field[]): Uint8Array => encode(fields)

/** Decodes one flat array; null unless these bytes are its only spelling. */
export const decodeCanonical = (bytes: Uint8Array): readonly Field[] | null => {
  const value = tryDecode(bytes)
  if (!Array.isArray(value) || !value.every(isField)) return null
  // The decoder takes 1.0 for 1 and ill-formed UTF-8 for U+FFFD; what is written again shows both.
  return sameBytes(encodeCanonical(value), bytes) ? value : null
}

const tryDecode = (bytes: Uint8Array): unknown => {
  try {
    return decode(bytes, STRICT)
  } catch {
    return null // whatever the decoder dislikes is not canonical
  }
}

const isField = (value: unknown): value is Field =>
  value === null ||
  typeof value === 'string' ||
  value instanceof Uint8Array ||
  (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0))

/** Compares public bytes; not for secrets. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** Tells whether a field is a byte string of that length. */
export const isBytes = (field: Field | undefined, length: number): field is Uint8Array =>
  field instanceof Uint8Array && field.length === length

/** Tells whether a field is an unsigned integer of at most `max`. */
export const isUint = (field: Field | undefined, max: number = Number.MAX_SAFE_INTEGER): field is number =>
  typeof field === 'number' && field <= max
