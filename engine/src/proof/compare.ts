import type { ModelId } from '@arbor/shared/inference'
import type { PreparedRequest } from '../request.ts'
import { CHUNK_TOKENS, chunksOf, compareChunk } from '../toploc.ts'
import { openResidues } from './residue.ts'

/** How far a chunk's hidden states are from its proof; what the kind of proof does not measure is null. */
export interface ChunkErrors {
  readonly chunk: number
  /** Its first token, and the one after its last that was seen. */
  readonly from: number
  readonly to: number
  readonly residueError: number | null
  readonly exponentMismatches: number | null
  readonly mantissaError: number | null
}

/**
 * Compares hidden states with their proofs.
 * @param of.hidden [tokens × width], from the answer's first token; whole chunks, or to the answer's end
 * @returns null when a proof is malformed
 */
export const compareProofs = (of: {
  readonly request: PreparedRequest
  readonly model: ModelId
  /** All tokens of the answer. */
  readonly tokens: readonly number[]
  readonly proofs: readonly Uint8Array[]
  readonly hidden: Float32Array
  readonly width: number
}): readonly ChunkErrors[] | null => {
  const { request, model, tokens, proofs, width } = of
  if (request.proof === 'none') return []
  const residues = openResidues({ binding: request.binding, model, tokens }, width)
  const errors = chunksOf(of.hidden, width).map(({ values, k }, chunk): ChunkErrors | null => {
    const from = chunk * CHUNK_TOKENS
    const place = { chunk, from, to: from + values.length / width }
    const proof = proofs[chunk] ?? new Uint8Array(0)
    if (request.proof === 'residue') {
      const residueError = residues.compare(chunk, values, proof)
      return residueError === null ? null : { ...place, residueError, exponentMismatches: null, mantissaError: null }
    }
    const difference = compareChunk(values, proof, k)
    return difference === null ? null : { ...place, residueError: null, ...difference }
  })
  const found = errors.filter((error) => error !== null)
  return found.length < errors.length ? null : found
}

/** Finds the largest of a measurement; null where no chunk has it. */
export const worstOf = (
  chunks: readonly ChunkErrors[],
  key: 'residueError' | 'exponentMismatches' | 'mantissaError',
): number | null => {
  const found = chunks.map((chunk) => chunk[key]).filter((value) => value !== null)
  return found.length === 0 ? null : Math.max(...found)
}
