import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import type { GenerateRequest } from '@arbor/shared/inference'
import type { ModelConfig } from './card.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A request that fits the model. */
export interface PreparedRequest {
  /** Start token, then the prompt's tokens. */
  readonly prompt: readonly number[]
  readonly maxTokens: number
  readonly temperature: number
  readonly seed: Uint8Array
}

/**
 * Checks a request against the model's bounds and tokenises its prompt.
 * @throws ENGINE_REQUEST_INVALID when a field is out of range
 * @throws ENGINE_PROMPT_TOO_LONG when prompt and answer together exceed the model's context
 */
export const prepareRequest = (of: {
  readonly request: GenerateRequest
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}): PreparedRequest => {
  const { request, config, tokenizer } = of
  const { prompt, maxTokens, temperature, seed } = request
  if (typeof prompt !== 'string') throw invalid('prompt', 'text')
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) throw invalid('maxTokens', 'an integer of at least 1')
  if (!Number.isFinite(temperature) || temperature < 0) throw invalid('temperature', 'a number of at least 0')
  if (!isHex(seed, 32)) throw invalid('seed', '32 bytes in hexadecimal')
  const room = config.context - maxTokens - 1
  // No token is longer than the longest, so text beyond this cannot fit and need not be tokenised to know it.
  if (prompt.length > Math.max(0, room) * tokenizer.longest)
    throw tooLong(prompt.length, 'characters', maxTokens, config)
  const tokens = tokenizer.encode(prompt)
  if (tokens.length > room) throw tooLong(tokens.length, 'tokens', maxTokens, config)
  return { prompt: [config.start, ...tokens], maxTokens, temperature, seed: fromHex(seed, 32) }
}

const invalid = (field: string, expected: string): SubnetError =>
  new SubnetError({
    code: 'ENGINE_REQUEST_INVALID',
    message: `The request's ${field} is not ${expected}; correct the request`,
    details: { field },
  })

const tooLong = (length: number, unit: string, maxTokens: number, { context }: ModelConfig): SubnetError =>
  new SubnetError({
    code: 'ENGINE_PROMPT_TOO_LONG',
    message: `A prompt of ${length} ${unit} and ${maxTokens} tokens of answer exceed the model's ${context} tokens; shorten one`,
    details: { length, unit, maxTokens, context },
  })
