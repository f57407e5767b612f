import { setImmediate } from 'node:timers/promises'
import { SubnetError } from '@arbor/shared/errors'
import type { Generation } from '@arbor/shared/inference'
import type { ModelConfig } from './card.ts'
import type { Decoder } from './decoder.ts'
import type { PreparedRequest } from './request.ts'
import { chooseToken } from './sampler.ts'
import { streamText, type Tokenizer } from './tokenizer.ts'
import { chunksOf, proveChunk } from './toploc.ts'

export interface GenerateDeps {
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
}

export interface GenerateOptions {
  readonly signal?: AbortSignal | undefined
  readonly onToken?: ((token: number, text: string) => void) | undefined
}

/**
 * Generates an answer token by token with a key-value cache, and proves the hidden state that each token was drawn from.
 * @throws ENGINE_ABORTED at the token boundary after the signal aborts
 */
export const generate = async (
  { decoder, tokenizer, config }: GenerateDeps,
  request: PreparedRequest,
  { signal, onToken }: GenerateOptions,
): Promise<Generation> => {
  const tokens: number[] = []
  const rows: Float32Array[] = []
  const stream = streamText(tokenizer)
  let cache = decoder.empty
  let next: readonly number[] = request.prompt
  let finish: Generation['finish'] = 'length'
  for (let position = 0; position < request.maxTokens && finish === 'length'; position++) {
    await setImmediate() // the runtime blocks this thread while it computes; here messages, and so an abort, come in
    if (signal?.aborted) throw aborted(position, signal.reason)
    const step = await decoder.step(next, cache)
    const token = chooseToken({
      logits: step.logits.subarray(step.logits.length - step.vocabulary),
      temperature: request.temperature,
      seed: request.seed,
      position,
    })
    cache = step.cache
    next = [token]
    tokens.push(token)
    rows.push(step.hidden.slice(step.hidden.length - step.width))
    if (token === config.end) finish = 'stop'
    const text = stream.push(token, finish === 'stop' || position === request.maxTokens - 1)
    onToken?.(token, text)
  }
  return { text: tokenizer.decode(tokens), tokens, finish, fingerprint: fingerprintOf(rows) }
}

const fingerprintOf = (rows: readonly Float32Array[]): string[] => {
  const width = rows[0]?.length ?? 0
  const hidden = new Float32Array(rows.length * width)
  for (const [index, row] of rows.entries()) hidden.set(row, index * width)
  return chunksOf(hidden, width).map(({ values, k }) => Buffer.from(proveChunk(values, k)).toString('base64'))
}

const aborted = (position: number, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_ABORTED',
    message: `The generation was stopped after ${position} tokens; ask again if it is still wanted`,
    details: { position },
    cause,
    retryable: true,
  })
