import type { UnixMs } from '@arbor/shared/units'

/** From the start of the Gregorian calendar to 1970, in units of 100 ns. @source RFC 9562 §5.1 */
const GREGORIAN = 0x01b21dd213814000n

/**
 * Makes a UUID of version 1 as Python's uuid1 does, with random bytes in place of the machine's address.
 * @param of.random 8 bytes: clock sequence 2, node 6
 */
export function uuid1(of: { readonly at: UnixMs; readonly random: Uint8Array }): string {
  const bytes = Buffer.alloc(16)
  const ticks = BigInt(Math.floor(of.at)) * 10_000n + GREGORIAN
  bytes.writeUInt32BE(Number(ticks & 0xffff_ffffn), 0)
  bytes.writeUInt16BE(Number((ticks >> 32n) & 0xffffn), 4)
  bytes.writeUInt16BE(Number((ticks >> 48n) & 0x0fffn) | 0x1000, 6)
  bytes.set(of.random.subarray(0, 8), 8)
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80 // the variant
  bytes[10] = bytes.readUInt8(10) | 0x01 // no real address: the multicast bit
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
