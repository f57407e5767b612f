import type { Key } from '../key.ts'
import {
  isHashed,
  nibble,
  nibblesFrom,
  openNode,
  type StateVersion,
  sharedNibbles,
  type Trie,
  type TrieNode,
} from './node.ts'

/**
 * Applies changes to a trie and returns the new one; the old one stays as it is. Both share all nodes that did not change.
 * @param changes key to its new value, or to undefined for a removed key
 * @param version how new values are kept; values that are not written keep their way
 * @param retired takes the numbers of stored nodes that the old trie has and the new one has not
 */
export const trieEdit = (
  root: Trie,
  changes: Iterable<readonly [Key, Uint8Array | undefined]>,
  version: StateVersion,
  retired: number[] = [],
): Trie => {
  const owner: Edit = { retired }
  let edited = root
  for (const [key, value] of changes) {
    if (value === undefined) edited = remove(edited, key, 0, owner)
    else edited = insert(edited, key, 0, { value, hashed: isHashed(value, version), owner })
  }
  return edited
}

/** One edit: what it makes it may change again. */
interface Edit {
  readonly retired: number[]
}

interface Written {
  readonly value: Uint8Array
  readonly hashed: boolean
  readonly owner: Edit
}

const insert = (at: Trie, key: Key, depth: number, written: Written): TrieNode => {
  const node = openNode(at)
  if (node === undefined) return makeLeaf(nibblesFrom(key, depth), written)
  const shared = sharedNibbles(node.partial, key, depth)
  if (shared < node.partial.length) return split(node, key, depth, shared, written)
  const reached = depth + shared
  if (reached === key.length * 2) return setValue(node, written)
  const branch = nibble(key, reached)
  const child = openNode(node.children?.[branch])
  const edited = insert(child, key, reached + 1, written)
  return edited === child && child?.reference !== undefined ? node : withChild(node, branch, edited, written.owner)
}

const setValue = (node: TrieNode, written: Written): TrieNode => {
  if (node.value !== undefined && node.hashed === written.hashed && sameBytes(node.value, written.value)) return node
  const own = owned(node, written.owner)
  own.value = written.value
  own.hashed = written.hashed
  own.valueHash = undefined
  return own
}

/** Puts a branch where the key leaves the node's partial key. */
const split = (node: TrieNode, key: Key, depth: number, shared: number, written: Written): TrieNode => {
  const lower = owned(node, written.owner)
  const upper = makeBranch(node.partial.slice(0, shared), written.owner)
  const children = upper.children ?? []
  children[node.partial[shared] ?? 0] = lower
  lower.partial = node.partial.slice(shared + 1)
  const reached = depth + shared
  if (reached === key.length * 2) {
    upper.value = written.value
    upper.hashed = written.hashed
  } else {
    children[nibble(key, reached)] = makeLeaf(nibblesFrom(key, reached + 1), written)
  }
  return upper
}

const remove = (at: Trie, key: Key, depth: number, owner: Edit): TrieNode | undefined => {
  const node = openNode(at)
  if (node === undefined || sharedNibbles(node.partial, key, depth) < node.partial.length) return node
  const reached = depth + node.partial.length
  if (reached === key.length * 2) {
    if (node.value === undefined) return node
    if (node.children === undefined) {
      retire(node, owner)
      return undefined
    }
    const own = owned(node, owner)
    own.value = undefined
    own.hashed = false
    own.valueHash = undefined
    return tidy(own, owner)
  }
  const branch = nibble(key, reached)
  const child = openNode(node.children?.[branch])
  const edited = remove(child, key, reached + 1, owner)
  if (edited === child && (child === undefined || child.reference !== undefined)) return node
  return tidy(withChild(node, branch, edited, owner), owner)
}

/** Restores the form that the trie demands: no branch without a value has fewer than two children. */
const tidy = (node: TrieNode, owner: Edit): TrieNode | undefined => {
  const branches: number[] = []
  node.children?.forEach((child, branch) => {
    if (child !== undefined) branches.push(branch)
  })
  const [only, second] = branches
  if (only === undefined) {
    node.children = undefined
    return node.value === undefined ? undefined : node
  }
  if (node.value !== undefined || second !== undefined) return node
  const child = openNode(node.children?.[only])
  if (child === undefined) return node
  const merged = owned(child, owner)
  merged.partial = Uint8Array.from([...node.partial, only, ...child.partial])
  return merged
}

const withChild = (node: TrieNode, branch: number, child: Trie, owner: Edit): TrieNode => {
  const own = owned(node, owner)
  own.children ??= new Array<Trie>(16).fill(undefined)
  own.children[branch] = child
  return own
}

/** A node that this edit may change: itself when the edit made it, else a copy. */
const owned = (node: TrieNode, owner: Edit): TrieNode => {
  if (node.owner === owner) {
    node.reference = undefined
    return node
  }
  retire(node, owner)
  return { ...node, children: node.children?.slice(), owner, reference: undefined, id: undefined }
}

const retire = ({ id }: TrieNode, { retired }: Edit): void => {
  if (id !== undefined) retired.push(id)
}

const makeLeaf = (partial: Uint8Array, { value, hashed, owner }: Written): TrieNode => ({
  partial,
  value,
  hashed,
  children: undefined,
  owner,
  reference: undefined,
  valueHash: undefined,
  id: undefined,
})

const makeBranch = (partial: Uint8Array, owner: Edit): TrieNode => ({
  partial,
  value: undefined,
  hashed: false,
  children: new Array<Trie>(16).fill(undefined),
  owner,
  reference: undefined,
  valueHash: undefined,
  id: undefined,
})

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a === b || (a.length === b.length && Buffer.compare(a, b) === 0)
