import { keccakAsU8a } from '@polkadot/util-crypto/keccak'
import { type Key, toKey } from '../../key.ts'
import { reader } from '../../scale.ts'
import { orderedRoot, pairsRoot } from '../../trie/build.ts'
import type { Span } from '../memory.ts'
import type { HostContext, HostFunctions } from './context.ts'
import { stateVersion } from './storage.ts'

/** Roots of tries that are not the state, such as that of a block's extrinsics. @source sp_io::trie */
export const trieFunctions = ({ memory }: HostContext): HostFunctions => ({
  ext_trie_blake2_256_root_version_1: (input: Span) => memory.writeFixed(pairsRoot(readPairs(memory.view(input)), 0)),
  ext_trie_blake2_256_root_version_2: (input: Span, version: number) =>
    memory.writeFixed(pairsRoot(readPairs(memory.view(input)), stateVersion(version))),
  ext_trie_blake2_256_ordered_root_version_1: (input: Span) =>
    memory.writeFixed(orderedRoot(readValues(memory.view(input)), 0)),
  ext_trie_blake2_256_ordered_root_version_2: (input: Span, version: number) =>
    memory.writeFixed(orderedRoot(readValues(memory.view(input)), stateVersion(version))),
  ext_trie_keccak_256_root_version_2: (input: Span, version: number) =>
    memory.writeFixed(pairsRoot(readPairs(memory.view(input)), stateVersion(version), keccak)),
  ext_trie_keccak_256_ordered_root_version_2: (input: Span, version: number) =>
    memory.writeFixed(orderedRoot(readValues(memory.view(input)), stateVersion(version), keccak)),
})

const keccak = (bytes: Uint8Array): Uint8Array => keccakAsU8a(bytes, 256)

const readValues = (encoded: Uint8Array): Uint8Array[] => {
  const source = reader(encoded)
  return Array.from({ length: source.compact() }, () => source.vec().slice())
}

const readPairs = (encoded: Uint8Array): (readonly [Key, Uint8Array])[] => {
  const source = reader(encoded)
  return Array.from({ length: source.compact() }, () => [toKey(source.vec()), source.vec().slice()] as const)
}
