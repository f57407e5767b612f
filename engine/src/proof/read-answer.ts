import type { Generation, ProofKind } from '@arbor/shared/inference'
import { readAnswerText } from '../answer-text.ts'
import type { ModelConfig } from '../model-config.ts'
import type { PreparedRequest } from '../request.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { CHUNK_TOKENS, TOP_K } from '../toploc.ts'
import { residuesOf } from './residue.ts'
import { MOST_REPAIRS } from './retokenise.ts'

/** An answer whose form is right; its text is that of its tokens, and it ends where it may. */
export interface ReadAnswer {
  readonly tokens: readonly number[]
  /** Bytes of each chunk's proof. */
  readonly proofs: readonly Uint8Array[]
  /** Whether a few tokens are missing that another tokenisation of the same text may have; only where there is no proof. */
  readonly short: boolean
}

/** Why an answer needs no look at the model. */
export type FormReason = 'malformed' | 'truncated' | 'text'

/**
 * Reads whatever a miner sent, cheapest checks first.
 * @param answer anything; what is unexpected is a refusal, never an exception
 */
export const readAnswer = (of: {
  readonly answer: unknown
  readonly request: PreparedRequest
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}): ReadAnswer | FormReason => {
  const { request, config, tokenizer } = of
  const { maxTokens, stop, proof } = request
  const generation = readFields(of.answer, request, config)
  if (generation === null) return 'malformed'
  const { text, tokens, finish, fingerprint } = generation
  if (tokens.length === 0) return 'truncated'
  const proofs = readProofs(fingerprint, tokens.length, proof)
  if (proofs === null) return 'malformed'
  const read = readAnswerText({ tokenizer, tokens, stop, maxTokens, ends: config.ends })
  // An end token or a stop text ends an answer, and nothing else does before the full length.
  if (read.endedAt !== null && read.endedAt !== tokens.length - 1) return 'malformed'
  const missing = read.endedAt === null ? maxTokens - tokens.length : 0
  const short = missing > 0 && missing <= MOST_REPAIRS && proof === 'none'
  if (read.endedAt === null && (finish === 'stop' || (missing > 0 && !short))) return 'truncated'
  if (read.endedAt !== null && finish === 'length') return 'malformed'
  return read.text === text ? { tokens, proofs, short } : 'text'
}

const readFields = (
  answer: unknown,
  { maxTokens }: PreparedRequest,
  { vocabulary }: ModelConfig,
): (Omit<Generation, 'fingerprint'> & { readonly fingerprint: readonly unknown[] }) | null => {
  if (typeof answer !== 'object' || answer === null) return null
  const { text, tokens: claimed, finish, fingerprint } = answer as Readonly<Record<string, unknown>>
  if (typeof text !== 'string' || (finish !== 'length' && finish !== 'stop')) return null
  if (!Array.isArray(claimed) || !Array.isArray(fingerprint) || claimed.length > maxTokens) return null
  const tokens: readonly number[] = Array.from(claimed) // turns holes into undefined, which the next line refuses
  if (!tokens.every((token) => Number.isInteger(token) && token >= 0 && token < vocabulary)) return null
  return { text, tokens, finish, fingerprint }
}

/** Decodes the proofs if there is exactly one for each chunk, in canonical base64 and of the exact length. */
const readProofs = (fingerprint: readonly unknown[], tokens: number, kind: ProofKind): Uint8Array[] | null => {
  const chunks = kind === 'none' ? 0 : Math.ceil(tokens / CHUNK_TOKENS)
  if (fingerprint.length !== chunks) return null
  const proofs: Uint8Array[] = []
  for (const [chunk, proof] of Array.from(fingerprint).entries()) {
    const most = kind === 'toploc' ? 2 + 2 * TOP_K : residuesOf(Math.min(CHUNK_TOKENS, tokens - chunk * CHUNK_TOKENS))
    if (typeof proof !== 'string' || proof.length > 4 * Math.ceil(most / 3)) return null
    const bytes = Buffer.from(proof, 'base64')
    if (bytes.toString('base64') !== proof || (kind === 'residue' && bytes.length !== most)) return null
    proofs.push(bytes)
  }
  return proofs
}
