import { SubnetError } from './errors.ts'
import type { Hex } from './units.ts'

const HEX = /^0x(?:[0-9a-f]{2})*$/i

/** Writes bytes as 0x-prefixed lower-case hexadecimal. */
export const toHex = (bytes: Uint8Array): Hex =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`

/** Tells whether text is 0x-prefixed hexadecimal of whole bytes (of `byteLength` bytes, where given). */
export const isHex = (text: string, byteLength?: number): text is Hex =>
  (byteLength === undefined || text.length === 2 + 2 * byteLength) && HEX.test(text)

/**
 * Reads 0x-prefixed hexadecimal, upper or lower case.
 * @throws HEX_INVALID when it is anything else, or not of `byteLength` bytes
 */
export const fromHex = (text: string, byteLength?: number): Uint8Array => {
  if (!isHex(text, byteLength)) {
    const size = byteLength === undefined ? 'whole bytes' : `${byteLength} bytes`
    throw new SubnetError({
      code: 'HEX_INVALID',
      message: `Expected 0x-prefixed hexadecimal of ${size}, got ${text.length} characters; check the value`,
    })
  }
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
}
