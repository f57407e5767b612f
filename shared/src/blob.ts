import { fromHex, toHex } from './hex.ts'
import { createTree, inclusionProof, leafHash, type NodeAt, rootOf, verifyInclusion } from './merkle.ts'
import type { Hex } from './units.ts'

/** Bytes of a piece of a file: small enough for one answer of an axon, and a state of a small model has few of them. */
export const PIECE_BYTES = 65_536 // 64 KiB

/** Counts the pieces of a file; an empty file has none. */
export const piecesOf = (bytes: number): number => Math.ceil(bytes / PIECE_BYTES)

/** Takes a piece of a file, the last one as long as what is left. */
export const pieceAt = (file: Uint8Array, index: number): Uint8Array =>
  file.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)

/** Names a file by its content: the root of RFC 6962's tree over its pieces, so that each piece can be proven alone. */
export const blobName = (file: Uint8Array): Hex => {
  const tree = createTree()
  for (let index = 0; index < piecesOf(file.length); index += 1) tree.add(leafHash(pieceAt(file, index)))
  return toHex(tree.root())
}

/** A list of leaves that is proven one by one. */
export interface ProvenList {
  /** RFC 6962 root. */
  readonly root: Hex
  readonly size: number
  /** Audit path of a leaf, nearest first; for an index of the list only. */
  proof(index: number): readonly Uint8Array[]
}

/** Holds the tree over leaves' hashes, twice their number of nodes, for proofs of O(log n) each. */
export const provenList = (leaves: readonly Uint8Array[]): ProvenList => {
  const levels: Uint8Array[][] = []
  const keep = (level: number, position: number, node: Uint8Array): void => {
    const nodes = levels[level] ?? []
    levels[level] = nodes
    nodes[position] = node
  }
  const tree = createTree()
  for (const [index, leaf] of leaves.entries()) {
    keep(0, index, leaf)
    tree.add(leaf, keep)
  }
  // The tree asks for its full subtrees alone, and all of those are kept.
  const nodeAt: NodeAt = (level, position) => levels[level]?.[position] ?? new Uint8Array(32)
  const size = leaves.length
  return {
    root: toHex(rootOf(size, nodeAt)),
    size,
    proof: (index) => inclusionProof({ index, size, nodeAt }),
  }
}

/** Prepares a file for being served piece by piece; `root` is its name. */
export const pieceTree = (file: Uint8Array): ProvenList =>
  provenList(Array.from({ length: piecesOf(file.length) }, (_, index) => leafHash(pieceAt(file, index))))

/** Proves one piece of a file, reading all of it; `pieceTree` serves many. */
export const pieceProof = (file: Uint8Array, index: number): readonly Uint8Array[] => pieceTree(file).proof(index)

/**
 * Checks a piece that came from a stranger.
 * @param of.bytes of the whole file, which whoever asks knows
 */
export const verifyPiece = (of: {
  readonly name: Hex
  readonly bytes: number
  readonly index: number
  readonly piece: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean => {
  const { name, bytes, index, piece, proof } = of
  const size = piecesOf(bytes)
  if (!Number.isInteger(index) || index < 0 || index >= size) return false
  if (piece.length !== Math.min(PIECE_BYTES, bytes - index * PIECE_BYTES)) return false
  return verifyInclusion({ leaf: leafHash(piece), index, size, proof, root: fromHex(name) })
}
