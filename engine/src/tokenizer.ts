import { Tokenizer as Loaded } from '@huggingface/tokenizers'

/** Turns text into token ids and back. */
export interface Tokenizer {
  encode(text: string): number[]
  /** Leaves special tokens out; bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string
  /** Most UTF-16 units of text that one token stands for. */
  readonly longest: number
}

/** Opens a tokenizer.json that was parsed before. */
export const openTokenizer = (json: object): Tokenizer => {
  const loaded = new Loaded(json, { clean_up_tokenization_spaces: false })
  const longest = Math.max(...[...loaded.get_vocab().keys()].map((piece) => piece.length))
  return {
    longest,
    encode: (text) => Array.from(loaded.encode(text, { add_special_tokens: false }).ids, Number),
    decode: (tokens) => (tokens.length === 0 ? '' : loaded.decode([...tokens], { skip_special_tokens: true })),
  }
}

/** Turns a growing answer into pieces of text that never split a character; the pieces joined are the whole text. */
export interface TextStream {
  /** @param last true for the answer's last token: then everything held back comes out */
  push(token: number, last: boolean): string
}

const INCOMPLETE = '\ufffd'

/** Starts a stream of text over the tokens of one answer. */
export const streamText = (tokenizer: Tokenizer): TextStream => {
  const tokens: number[] = []
  let anchor = 0 // tokens before it are out already; those from it to `settled` are out too and serve as context
  let settled = 0
  return {
    push: (token, last) => {
      tokens.push(token)
      const before = tokenizer.decode(tokens.slice(anchor, settled))
      const after = tokenizer.decode(tokens.slice(anchor))
      if (!last && after.endsWith(INCOMPLETE)) return ''
      anchor = settled
      settled = tokens.length
      return after.slice(before.length)
    },
  }
}
