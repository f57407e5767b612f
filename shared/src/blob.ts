import { toHex } from './hex.ts'
import { createTree, leafHash } from './merkle.ts'
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
