import { sha256 } from '@arbor/shared/hashing'
import { keccakAsU8a } from '@polkadot/util-crypto/keccak'
import { blake128, blake256, xxhash } from '../../hash.ts'
import type { Span } from '../memory.ts'
import type { HostContext, HostFunctions } from './context.ts'

/** Hashes. @source sp_io::hashing */
export const hashingFunctions = ({ memory }: HostContext): HostFunctions => {
  const hashed =
    (hash: (bytes: Uint8Array) => Uint8Array) =>
    (input: Span): number =>
      memory.writeFixed(hash(memory.view(input)))
  return {
    ext_hashing_blake2_128_version_1: hashed(blake128),
    ext_hashing_blake2_256_version_1: hashed(blake256),
    ext_hashing_twox_64_version_1: hashed((bytes) => xxhash(bytes, 1)),
    ext_hashing_twox_128_version_1: hashed((bytes) => xxhash(bytes, 2)),
    ext_hashing_twox_256_version_1: hashed((bytes) => xxhash(bytes, 4)),
    ext_hashing_keccak_256_version_1: hashed((bytes) => keccakAsU8a(bytes, 256)),
    ext_hashing_keccak_512_version_1: hashed((bytes) => keccakAsU8a(bytes, 512)),
    ext_hashing_sha2_256_version_1: hashed(sha256),
  }
}
