import { createSecretKey, hash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { MAX_HEADER_LENGTH } from './limits.ts'
import { createSeal, type Seal } from './seal.ts'
import type { Session } from './session.ts'

const INFO = 'arbor/keys/2'
const MAC_BYTES = 32
const BLOCK_BYTES = 64

/** What two sessions share; the keys themselves stay inside. */
export interface PairKeys {
  /** HMAC-SHA256 over a request's payload; 32 bytes. */
  mac(payload: Uint8Array): Uint8Array
  /** Tells in constant time whether `proof` is that MAC. */
  hasMac(payload: Uint8Array, proof: Uint8Array): boolean
  /** Seals and opens questions. */
  readonly request: Seal
  /** Seals and opens answers. */
  readonly answer: Seal
}

/** What the other side of a pair shows: its certificate has both. */
export interface OtherSession {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** 32 bytes, X25519. */
  readonly sealKey: Uint8Array
}

/** Derives what two sessions share, 60 µs; null when the other's key is of low order. @source RFC 7748 §6.1, RFC 5869 */
export const derivePairKeys = (own: Session, other: OtherSession): PairKeys | null => {
  const secret = own.agree(other.sealKey)
  if (secret === null || secret.every((byte) => byte === 0)) return null
  const salt = own.purpose === 'ask' ? Buffer.concat([own.id, other.id]) : Buffer.concat([other.id, own.id])
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, INFO, 96))
  secret.fill(0)
  const { mac, hasMac } = createMac(bytes.subarray(0, 32))
  const keys: PairKeys = {
    mac,
    hasMac,
    request: createSeal(createSecretKey(bytes.subarray(32, 64))),
    answer: createSeal(createSecretKey(bytes.subarray(64, 96))),
  }
  bytes.fill(0)
  return keys
}

/** Where blocks are put together, in memory that no other buffer shares. */
const scratch = Buffer.allocUnsafeSlow(BLOCK_BYTES + MAX_HEADER_LENGTH)

/** HMAC as two one-shot hashes over prepared blocks: 3 µs, where createHmac takes 18. @source RFC 2104 */
const createMac = (key: Uint8Array): Pick<PairKeys, 'mac' | 'hasMac'> => {
  const inner = Buffer.alloc(BLOCK_BYTES, 0x36)
  const outer = Buffer.alloc(BLOCK_BYTES + MAC_BYTES, 0x5c)
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  const mac = (payload: Uint8Array): Buffer => {
    const length = BLOCK_BYTES + payload.length
    const block = length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafeSlow(length)
    block.set(inner)
    block.set(payload, BLOCK_BYTES)
    outer.set(hash('sha256', block, 'buffer'), BLOCK_BYTES)
    return hash('sha256', outer, 'buffer')
  }
  const hasMac = (payload: Uint8Array, proof: Uint8Array): boolean =>
    proof.length === MAC_BYTES && timingSafeEqual(mac(payload), proof)
  return { mac, hasMac }
}

/** Pairs of sessions that are kept: as many as a miner has sessions, or a validator miners. */
const MAX_PAIRS = 4_096

/** Keeps what pairs of sessions share; the pair that was used least recently goes when there are too many. */
export interface PairKeyCache {
  /** Finds or derives; null when the other's key is of low order. */
  get(own: Session, other: OtherSession): PairKeys | null
  readonly size: number
}

/** Creates an empty cache. */
export const createPairKeyCache = (max: number = MAX_PAIRS): PairKeyCache => {
  const pairs = new Map<string, PairKeys>()
  const get = (own: Session, other: OtherSession): PairKeys | null => {
    const name = own.certificate.key + Buffer.from(other.id).toString('base64url')
    const known = pairs.get(name)
    const keys = known ?? derivePairKeys(own, other)
    if (keys === null) return null
    if (known !== undefined) pairs.delete(name)
    else if (pairs.size >= max)
      for (const oldest of pairs.keys()) {
        pairs.delete(oldest)
        break
      }
    pairs.set(name, keys)
    return keys
  }
  return {
    get,
    get size() {
      return pairs.size
    },
  }
}
