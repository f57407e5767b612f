import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import type { InferenceBounds } from './bounds.ts'

/** Tokens of one proof. */
export const CHUNK_TOKENS = 32
/** A proof of TOPLOC has 258 bytes, 344 characters of base64; residues have fewer. */
const MAX_PROOF_CHARS = 400
/** Longest text that one token stands for, about; the longest of a usual vocabulary are runs of spaces. */
const CHARS_PER_TOKEN = 64

/** Makes the schemas of a chat's question and answer. Optional parts may be null, which is how Python says that they are not there. */
export const schemasOf = ({ maxTokens, maxPromptChars }: InferenceBounds, of: { readonly isGreedy: boolean }) => {
  const message = z.strictObject({
    role: z.enum(['system', 'user', 'assistant']),
    content: z.string().max(maxPromptChars),
  })
  const request = z.strictObject({
    prompt: z.union([z.string().min(1).max(maxPromptChars), z.array(message).min(1).max(64)]),
    maxTokens: z.number().int().min(1).max(maxTokens),
    temperature: z
      .number()
      .min(0)
      .max(of.isGreedy ? 0 : 2),
    topK: z.number().int().min(1).max(100_000).nullish(),
    topP: z.number().gt(0).max(1).nullish(),
    stop: z.array(z.string().min(1).max(64)).max(4).nullish(),
    seed: z
      .string()
      .regex(/^0x[0-9a-f]{64}$/)
      .transform((text) => text as Hex),
  })
  const response = z.strictObject({
    text: z.string().max(maxTokens * CHARS_PER_TOKEN),
    tokens: z.array(z.number().int().min(0).max(0xffff_ffff)).max(maxTokens),
    finish: z.enum(['length', 'stop']),
    fingerprint: z.array(z.string().max(MAX_PROOF_CHARS)).max(Math.ceil(maxTokens / CHUNK_TOKENS)),
  })
  return { request, response }
}
