import { toHex } from '@arbor/shared/hex'
import { blake256 } from '../hash.ts'
import type { Key } from '../key.ts'
import { nibble, openNode, sharedNibbles, type Trie, type TrieNode } from './node.ts'
import { encodeNode } from './root.ts'

/** Nodes within their parent are shorter than this. @source https://spec.polkadot.network/chap-state#defn-merkle-value */
const OWN_ENTRY = 32

/**
 * Gathers what shows the values of keys, or that there are none, to whoever knows the root: each encoded node on the way
 * that is kept by its hash, and each value that is, without order.
 * @source sp-state-machine prove_read
 */
export const trieProof = (root: Trie, keys: readonly Key[]): readonly Uint8Array[] => {
  const found = new Map<string, Uint8Array>()
  const add = (entry: Uint8Array): void => void found.set(toHex(blake256(entry)), entry)
  for (const key of keys) walk(root, key, add)
  return [...found.values()]
}

const walk = (root: Trie, key: Key, add: (entry: Uint8Array) => void): void => {
  let depth = 0
  for (let node = openNode(root); node !== undefined; node = next(node, key, depth), depth += 1) {
    const encoded = encodeNode(node)
    if (depth === 0 || encoded.length >= OWN_ENTRY) add(encoded)
    if (sharedNibbles(node.partial, key, depth) < node.partial.length) return
    depth += node.partial.length
    if (depth < key.length * 2) continue
    if (node.hashed && node.value !== undefined) add(node.value)
    return
  }
}

const next = (node: TrieNode, key: Key, depth: number): TrieNode | undefined =>
  openNode(node.children?.[nibble(key, depth)])
