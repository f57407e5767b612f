import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import files from '../../test/vectors/finetune/files.json' with { type: 'json' }
import { blobName, PIECE_BYTES, pieceAt, pieceProof, piecesOf, pieceTree, verifyPiece } from '../src/blob.ts'
import { fromHex, toHex } from '../src/hex.ts'

const { blobs } = files

/** The bytes that scripts/finetune-vectors.py drew, of the vectors' sizes. */
const drawn = (() => {
  let x = 11
  const next = (): Uint8Array =>
    Uint8Array.from({ length: 251 }, () => {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
      return x >>> 24
    })
  return blobs.map(({ size }) => {
    const some = next()
    return Uint8Array.from({ length: size }, (_, at) => some[at % 251] ?? 0)
  })
})()
const big = drawn.at(-1) ?? new Uint8Array()
const name = blobName(big)
const whole = { name, bytes: big.length }

describe('a file that is named by its pieces', () => {
  test.each(blobs.map((blob, at) => ({ ...blob, at })))('is named and proven as in Python at $size bytes', (blob) => {
    const file = drawn[blob.at] ?? new Uint8Array()
    expect(`0x${hash('sha256', file)}`).toBe(blob.sha256)
    expect(blobName(file)).toBe(blob.name)
    expect(pieceTree(file)).toMatchObject({ root: blob.name, size: blob.proofs.length })
    expect(blob.proofs.map((_, index) => pieceProof(file, index).map(toHex))).toEqual(blob.proofs)
  })

  test('proves each of its pieces', () => {
    const tree = pieceTree(big)
    for (let index = 0; index < piecesOf(big.length); index += 1)
      expect(verifyPiece({ ...whole, index, piece: pieceAt(big, index), proof: tree.proof(index) })).toBe(true)
  })

  test('refuses a piece of another place, length, file or proof', () => {
    const tree = pieceTree(big)
    const piece = pieceAt(big, 2)
    const proof = tree.proof(2)
    const good = { ...whole, index: 2, piece, proof }
    expect(verifyPiece(good)).toBe(true)
    expect(verifyPiece({ ...good, index: 3 })).toBe(false)
    expect(verifyPiece({ ...good, piece: piece.subarray(1) })).toBe(false)
    expect(verifyPiece({ ...good, piece: piece.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) })).toBe(false)
    expect(verifyPiece({ ...good, proof: proof.slice(1) })).toBe(false)
    expect(verifyPiece({ ...good, proof: [...proof, new Uint8Array(32)] })).toBe(false)
    expect(verifyPiece({ ...good, proof: proof.map((step) => step.subarray(1)) })).toBe(false)
    expect(verifyPiece({ ...good, bytes: big.length + 4 * PIECE_BYTES })).toBe(false)
    expect(verifyPiece({ ...good, name: toHex(fromHex(name).toReversed()) })).toBe(false)
    for (const index of [-1, 6, 0.5, Number.NaN, 2 ** 40]) expect(verifyPiece({ ...good, index })).toBe(false)
  })

  test('refuses a last piece that is cut or goes on', () => {
    const index = piecesOf(big.length) - 1
    const proof = pieceTree(big).proof(index)
    const piece = pieceAt(big, index)
    expect(verifyPiece({ ...whole, index, piece, proof })).toBe(true)
    expect(verifyPiece({ ...whole, index, piece: piece.subarray(0, -1), proof })).toBe(false)
    expect(verifyPiece({ ...whole, bytes: big.length - 1, index, piece: piece.subarray(0, -1), proof })).toBe(false)
  })

  test('never takes bytes that a stranger made up', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.uint8Array({ minLength: 31, maxLength: 33 }), { maxLength: 5 }),
        fc.nat(7),
        (piece, proof, index) => !verifyPiece({ ...whole, index, piece, proof }),
      ),
      { seed: 8 },
    )
  })
})
