import { areFinite } from '@arbor/shared/floats'
import type { Layout } from '@arbor/shared/training'
import type { Optimiser, OuterTerms } from '../types.ts'
import { bitReader, bitWriter, malformed } from './bits.ts'
import { checkChunks, checkOuter, checkProgress, notFinite, unusable } from './checks.ts'
import { chunksOf } from './chunks.ts'
import { nesterov, outerApply } from './outer.ts'
import { leastBits, mostBits, readChunk, scratchFor, writeChunk } from './sparse.ts'

interface Terms {
  readonly outer: OuterTerms
  readonly chunk: number
  readonly k: number
  readonly feedback: number
}

/**
 * SparseLoCo: of each chunk of progress + feedback · carried the k largest entries, in 2 bits; what was not sent is carried.
 * @source arXiv 2508.15706
 */
export const sparseloco = (terms: Terms, { size }: Layout): Optimiser => {
  const { outer, chunk, k, feedback } = terms
  checkOuter(outer)
  checkChunks(terms)
  if (!(feedback >= 0 && feedback <= 1)) throw unusable('feedback', feedback, 'in [0, 1]')
  const codec = sparseCodec({ size, chunk, k })
  return {
    kind: 'sparseloco',
    local: 'steps',
    maxPayloadBytes: codec.mostBytes,
    encode: ({ progress, carried }) => {
      checkProgress({ progress, carried, size })
      const whole = progress.map((value, i) => value + feedback * (carried[i] ?? 0))
      if (!areFinite(whole)) throw notFinite('The progress with what was carried')
      const payload = codec.write(whole)
      const sent = codec.read(payload)
      return { payload, carried: whole.map((value, i) => value - (sent[i] ?? 0)) }
    },
    decode: codec.read,
    merge: nesterov(outer),
    apply: outerApply(outer),
  }
}

/** Writes and reads sparse vectors chunk by chunk. */
export interface SparseCodec {
  readonly mostBytes: number
  write(vector: Float32Array): Uint8Array
  /** @throws UPDATE_MALFORMED */
  read(payload: Uint8Array): Float32Array
}

/** Makes the codec of a size; nothing is allocated for a payload before its length is known to fit. */
export const sparseCodec = (of: { readonly size: number; readonly chunk: number; readonly k: number }): SparseCodec => {
  const { size, chunk, k } = of
  const chunks = chunksOf(of)
  const bytesBy = (bits: (of: { readonly length: number; readonly kept: number }) => number): number => {
    const full = Math.floor(size / chunk)
    const rest = chunks.count > full ? bits({ length: chunks.length(full), kept: chunks.kept(full) }) : 0
    return Math.ceil((full * bits({ length: chunk, kept: k }) + rest) / 8)
  }
  const [leastBytes, mostBytes] = [bytesBy(leastBits), bytesBy(mostBits)]
  return {
    mostBytes,
    write: (vector) => {
      const writer = bitWriter(mostBytes)
      const scratch = scratchFor({ k })
      for (let index = 0; index < chunks.count; index += 1) {
        const start = chunks.start(index)
        const values = vector.subarray(start, start + chunks.length(index))
        writeChunk({ writer, values, kept: chunks.kept(index), scratch })
      }
      return writer.bytes()
    },
    read: (payload) => {
      if (payload.length < leastBytes || payload.length > mostBytes)
        throw malformed(`has ${payload.length} bytes; those of this model have ${leastBytes} to ${mostBytes}`)
      const vector = new Float32Array(size)
      const reader = bitReader(payload)
      for (let index = 0; index < chunks.count; index += 1) {
        const start = chunks.start(index)
        const onEntry = (at: number, value: number): void => {
          vector[start + at] = value
        }
        readChunk({ reader, length: chunks.length(index), kept: chunks.kept(index), onEntry })
      }
      if (!reader.isDone()) throw malformed('goes on behind its end')
      return vector
    },
  }
}
