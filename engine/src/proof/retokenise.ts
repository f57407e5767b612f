import type { Tokenizer } from '../tokenizer.ts'

/** Other tokenisations that one answer may need; each costs a prefill. */
export const MOST_REPAIRS = 4

/**
 * Puts the token that a model draws in place of the one that was claimed, where the text goes on with it. Servers that tell no token ids have
 * their text tokenised again, and a model may reach a text by other tokens than its tokenizer would.
 * @param of.drawn what the model draws at the position
 * @returns the answer's tokens with that one; null where the text does not go on so
 */
export const repairTokens = (of: {
  readonly tokens: readonly number[]
  readonly position: number
  readonly drawn: number
  readonly ends: readonly number[]
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'decode'>
}): readonly number[] | null => {
  const { tokens, position, drawn, ends, tokenizer } = of
  const head = tokens.slice(0, position)
  const end = tokens.slice(-1).filter((token) => ends.includes(token))
  const text = tokenizer.decode(tokens)
  const begun = tokenizer.decode([...head, drawn])
  if (begun.length <= tokenizer.decode(head).length || !text.startsWith(begun)) return null
  const repaired = [...head, drawn, ...tokenizer.encode(text.slice(begun.length)), ...end]
  return tokenizer.decode(repaired) === text ? repaired : null
}
