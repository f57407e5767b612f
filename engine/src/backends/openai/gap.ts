import type { Tokenizer } from '../../tokenizer.ts'
import type { Piece } from './dialect.ts'

/**
 * Fills a gap: llama.cpp sends no event for a token that ends within a character, but its count goes on, and the next event's text
 * holds the whole character.
 */
export const withGap = (tokenizer: Tokenizer, { tokens, text, total }: Piece, known: number): readonly unknown[] => {
  const told = tokens ?? []
  if (total === null || told.length === 0 || total <= known + told.length) return told
  const whole = tokenizer.encode(text)
  const isWhole =
    whole.length === total - known && told.every((id, index) => whole[whole.length - told.length + index] === id)
  return isWhole ? whole : told
}
