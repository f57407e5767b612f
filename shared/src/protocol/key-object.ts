import { createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519'

/** Headers of PKCS #8 and SPKI before the 32 raw bytes. @source RFC 8410 §7, §4 */
const PREFIX = {
  ed25519Private: '302e020100300506032b657004220420',
  x25519Private: '302e020100300506032b656e04220420',
  ed25519Public: '302a300506032b6570032100',
  x25519Public: '302a300506032b656e032100',
} as const

const der = (prefix: string, raw: Uint8Array): Buffer => Buffer.concat([Buffer.from(prefix, 'hex'), raw])

/** A private key and its 32 public bytes. */
export interface SecretKey {
  readonly key: KeyObject
  readonly publicBytes: Uint8Array
}

/** Makes the ed25519 or X25519 key of 32 secret bytes. */
export const importSecretKey = (kind: 'ed25519' | 'x25519', raw: Uint8Array): SecretKey => {
  const bytes = der(kind === 'ed25519' ? PREFIX.ed25519Private : PREFIX.x25519Private, raw)
  const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
  bytes.fill(0)
  const publicBytes = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { key, publicBytes: Uint8Array.from(publicBytes) }
}

/** Imports an ed25519 public key; any 32 bytes are taken, a bad point verifies nothing. */
export const importSignKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: der(PREFIX.ed25519Public, raw), format: 'der', type: 'spki' })

/** Imports an X25519 public key; any 32 bytes are one. */
export const importSealKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: der(PREFIX.x25519Public, raw), format: 'der', type: 'spki' })

/** Verifies an ed25519 signature; false for whatever is malformed. */
export const isSignedBy = (key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === 64 && verify(null, message, key, signature)

/** Tells whether 32 bytes are a point of ed25519, not of small order: a key of small order signs any message. */
export const isSignKey = (raw: Uint8Array): boolean => {
  try {
    return !ed25519.Point.fromBytes(raw).isSmallOrder()
  } catch {
    return false // no point
  }
}
