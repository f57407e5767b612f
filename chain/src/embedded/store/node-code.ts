import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { compact, type Reader, reader, vec } from '../scale.ts'
import { isStored, type NodeSource, type StoredNode, type Trie, type TrieNode } from '../trie/node.ts'
import { packed } from '../trie/root.ts'

const HAS_VALUE = 1
const IS_HASHED = 2
const HAS_CHILDREN = 4
/** How a child is kept: by its number and reference, or whole within its parent. */
const STORED = 0
const WITHIN = 1

/**
 * Encodes a node as the database keeps it: like the trie's own encoding, but with values whole and with the numbers of
 * the children.
 * @param linkOf where a child in memory has its row; null when it has none
 */
export const encodeNode = (node: TrieNode, linkOf: (child: TrieNode) => LinkTo | null): Uint8Array => {
  const { partial, value, children, hashed } = node
  const flags =
    (value === undefined ? 0 : HAS_VALUE) | (hashed ? IS_HASHED : 0) | (children === undefined ? 0 : HAS_CHILDREN)
  const parts = [Uint8Array.of(flags), compact(partial.length), packed(partial)]
  if (value !== undefined) parts.push(vec(value))
  if (children !== undefined) {
    let bitmap = 0
    for (let branch = 0; branch < 16; branch += 1) if (children[branch] !== undefined) bitmap |= 1 << branch
    parts.push(Uint8Array.of(bitmap & 255, bitmap >> 8))
    for (const child of children) if (child !== undefined) parts.push(...encodeChild(child, linkOf))
  }
  return concatBytes(...parts)
}

/** Where a child lies and what it hashes to. */
export type LinkTo = Pick<StoredNode, 'id' | 'reference'>

const encodeChild = (
  child: TrieNode | StoredNode,
  linkOf: (child: TrieNode) => LinkTo | null,
): readonly Uint8Array[] => {
  const link = isStored(child) ? child : linkOf(child)
  if (link === null) return [Uint8Array.of(WITHIN), encodeNode(child as TrieNode, linkOf)]
  return [Uint8Array.of(STORED), compact(link.id), vec(link.reference)]
}

/** Decodes a node as the database keeps it. @throws CHAIN_DATA_CORRUPT */
export const decodeNode = (encoded: Uint8Array, source: NodeSource): TrieNode => {
  try {
    return readNode(reader(encoded), source)
  } catch (cause) {
    throw corruptNode(cause)
  }
}

export const corruptNode = (cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message:
      'A part of the stored state is not what was stored; restore the folder from a copy, or begin anew in another one',
    cause,
  })

const readNode = (from: Reader, source: NodeSource): TrieNode => {
  const flags = from.u8()
  const partial = unpacked(from, from.compact())
  const value = (flags & HAS_VALUE) === 0 ? undefined : from.vec()
  return {
    partial,
    value,
    hashed: (flags & IS_HASHED) !== 0,
    children: (flags & HAS_CHILDREN) === 0 ? undefined : readChildren(from, source),
    owner: undefined,
    reference: undefined,
    valueHash: undefined,
    id: undefined,
  }
}

const readChildren = (from: Reader, source: NodeSource): Trie[] => {
  const bitmap = from.u8() | (from.u8() << 8)
  const children = new Array<Trie>(16).fill(undefined)
  for (let branch = 0; branch < 16; branch += 1) {
    if ((bitmap & (1 << branch)) === 0) continue
    children[branch] =
      from.u8() === WITHIN ? readNode(from, source) : { id: from.compact(), reference: from.vec(), source }
  }
  return children
}

const unpacked = (from: Reader, count: number): Uint8Array => {
  const bytes = from.bytes((count + 1) >> 1)
  const nibbles = new Uint8Array(count)
  const odd = count & 1
  for (let index = 0; index < count; index += 1) {
    const at = index + odd
    const byte = bytes[at >> 1] ?? 0
    nibbles[index] = (at & 1) === 0 ? byte >> 4 : byte & 15
  }
  return nibbles
}
