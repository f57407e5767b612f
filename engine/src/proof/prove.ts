import type { ModelId } from '@arbor/shared/inference'
import type { PreparedRequest } from '../request.ts'
import { chunksOf, proveChunk } from '../toploc.ts'
import { openResidues } from './residue.ts'

/**
 * Proves an answer in the way that its request wants.
 * @param of.tokens all tokens of the answer
 * @param of.hidden last hidden states that drew them, [tokens × width]
 * @returns one base64 proof for each chunk of 32 tokens; none where the request wants none
 * @throws ENGINE_BAD_LOGITS when a hidden state is no finite number
 */
export const proveAnswer = (of: {
  readonly request: Pick<PreparedRequest, 'proof' | 'binding'>
  readonly model: Pick<ModelId, 'hash' | 'profile'>
  readonly tokens: readonly number[]
  readonly hidden: Float32Array
  readonly width: number
}): string[] => {
  const { request, model, tokens, hidden, width } = of
  if (request.proof === 'none') return []
  const chunks = chunksOf(hidden, width)
  if (request.proof === 'toploc') return chunks.map(({ values, k }) => encode(proveChunk(values, k)))
  const residues = openResidues({ binding: request.binding, model, tokens }, width)
  return chunks.map(({ values }, chunk) => encode(residues.prove(chunk, values)))
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
