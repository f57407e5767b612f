import type { ModelConfig } from './model-config.ts'
import { streamText, type Tokenizer } from './tokenizer.ts'

/** Text of a growing answer, as far as it may be shown. */
export interface AnswerText {
  /**
   * Adds a token.
   * @param last whether no other token may follow
   * @returns the text that it lets out, and whether it completed a stop text; then none may follow either
   */
  push(token: number, last: boolean): { readonly text: string; readonly stopped: boolean }
}

/** Starts the text of one answer: no part of a stop text ever leaves, so what may become one is held back. */
export const createAnswerText = (of: {
  readonly tokenizer: Tokenizer
  readonly stop: readonly string[]
}): AnswerText => {
  const stream = streamText(of.tokenizer)
  if (of.stop.length === 0) return { push: (token, last) => ({ text: stream.push(token, last), stopped: false }) }
  let held = ''
  return {
    push: (token, last) => {
      held += stream.push(token, last)
      const found = of.stop.map((stop) => held.indexOf(stop)).filter((place) => place !== -1)
      const stopped = found.length > 0
      const length = stopped ? Math.min(...found) : last ? held.length : held.length - heldBack(held, of.stop)
      const text = held.slice(0, length)
      held = held.slice(length)
      return { text, stopped }
    },
  }
}

/** Length of the longest end of a text that begins a stop text. */
const heldBack = (text: string, stop: readonly string[]): number => {
  for (let length = Math.min(text.length, Math.max(...stop.map((each) => each.length)) - 1); length > 0; length--) {
    const end = text.slice(-length)
    if (stop.some((each) => each.startsWith(end))) return length
  }
  return 0
}

/**
 * Reads whole answers as they are generated.
 * @returns the text, and the index of the token that ended it by an end token or a stop text; null when none did
 */
export const readAnswerText = (of: {
  readonly tokenizer: Tokenizer
  readonly tokens: readonly number[]
  readonly stop: readonly string[]
  readonly maxTokens: number
  readonly ends: ModelConfig['ends']
}): { readonly text: string; readonly endedAt: number | null } => {
  const answer = createAnswerText(of)
  let text = ''
  for (const [index, token] of of.tokens.entries()) {
    const end = of.ends.includes(token)
    const pushed = answer.push(token, end || index === of.maxTokens - 1)
    text += pushed.text
    if (end || pushed.stopped) return { text, endedAt: index }
  }
  return { text, endedAt: null }
}
