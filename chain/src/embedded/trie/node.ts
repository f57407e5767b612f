import type { Key } from '../key.ts'

/** How the runtime wants values in the trie: 0 in the node, 1 long values by their hash. @source sp_core::storage::StateVersion */
export type StateVersion = 0 | 1

/**
 * A node of the base-16 Patricia trie. Nodes are shared between the states of many blocks: once an edit has ended, nothing
 * in them changes but the two caches.
 */
export interface TrieNode {
  /** Nibbles between the parent's branch and this node. */
  partial: Uint8Array
  value: Uint8Array | undefined
  /** True when the parent sees the value by its hash only: written under version 1 and longer than 32 bytes. */
  hashed: boolean
  /** 16 entries, or none when this is a leaf. */
  children: (TrieNode | undefined)[] | undefined
  /** The edit that made this node and may still change it. */
  owner: object | undefined
  /** What the parent holds: the encoded node below 32 bytes, else its hash. */
  reference: Uint8Array | undefined
  /** Hash of the value, kept because the value (say, the runtime's code) can be long. */
  valueHash: Uint8Array | undefined
}

/** The root node, or nothing where there is no key. */
export type Trie = TrieNode | undefined

/** Values longer than this are hashed under version 1. @source sp_core::storage::TRIE_VALUE_NODE_THRESHOLD */
const HASHED_ABOVE = 32

/** Tells whether a value written under a version is kept by its hash. */
export const isHashed = (value: Uint8Array, version: StateVersion): boolean =>
  version === 1 && value.length > HASHED_ABOVE

/** Reads nibble `index` of a key. */
export const nibble = (key: Key, index: number): number =>
  (index & 1) === 0 ? key.charCodeAt(index >> 1) >> 4 : key.charCodeAt(index >> 1) & 15

/** Cuts the nibbles from `from` to the end of a key. */
export const nibblesFrom = (key: Key, from: number): Uint8Array => {
  const nibbles = new Uint8Array(key.length * 2 - from)
  for (let index = 0; index < nibbles.length; index += 1) nibbles[index] = nibble(key, from + index)
  return nibbles
}

/** Counts the nibbles that a node's partial key and a key (from nibble `depth`) share. */
export const sharedNibbles = (partial: Uint8Array, key: Key, depth: number): number => {
  const most = Math.min(partial.length, key.length * 2 - depth)
  let shared = 0
  while (shared < most && partial[shared] === nibble(key, depth + shared)) shared += 1
  return shared
}
