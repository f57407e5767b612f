import type { Key } from '../key.ts'
import { nibble, openNode, sharedNibbles, type Trie, type TrieNode } from './node.ts'

/** Reads the value of a key. */
export const trieGet = (root: Trie, key: Key): Uint8Array | undefined => trieNode(root, key)?.value

/** Finds the node that ends at a key. */
export const trieNode = (root: Trie, key: Key): TrieNode | undefined => {
  const end = key.length * 2
  let node = openNode(root)
  let depth = 0
  while (node !== undefined) {
    if (sharedNibbles(node.partial, key, depth) < node.partial.length) return undefined
    depth += node.partial.length
    if (depth === end) return node
    node = openNode(node.children?.[nibble(key, depth)])
    depth += 1
  }
  return undefined
}

/** Finds the first key after `key` in byte order. */
export const trieNext = (root: Trie, key: Key): Key | undefined => {
  const path: number[] = []
  const first = openNode(root)
  return first !== undefined && seekAfter(first, key, 0, path) ? fromNibbles(path) : undefined
}

/** Finds the first key at or after `key` in byte order. */
export const trieFirstFrom = (root: Trie, key: Key): Key | undefined =>
  trieNode(root, key)?.value === undefined ? trieNext(root, key) : key

/** Lists the keys that begin with `prefix`, in byte order. */
export function* trieKeys(root: Trie, prefix: Key = ''): Generator<Key> {
  let key = trieFirstFrom(root, prefix)
  while (key?.startsWith(prefix)) {
    yield key
    key = trieNext(root, key)
  }
}

/** Lists all nodes with a value, in byte order of their keys. */
export function* trieEntries(root: Trie, path: readonly number[] = []): Generator<readonly [Key, TrieNode]> {
  const node = openNode(root)
  if (node === undefined) return
  const here = [...path, ...node.partial]
  if (node.value !== undefined) yield [fromNibbles(here), node]
  for (const [index, child] of node.children?.entries() ?? []) yield* trieEntries(child, [...here, index])
}

/** Leads `path` to the first value strictly after the key; the path is unchanged when there is none below this node. */
const seekAfter = (node: TrieNode, key: Key, depth: number, path: number[]): boolean => {
  const shared = sharedNibbles(node.partial, key, depth)
  const reached = depth + shared
  if (reached === key.length * 2) {
    // The key ends within or at this node: everything below is greater, the node itself only when it is longer.
    return shared < node.partial.length ? seekFirst(node, path) : seekChildren(node, 0, path)
  }
  if (shared < node.partial.length) return (node.partial[shared] ?? 0) > nibble(key, reached) && seekFirst(node, path)
  const branch = nibble(key, reached)
  const child = openNode(node.children?.[branch])
  if (child !== undefined) {
    const before = path.length
    path.push(...node.partial, branch)
    if (seekAfter(child, key, reached + 1, path)) return true
    path.length = before
  }
  return seekChildren(node, branch + 1, path)
}

const seekFirst = (node: TrieNode, path: number[]): boolean => {
  if (node.value === undefined) return seekChildren(node, 0, path)
  path.push(...node.partial)
  return true
}

const seekChildren = (node: TrieNode, from: number, path: number[]): boolean => {
  for (let branch = from; branch < 16; branch += 1) {
    const child = openNode(node.children?.[branch])
    if (child === undefined) continue
    path.push(...node.partial, branch)
    return seekFirst(child, path)
  }
  return false
}

/** Writes nibbles as a key; an odd last one is left out. */
export const fromNibbles = (path: readonly number[]): Key => {
  let key = ''
  for (let index = 0; index + 1 < path.length; index += 2) {
    key += String.fromCharCode(((path[index] ?? 0) << 4) | (path[index + 1] ?? 0))
  }
  return key
}
