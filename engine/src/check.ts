import type { Check, CheckReason, Generation } from '@arbor/shared/inference'
import type { ModelConfig, Thresholds } from './card.ts'
import type { GenerateDeps } from './generate.ts'
import type { PreparedRequest } from './request.ts'
import { samplingMargin } from './sampler.ts'
import { CHUNK_TOKENS, chunksOf, compareChunk, TOP_K } from './toploc.ts'

/** Margin that one token counts at most in the mean, so that a single outlier cannot outweigh a whole answer. */
const MARGIN_CLIP = 1

const refused = (reason: CheckReason): Check => ({
  reason,
  residueError: null,
  exponentMismatches: null,
  mantissaError: null,
  marginMean: null,
  marginMax: null,
  prefilled: 0,
})

/**
 * Decides whether an answer came from this model, this prompt and this seed: the tokens must decode to the text, their hidden
 * states must match the fingerprint, and each must be the one that the sampler chooses. One prefill serves both measurements.
 * @param answer whatever a miner sent; anything unexpected is a refusal, never an exception
 */
export const check = async (
  deps: GenerateDeps & { readonly thresholds: Thresholds },
  request: PreparedRequest,
  answer: unknown,
): Promise<Check> => {
  const generation = readGeneration(answer, request, deps.config)
  if (typeof generation === 'string') return refused(generation)
  const proofs = readProofs(generation.fingerprint, generation.tokens.length)
  if (proofs === null) return refused('malformed')
  if (deps.tokenizer.decode(generation.tokens) !== generation.text) return refused('text')
  return measure(deps, request, generation.tokens, proofs)
}

const measure = async (
  { decoder, thresholds }: GenerateDeps & { readonly thresholds: Thresholds },
  request: PreparedRequest,
  tokens: readonly number[],
  proofs: readonly Uint8Array[],
): Promise<Check> => {
  const { logits, hidden, vocabulary, width } = await decoder.step(
    [...request.prompt, ...tokens.slice(0, -1)],
    decoder.empty,
  )
  const first = request.prompt.length - 1 // the row of the prompt's last token drew the answer's first
  let exponentMismatches = 0
  let mantissaError = 0
  for (const [index, { values, k }] of chunksOf(hidden.slice(first * width), width).entries()) {
    const difference = compareChunk(values, proofs[index] ?? new Uint8Array(0), k)
    if (difference === null) return refused('malformed')
    exponentMismatches = Math.max(exponentMismatches, difference.exponentMismatches)
    mantissaError = Math.max(mantissaError, difference.mantissaError)
  }
  const { seed, temperature } = request
  const margins = tokens.map((token, position) => {
    const row = logits.subarray((first + position) * vocabulary, (first + position + 1) * vocabulary)
    return samplingMargin({ logits: row, temperature, seed, position, token })
  })
  const marginMax = Math.max(...margins)
  const marginMean = margins.reduce((sum, margin) => sum + Math.min(margin, MARGIN_CLIP), 0) / margins.length
  const measured = { exponentMismatches, mantissaError, marginMean, marginMax }
  return {
    reason: judge(measured, thresholds),
    residueError: null,
    ...measured,
    prefilled: request.prompt.length + tokens.length - 1,
  }
}

const judge = (measured: Omit<Thresholds, 'profile'>, limits: Thresholds): CheckReason => {
  const { exponentMismatches, mantissaError, marginMean, marginMax } = measured
  if (!(exponentMismatches <= limits.exponentMismatches && mantissaError <= limits.mantissaError)) return 'fingerprint'
  if (!(marginMean <= limits.marginMean && marginMax <= limits.marginMax)) return 'sampling'
  return 'ok'
}

/** Reads what a miner sent, cheapest checks first; returns why it is refused, or the parsed answer. */
const readGeneration = (
  answer: unknown,
  { maxTokens }: PreparedRequest,
  config: ModelConfig,
): Generation | 'malformed' | 'truncated' => {
  if (typeof answer !== 'object' || answer === null) return 'malformed'
  const { text, tokens: claimed, finish, fingerprint } = answer as Readonly<Record<string, unknown>>
  if (typeof text !== 'string' || (finish !== 'length' && finish !== 'stop')) return 'malformed'
  if (!Array.isArray(claimed) || !Array.isArray(fingerprint)) return 'malformed'
  if (claimed.length === 0 || claimed.length > maxTokens) return claimed.length === 0 ? 'truncated' : 'malformed'
  const tokens: readonly number[] = Array.from(claimed) // turns holes into undefined, which the next line refuses
  if (!tokens.every((token) => Number.isInteger(token) && token >= 0 && token < config.vocabulary)) return 'malformed'
  // The end token ends an answer, and nothing else does before the full length.
  const end = tokens.indexOf(config.end)
  if (end !== -1 && end !== tokens.length - 1) return 'malformed'
  if ((end !== -1) !== (finish === 'stop')) return finish === 'stop' ? 'truncated' : 'malformed'
  if (finish === 'length' && tokens.length !== maxTokens) return 'truncated'
  return { text, tokens, finish, fingerprint }
}

/** Decodes the proofs if there is exactly one for each chunk, each in canonical base64 of the longest proof at most. */
const readProofs = (fingerprint: readonly unknown[], tokens: number): Uint8Array[] | null => {
  if (fingerprint.length !== Math.ceil(tokens / CHUNK_TOKENS)) return null
  const proofs: Uint8Array[] = []
  for (const proof of fingerprint) {
    if (typeof proof !== 'string' || proof.length > LONGEST_PROOF) return null
    const bytes = Buffer.from(proof, 'base64')
    if (bytes.toString('base64') !== proof) return null
    proofs.push(bytes)
  }
  return proofs
}

const LONGEST_PROOF = 4 * Math.ceil((2 + 2 * TOP_K) / 3)
