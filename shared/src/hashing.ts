import { createHash } from 'node:crypto'
import { blake2AsU8a } from '@polkadot/util-crypto/blake2'

/** Hashes with BLAKE2b to 32 bytes. */
export const blake2b256 = (bytes: Uint8Array): Uint8Array => blake2AsU8a(bytes, 256)

/** Hashes with BLAKE2b to 64 bytes. */
export const blake2b512 = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('blake2b512').update(bytes).digest())

/** Hashes with SHA-256 to 32 bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())
