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
  children: Trie[] | undefined
  /** The edit that made this node and may still change it. */
  owner: object | undefined
  /** What the parent holds: the encoded node below 32 bytes, else its hash. */
  reference: Uint8Array | undefined
  /** Hash of the value, kept because the value (say, the runtime's code) can be long. */
  valueHash: Uint8Array | undefined
  /** Number under which a source keeps this node; none while it is in memory only, or within its parent. */
  id: number | undefined
}

/** A node that lies in a source, such as the chain's database, and is read when somebody walks through it. */
export interface StoredNode {
  readonly id: number
  /** What the parent holds of the node; what the source gives must hash to it. */
  readonly reference: Uint8Array
  readonly source: NodeSource
}

/** Where stored nodes are read from. */
export interface NodeSource {
  /** @throws CHAIN_STATE_PRUNED when the node is gone, CHAIN_DATA_CORRUPT when it is not the one that was stored */
  load(node: StoredNode): TrieNode
}

/** The root node, or nothing where there is no key. */
export type Trie = TrieNode | StoredNode | undefined

/** Tells whether a node is known by its place only. */
export const isStored = (trie: TrieNode | StoredNode): trie is StoredNode => 'source' in trie

/** Reads a node where it is not in memory. */
export const openNode = (trie: Trie): TrieNode | undefined =>
  trie === undefined || !isStored(trie) ? trie : trie.source.load(trie)

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
