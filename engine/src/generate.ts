import type { GenerateOptions, Generation, ModelId } from '@arbor/shared/inference'
import { createAnswerText } from './answer-text.ts'
import type { Sequence } from './batch/types.ts'
import type { ModelConfig } from './model-config.ts'
import { proveAnswer } from './proof/prove.ts'
import type { PreparedRequest } from './request.ts'
import { createDraws } from './sampler.ts'
import type { Tokenizer } from './tokenizer.ts'

/** An answer that comes to be: a batch feeds it until it is complete. */
export interface Answer extends Sequence {
  /** Proves the complete answer. */
  generation(): Generation
}

/** Starts an answer. */
export const createAnswer = (of: {
  readonly request: PreparedRequest
  /** Model under whose name tokens are drawn and proved. */
  readonly model: ModelId
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
  readonly options: GenerateOptions
}): Answer => {
  const { request, model, config, tokenizer, options } = of
  const { prompt, maxTokens, stop } = request
  const draws = createDraws({ request, model })
  const shown = createAnswerText({ tokenizer, stop })
  const tokens: number[] = []
  const rows = createRows(request.proof === 'none' ? 0 : maxTokens)
  let text = ''
  let finish: Generation['finish'] = 'length'
  return {
    prompt,
    maxTokens,
    signal: options.signal,
    position: () => tokens.length,
    next: (logits, hidden) => {
      const token = draws.choose(logits, tokens.length)
      tokens.push(token)
      rows.push(hidden)
      const end = config.ends.includes(token)
      const pushed = shown.push(token, end || tokens.length === maxTokens)
      text += pushed.text
      if (end || pushed.stopped) finish = 'stop'
      options.onToken?.(token, pushed.text)
      return finish === 'stop' || tokens.length === maxTokens ? null : token
    },
    generation: () => {
      const fingerprint = proveAnswer({ request, model, tokens, ...rows.all() })
      return { text, tokens, finish, fingerprint, promptTokens: prompt.length }
    },
  }
}

/** Rows of one width, in memory that doubles as they come, up to so many. */
const createRows = (most: number) => {
  let memory = new Float32Array(0)
  let width = 0
  let count = 0
  return {
    push: (row: Float32Array): void => {
      if (count >= most) return
      width = row.length
      if ((count + 1) * width > memory.length) {
        const larger = new Float32Array(Math.min(most, Math.max(64, 2 * count)) * width)
        larger.set(memory)
        memory = larger
      }
      memory.set(row, count * width)
      count++
    },
    all: () => ({ hidden: memory.subarray(0, count * width), width }),
  }
}
