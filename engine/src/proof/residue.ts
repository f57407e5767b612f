/**
 * Proofs of hidden states by residues: for each chunk of an answer a few coordinates, chosen by a key that only this answer has, in
 * steps of a share of their row's root mean square, modulo 256. Written out, with what forging costs, in docs/verification.md.
 */

import { createHash, type Hash } from 'node:crypto'
import { fromHex } from '@arbor/shared/hex'
import type { ModelId, PrecisionProfile } from '@arbor/shared/inference'
import { fillStream } from '../noise.ts'
import { notFinite } from '../sampler.ts'
import { CHUNK_TOKENS } from '../toploc.ts'

/** Bytes of a full chunk's proof: one coordinate of each row. */
export const CHUNK_RESIDUES = CHUNK_TOKENS
/** Bytes of the shortest proof, so that the end of an answer is proven no worse. */
const LEAST_RESIDUES = 16
/** Share of a row's root mean square that one step is: far above rounding, far below what other weights change. */
export const RESIDUE_STEP: Readonly<Record<PrecisionProfile, number>> = { fp32: 1 / 1024, fp16: 1 / 64, int8: 1 / 16 }

const MODULUS = 256
/** Rows below this are proven in steps of it: their values are noise, and are not blown up. */
const LEAST_SCALE = 1e-6

/** What the coordinates of an answer's proof depend on. */
export interface ResidueKey {
  readonly binding: Uint8Array
  readonly model: Pick<ModelId, 'hash' | 'profile'>
  /** All tokens of the answer: coordinates are unknown until it is complete. */
  readonly tokens: readonly number[]
}

/** Proves one chunk, or compares it with a proof. */
export interface ResidueProver {
  /**
   * @param rows  last hidden states of the chunk's tokens, [tokens × width]
   * @throws ENGINE_BAD_LOGITS when one of them is no finite number
   */
  prove(chunk: number, rows: Float32Array): Uint8Array
  /**
   * Measures the mean distance, in steps, by which values lie outside what rounds to the proven bytes; 63.5 for unrelated ones.
   * @returns null when the proof is not of the length that so many rows have
   */
  compare(chunk: number, rows: Float32Array, proof: Uint8Array): number | null
}

/** Counts the bytes of a chunk's proof: one for each token, and 16 at least. */
export const residuesOf = (tokens: number): number => Math.max(LEAST_RESIDUES, Math.min(CHUNK_RESIDUES, tokens))

/** Opens the proofs of one answer over hidden states of a width. */
export const openResidues = (key: ResidueKey, width: number): ResidueProver => {
  const { profile } = key.model
  const answer = hashOf(key)
  const step = RESIDUE_STEP[profile]
  const stepsOf = (chunk: number, rows: Float32Array): Float64Array => {
    const count = rows.length / width
    const columns = columnsOf(answer, chunk, residuesOf(count), width)
    const scales = Float64Array.from({ length: count }, (_, row) =>
      scaleOf(rows.subarray(row * width, (row + 1) * width)),
    )
    return Float64Array.from(columns, (column, index) => {
      const row = index % count // each row has its turn, so that no token goes unproven
      const steps = (rows[row * width + column] ?? 0) / ((scales[row] ?? 1) * step)
      if (!Number.isFinite(steps)) throw notFinite('hidden states', chunk * CHUNK_TOKENS + row)
      return steps
    })
  }
  return {
    prove: (chunk, rows) => Uint8Array.from(stepsOf(chunk, rows), (steps) => modulo(Math.floor(steps + 0.5))),
    compare: (chunk, rows, proof) => {
      if (proof.length !== residuesOf(rows.length / width)) return null
      const steps = stepsOf(chunk, rows)
      let sum = 0
      for (const [index, own] of steps.entries()) sum += Math.max(0, distance(own, proof[index] ?? 0) - 0.5)
      return sum / steps.length
    },
  }
}

const hashOf = ({ binding, model, tokens }: ResidueKey): Hash =>
  createHash('sha256')
    .update('arbor/residue/1')
    .update(binding)
    .update(fromHex(model.hash, 32))
    .update(model.profile)
    .update(idsOf(tokens))

const idsOf = (tokens: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * tokens.length)
  for (const [index, token] of tokens.entries()) bytes.writeUInt32LE(token, 4 * index)
  return bytes
}

/** Chooses one column for each residue, from a stream that belongs to the answer and the chunk. */
const columnsOf = (answer: Hash, chunk: number, count: number, width: number): number[] => {
  const index = Buffer.alloc(4)
  index.writeUInt32LE(chunk)
  const outputs = new Uint32Array(count)
  fillStream(answer.copy().update(index).digest(), outputs)
  return Array.from(outputs, (output) => Math.floor((output / 2 ** 32) * width))
}

const scaleOf = (row: Float32Array): number => {
  let squares = 0
  for (const value of row) squares += value * value
  return Math.max(LEAST_SCALE, Math.sqrt(squares / row.length))
}

const modulo = (value: number): number => ((value % MODULUS) + MODULUS) % MODULUS

/** Measures how far two numbers are apart on the circle of 256. */
const distance = (first: number, second: number): number => {
  const apart = modulo(first - second)
  return Math.min(apart, MODULUS - apart)
}
