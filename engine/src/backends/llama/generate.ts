import { setImmediate } from 'node:timers/promises'
import type { GenerateOptions, Generation, ModelId } from '@arbor/shared/inference'
import { createAnswer } from '../../generate.ts'
import type { ModelConfig } from '../../model-config.ts'
import type { PreparedRequest } from '../../request.ts'
import type { Tokenizer } from '../../tokenizer.ts'
import { evaluatePrompt, evaluateToken, type Slot } from './slot.ts'

export interface GenerateDeps {
  readonly model: ModelId
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
}

/**
 * Generates an answer by llama.cpp's logits and our own sampler, so that it is drawn and proved as our own engine's are.
 * @throws the signal's reason at the token boundary after it aborts
 */
export const generate = async (
  deps: GenerateDeps,
  slot: Slot,
  request: PreparedRequest,
  options: GenerateOptions,
  signal: AbortSignal,
): Promise<Generation> => {
  const answer = createAnswer({ ...deps, request, options })
  const { vocabulary } = deps.config
  const wantHidden = request.proof !== 'none'
  await evaluatePrompt(slot, request.prompt, signal)
  let token: number | null = request.prompt.at(-1) ?? null
  for (let seen = request.prompt.length; token !== null; seen++) {
    await setImmediate() // here messages, and so an abort, come in
    signal.throwIfAborted()
    const { logits, hidden } = await evaluateToken(slot, { token, seen, vocabulary, wantHidden })
    token = answer.next(logits, hidden)
  }
  return answer.generation()
}
