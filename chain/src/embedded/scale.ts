import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'

/** Encodes a compact integer. @param value below 2^64 */
export const compact = (value: number | bigint): Uint8Array => {
  if (value < 64) return Uint8Array.of(Number(value) << 2)
  if (value < 16_384) return Uint8Array.of(((Number(value) << 2) | 1) & 255, Number(value) >> 6)
  if (value < 1_073_741_824) return u32le(Number(value) * 4 + 2)
  const bytes: number[] = []
  for (let rest = BigInt(value); rest > 0n || bytes.length < 4; rest >>= 8n) bytes.push(Number(rest & 255n))
  return Uint8Array.from([((bytes.length - 4) << 2) | 3, ...bytes])
}

/** Encodes a u32. */
export const u32le = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** Encodes a u64. */
export const u64le = (value: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}

/** Encodes bytes with their length before them. */
export const vec = (bytes: Uint8Array): Uint8Array => concatBytes(compact(bytes.length), bytes)

/** Encodes an optional byte string. */
export const optionVec = (bytes: Uint8Array | undefined): Uint8Array =>
  bytes === undefined ? Uint8Array.of(0) : concatBytes(Uint8Array.of(1), compact(bytes.length), bytes)

/** Reads SCALE from the front of a byte string. */
export interface Reader {
  /** Bytes read so far. */
  readonly offset: number
  readonly left: number
  u8(): number
  u32(): number
  u64(): bigint
  compact(): number
  /** A view, not a copy. */
  bytes(count: number): Uint8Array
  vec(): Uint8Array
  text(): string
}

/** Opens a byte string for reading. @throws CHAIN_SCALE when it ends too early */
export const reader = (source: Uint8Array): Reader => {
  let offset = 0
  const take = (count: number): Uint8Array => {
    if (!(count >= 0 && offset + count <= source.length)) throw cutOff(source, offset, count)
    offset += count
    return source.subarray(offset - count, offset)
  }
  const littleEndian = (count: number): number => take(count).reduceRight((sum, byte) => sum * 256 + byte, 0)
  const compactValue = (): number => {
    const first = littleEndian(1)
    const mode = first & 3
    if (mode === 0) return first >> 2
    if (mode === 3) return littleEndian((first >> 2) + 4)
    return littleEndian(mode === 1 ? 1 : 3) * 64 + (first >> 2)
  }
  return {
    get offset() {
      return offset
    },
    get left() {
      return source.length - offset
    },
    u8: () => littleEndian(1),
    u32: () => littleEndian(4),
    u64: () => BigInt(littleEndian(4)) + (BigInt(littleEndian(4)) << 32n),
    compact: compactValue,
    bytes: take,
    vec: () => take(compactValue()),
    text: () => Buffer.from(take(compactValue())).toString('utf8'),
  }
}

const cutOff = (source: Uint8Array, offset: number, count: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_SCALE',
    message: `SCALE data of ${source.length} bytes ends before ${count} bytes at ${offset}; the runtime or the caller sent something else than expected`,
  })
