import { concatBytes } from '@arbor/shared/bytes'
import { blake256 } from '../hash.ts'
import { compact } from '../scale.ts'
import { isStored, openNode, type StoredNode, type Trie, type TrieNode } from './node.ts'

/** Hashes bytes for the trie; BLAKE2b-256 unless told. */
type Hasher = (bytes: Uint8Array) => Uint8Array

/**
 * Computes the root hash. Nodes remember what they hash to, so only nodes changed since the last call cost anything.
 * A trie must be asked with one hasher all its life.
 * @source https://spec.polkadot.network/chap-state#sect-merkl-proof
 */
export const trieRoot = (root: Trie, hash: Hasher = blake256): Uint8Array => {
  const node = openNode(root)
  return node === undefined ? hash(Uint8Array.of(0)) : hash(encodeNode(node, hash))
}

/** Computes what a parent holds of a node: the encoded node below 32 bytes, else its hash. */
export const nodeReference = (node: TrieNode | StoredNode, hash: Hasher = blake256): Uint8Array => {
  if (isStored(node)) return node.reference
  if (node.reference === undefined) {
    const encoded = encodeNode(node, hash)
    node.reference = encoded.length < 32 ? encoded : hash(encoded)
  }
  return node.reference
}

/** Encodes a node: header with the length of the partial key, partial key, bitmap of children, value, children. */
export const encodeNode = (node: TrieNode, hash: Hasher = blake256): Uint8Array => {
  const value = encodeValue(node, hash)
  if (node.children === undefined) {
    const header = node.hashed ? lengthHeader(0x20, 5, node) : lengthHeader(0x40, 6, node)
    return concatBytes(header, packed(node.partial), ...value)
  }
  const header = lengthHeader(node.value === undefined ? 0x80 : node.hashed ? 0x10 : 0xc0, node.hashed ? 4 : 6, node)
  let bitmap = 0
  const children: Uint8Array[] = []
  for (let branch = 0; branch < 16; branch += 1) {
    const child = node.children[branch]
    if (child === undefined) continue
    bitmap |= 1 << branch
    const held = nodeReference(child, hash)
    children.push(compact(held.length), held)
  }
  return concatBytes(header, packed(node.partial), Uint8Array.of(bitmap & 255, bitmap >> 8), ...value, ...children)
}

const encodeValue = (node: TrieNode, hash: Hasher): readonly Uint8Array[] => {
  if (node.value === undefined) return []
  if (!node.hashed) return [compact(node.value.length), node.value]
  node.valueHash ??= hash(node.value)
  return [node.valueHash]
}

const lengthHeader = (kind: number, bits: number, { partial }: TrieNode): Uint8Array => {
  const most = (1 << bits) - 1
  if (partial.length < most) return Uint8Array.of(kind | partial.length)
  const header = [kind | most]
  let rest = partial.length - most
  for (; rest >= 255; rest -= 255) header.push(255)
  header.push(rest)
  return Uint8Array.from(header)
}

/** Packs two nibbles a byte; an odd first one stands alone. */
export const packed = (nibbles: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array((nibbles.length + 1) >> 1)
  const odd = nibbles.length & 1
  for (let index = 0; index < bytes.length; index += 1) {
    const low = index * 2 + 1 - odd
    bytes[index] = ((index === 0 && odd === 1 ? 0 : (nibbles[low - 1] ?? 0)) << 4) | (nibbles[low] ?? 0)
  }
  return bytes
}
