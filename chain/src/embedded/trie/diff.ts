import type { Key } from '../key.ts'
import { isStored, openNode, type Trie, type TrieNode } from './node.ts'
import { fromNibbles } from './read.ts'
import { nodeReference } from './root.ts'

/** Lists the keys whose values differ between two tries, in no order; what both share is not walked through. */
export const trieDiff = (a: Trie, b: Trie): Key[] => {
  const changed = new Set<Key>()
  walk({ trie: a, cut: 0 }, { trie: b, cut: 0 }, [], changed)
  return [...changed]
}

/** A node, seen from the nibble `cut` of its partial key on. */
interface Place {
  readonly trie: Trie
  readonly cut: number
}

const NOTHING: Place = { trie: undefined, cut: 0 }

const walk = (a: Place, b: Place, path: readonly number[], changed: Set<Key>): void => {
  if (isSame(a, b)) return
  const [x, y] = [openNode(a.trie), openNode(b.trie)]
  if (x === undefined || y === undefined) {
    const only = x === undefined ? { node: y, cut: b.cut } : { node: x, cut: a.cut }
    if (only.node !== undefined) collect(only.node, only.cut, path, changed)
    return
  }
  let shared = 0
  const [left, right] = [x.partial.subarray(a.cut), y.partial.subarray(b.cut)]
  while (shared < left.length && shared < right.length && left[shared] === right[shared]) shared += 1
  const here = [...path, ...left.subarray(0, shared)]
  const [below, beside] = [inside(x, a.cut + shared), inside(y, b.cut + shared)]
  if (below.value === undefined ? beside.value !== undefined : !sameValue(below.value, beside.value)) {
    changed.add(fromNibbles(here))
  }
  for (let branch = 0; branch < 16; branch += 1) {
    walk(below.child(branch), beside.child(branch), [...here, branch], changed)
  }
}

/** What hangs at nibble `at` of a node's partial key: the node itself at its end, else one branch to the rest of it. */
const inside = (node: TrieNode, at: number): { value: Uint8Array | undefined; child: (branch: number) => Place } => {
  if (at === node.partial.length) {
    return { value: node.value, child: (branch) => ({ trie: node.children?.[branch], cut: 0 }) }
  }
  const next = node.partial[at]
  return { value: undefined, child: (branch) => (branch === next ? { trie: node, cut: at + 1 } : NOTHING) }
}

const isSame = (a: Place, b: Place): boolean => {
  if (a.trie === b.trie) return a.cut === b.cut
  if (a.trie === undefined || b.trie === undefined || a.cut !== 0 || b.cut !== 0) return false
  if (isStored(a.trie) && isStored(b.trie) && a.trie.id === b.trie.id) return true
  return Buffer.compare(nodeReference(a.trie), nodeReference(b.trie)) === 0
}

const sameValue = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  b !== undefined && (a === b || Buffer.compare(a, b) === 0)

const collect = (node: TrieNode, cut: number, path: readonly number[], changed: Set<Key>): void => {
  const here = [...path, ...node.partial.subarray(cut)]
  if (node.value !== undefined) changed.add(fromNibbles(here))
  node.children?.forEach((child, branch) => {
    const below = openNode(child)
    if (below !== undefined) collect(below, 0, [...here, branch], changed)
  })
}
