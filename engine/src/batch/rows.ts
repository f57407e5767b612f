import { Tensor } from 'onnxruntime-node'
import type { CacheSpec } from '../cache-spec.ts'
import type { Cache } from '../decoder.ts'

/** A piece of one row of a cache. */
export interface RowPiece {
  readonly cache: Cache
  readonly row: number
  /** First token taken, counted with the padding. */
  readonly from: number
  /** Tokens taken. */
  readonly length: number
}

/**
 * Makes a cache of pieces of others, one row each, padded at the left to the longest. The pieces stay as they are. Costs one copy of
 * what it takes.
 */
export type AssembleRows = (pieces: readonly RowPiece[]) => Promise<Cache>

/** Assembles caches that lie in this process's memory. */
export const assembleHere =
  (specs: readonly CacheSpec[]): AssembleRows =>
  async (pieces) => {
    const length = Math.max(...pieces.map((piece) => piece.length))
    const tensors = specs.map(({ type, heads, size }, index) => {
      const total = pieces.length * heads * length * size
      const target = type === 'float32' ? new Float32Array(total) : new Uint16Array(total)
      for (const [row, piece] of pieces.entries()) {
        const source = numbersOf(piece.cache, index)
        for (let head = 0; head < heads; head++) {
          const start = ((piece.row * heads + head) * piece.cache.length + piece.from) * size
          const end = ((row * heads + head + 1) * length - piece.length) * size
          target.set(source.subarray(start, start + piece.length * size), end)
        }
      }
      return new Tensor(type, target, [pieces.length, heads, length, size])
    })
    return { tensors, rows: pieces.length, length }
  }

const numbersOf = ({ tensors }: Cache, index: number): Float32Array | Uint16Array => {
  const data = tensors[index]?.data
  if (data instanceof Float32Array || data instanceof Uint16Array) return data
  throw new Error('a cache holds what no cache holds') // the specs were checked when the decoder was opened
}
