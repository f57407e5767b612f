import type { GenerateOptions, Generation } from '@arbor/shared/inference'
import { createAnswerText, readAnswerText } from '../../answer-text.ts'
import type { ModelConfig } from '../../model-config.ts'
import type { PreparedRequest } from '../../request.ts'
import type { Tokenizer } from '../../tokenizer.ts'

export interface AnswerDeps {
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  readonly request: PreparedRequest
  readonly onToken: GenerateOptions['onToken']
}

/** An answer that grows token by token, and ends by our own rules, whatever the server thinks. */
export interface GrowingAnswer {
  /** Tokens that it has. */
  readonly length: number
  /** Whether an end token, a stop text or the length has ended it. */
  readonly ended: boolean
  /** Adds tokens; those after its end are left out. @returns false when one is no token of the model */
  push(tokens: readonly unknown[]): boolean
  /** Makes of it what was asked for. */
  finish(): Generation
}

/** Starts an answer. */
export const openAnswer = ({ tokenizer, config, request, onToken }: AnswerDeps): GrowingAnswer => {
  const { maxTokens, stop } = request
  const text = createAnswerText({ tokenizer, stop })
  const tokens: number[] = []
  let ended = false
  const add = (token: number): void => {
    const end = config.ends.includes(token)
    tokens.push(token)
    const pushed = text.push(token, end || tokens.length === maxTokens)
    ended = end || pushed.stopped || tokens.length === maxTokens
    onToken?.(token, pushed.text)
  }
  return {
    get length() {
      return tokens.length
    },
    get ended() {
      return ended
    },
    push: (more) => {
      for (const token of more) {
        if (ended) return true
        if (!isToken(token, config)) return false
        add(token)
      }
      return true
    },
    finish: () => {
      const read = readAnswerText({ tokenizer, tokens, stop, maxTokens, ends: config.ends })
      return {
        text: read.text,
        tokens,
        finish: read.endedAt === null ? 'length' : 'stop',
        fingerprint: [],
        promptTokens: request.prompt.length,
      }
    },
  }
}

const isToken = (token: unknown, { vocabulary }: ModelConfig): token is number =>
  typeof token === 'number' && Number.isInteger(token) && token >= 0 && token < vocabulary
