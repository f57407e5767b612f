import { ristretto255 } from '@noble/curves/ed25519'
import { sr25519_verify } from '@polkadot-labs/schnorrkel-wasm'
import { toHex } from './hex.ts'

/** Order of the ristretto255 group. @source RFC 9496 §4 */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
/** Keys known to be points; a subnet has at most 65 536 neurons, in practice 256. */
const KNOWN_KEYS = 4096

const knownKeys = new Set<string>()

/**
 * Verifies an sr25519 signature with signing context "substrate"; false for whatever is malformed.
 * The fast library traps on malformed keys and signatures and loses stack space each time, so both are checked before it sees them.
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 */
export const verifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  isSignature(signature) && isPublicKey(publicKey) && sr25519_verify(publicKey, message, signature)

/** schnorrkel marks its signatures in the top bit and demands a canonical scalar. @source schnorrkel 0.11 src/sign.rs Signature::from_bytes */
const isSignature = (signature: Uint8Array): boolean => {
  const last = signature[63] ?? 0
  if (signature.length !== 64 || (last & 0x80) === 0) return false
  let scalar = BigInt(last & 0x7f)
  for (let index = 62; index >= 32; index -= 1) scalar = (scalar << 8n) | BigInt(signature[index] ?? 0)
  return scalar < GROUP_ORDER
}

/** Decoding a point costs 0.1 ms and more, so keys that passed are remembered; what fails is not. */
const isPublicKey = (publicKey: Uint8Array): boolean => {
  if (publicKey.length !== 32) return false
  const key = toHex(publicKey)
  if (knownKeys.has(key)) return true
  try {
    ristretto255.Point.fromBytes(publicKey)
  } catch {
    return false
  }
  if (knownKeys.size >= KNOWN_KEYS) knownKeys.clear()
  knownKeys.add(key)
  return true
}
