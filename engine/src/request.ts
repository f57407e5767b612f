import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import type { ChatMessage, GenerateRequest, ProofKind } from '@arbor/shared/inference'
import type { ModelConfig } from './model-config.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A request that fits the model. */
export interface PreparedRequest {
  /** All tokens that the model sees before it answers. */
  readonly prompt: readonly number[]
  readonly maxTokens: number
  readonly temperature: number
  /** Null draws from all tokens. */
  readonly topK: number | null
  /** Null draws from all tokens. */
  readonly topP: number | null
  readonly stop: readonly string[]
  /** 32 bytes. */
  readonly seed: Uint8Array
  /** 32 bytes; zeros where the request has none. */
  readonly binding: Uint8Array
  readonly proof: ProofKind
}

/** Below the smallest, logits divided by it leave the range of numbers that tell two tokens apart. */
const TEMPERATURES = { smallest: 0.01, largest: 100 }
const STOPS = { count: 16, characters: 256 }
const PROOFS: readonly unknown[] = ['residue', 'toploc', 'none'] satisfies readonly ProofKind[]
const ROLES: readonly unknown[] = ['system', 'user', 'assistant'] satisfies readonly ChatMessage['role'][]
const MESSAGES = 1024

/**
 * Checks a request against the model's bounds and tokenises its prompt. A text prompt is read as the model's tokenizer reads it,
 * control tokens included; a conversation's contents stay text, whatever they hold.
 * @throws ENGINE_REQUEST_INVALID when a field is out of range or no valid Unicode
 * @throws ENGINE_PROMPT_TOO_LONG when prompt and answer together exceed the model's context
 * @throws ENGINE_NO_CHAT when the request is a conversation and the model has no chat template
 * @throws ENGINE_CHAT_REFUSED when the model's chat template does not take the conversation
 */
export const prepareRequest = (of: {
  readonly request: GenerateRequest
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}): PreparedRequest => {
  const { request, config } = of
  const { maxTokens, temperature, seed, binding, proof = 'residue' } = request
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) throw invalid('maxTokens', 'an integer of at least 1')
  if (!isTemperature(temperature)) {
    throw invalid('temperature', `0, or a number from ${TEMPERATURES.smallest} to ${TEMPERATURES.largest}`)
  }
  if (!isBytes32(seed)) throw invalid('seed', '32 bytes in hexadecimal')
  if (binding !== undefined && !isBytes32(binding)) throw invalid('binding', '32 bytes in hexadecimal')
  if (!PROOFS.includes(proof)) throw invalid('proof', `one of ${PROOFS.join(', ')}`)
  if (proof === 'none' && temperature !== 0) throw invalid('temperature', '0, as an answer without a proof needs')
  const filters = { topK: topKOf(request, config), topP: topPOf(request), stop: stopsOf(request) }
  return {
    prompt: promptOf(of),
    maxTokens,
    temperature,
    ...filters,
    seed: fromHex(seed, 32),
    binding: binding === undefined ? new Uint8Array(32) : fromHex(binding, 32),
    proof,
  }
}

const isTemperature = (value: unknown): boolean =>
  value === 0 || (typeof value === 'number' && value >= TEMPERATURES.smallest && value <= TEMPERATURES.largest)

const isBytes32 = (value: unknown): boolean => typeof value === 'string' && isHex(value, 32)

const topKOf = ({ topK }: GenerateRequest, { vocabulary }: ModelConfig): number | null => {
  if (topK === undefined) return null
  if (!Number.isSafeInteger(topK) || topK < 1) throw invalid('topK', 'an integer of at least 1')
  return topK >= vocabulary ? null : topK
}

const topPOf = ({ topP }: GenerateRequest): number | null => {
  if (topP === undefined || topP === 1) return null
  if (!(typeof topP === 'number' && topP > 0 && topP < 1)) throw invalid('topP', 'a number above 0 and up to 1')
  return topP
}

const stopsOf = ({ stop = [] }: GenerateRequest): readonly string[] => {
  const fits = (text: unknown): boolean => isText(text) && text !== '' && text.length <= STOPS.characters
  if (!Array.isArray(stop) || stop.length > STOPS.count || !stop.every(fits)) {
    throw invalid('stop', `a list of at most ${STOPS.count} texts of 1 to ${STOPS.characters} characters`)
  }
  return stop
}

const promptOf = (of: {
  readonly request: GenerateRequest
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}): readonly number[] => {
  const { config, tokenizer } = of
  const { prompt, maxTokens } = of.request
  const room = config.context - maxTokens
  const tokens =
    typeof prompt === 'string'
      ? textTokens(prompt, { room, maxTokens, config, tokenizer })
      : tokenizer.encodeChat(conversation(prompt, { room, maxTokens, config, tokenizer }))
  if (tokens.length > room) throw tooLong(tokens.length, 'tokens', maxTokens, config)
  if (tokens.length === 0) throw invalid('prompt', 'text: this model has no token to start from')
  return tokens
}

interface Bounds {
  /** Tokens that a prompt may have. */
  readonly room: number
  readonly maxTokens: number
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}

const textTokens = (prompt: string, bounds: Bounds): number[] => {
  if (!isText(prompt)) throw invalid('prompt', 'valid Unicode: it holds half of a surrogate pair')
  mustFit(prompt.length, bounds)
  const { start } = bounds.config
  return [...(start === null ? [] : [start]), ...bounds.tokenizer.encode(prompt)]
}

const conversation = (prompt: unknown, bounds: Bounds): readonly ChatMessage[] => {
  if (!Array.isArray(prompt) || prompt.length === 0 || prompt.length > MESSAGES) {
    throw invalid('prompt', `text, or a list of 1 to ${MESSAGES} messages`)
  }
  let characters = 0
  const messages = Array.from(prompt, (message: unknown, index): ChatMessage => {
    if (typeof message !== 'object' || message === null) throw invalid(`prompt[${index}]`, 'a message')
    const { role, content } = message as Readonly<Record<string, unknown>>
    if (!ROLES.includes(role)) throw invalid(`prompt[${index}].role`, `one of ${ROLES.join(', ')}`)
    if (!isText(content)) throw invalid(`prompt[${index}].content`, 'text of valid Unicode')
    characters += content.length
    return { role: role as ChatMessage['role'], content }
  })
  mustFit(characters, bounds)
  return messages
}

/** No token is longer than the longest, so text beyond this cannot fit and need not be tokenised to know it. */
const mustFit = (characters: number, { room, maxTokens, config, tokenizer }: Bounds): void => {
  if (characters > Math.max(0, room) * tokenizer.longest) throw tooLong(characters, 'characters', maxTokens, config)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed()

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
