import type { ChatMessage } from '@arbor/shared/inference'
import { Tokenizer as Loaded } from '@huggingface/tokenizers'
import { openChat } from './chat.ts'
import { invalidField, type JsonObject } from './json.ts'

/** The parsed files of a folder that say how its model reads and writes text. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: JsonObject
  /** tokenizer_config.json */
  readonly config: JsonObject | null
  /** chat_template.jinja, which goes before the template of the configuration. */
  readonly template: string | null
}

/** Turns text into token ids and back. */
export interface Tokenizer {
  /** Tokenises a text; what is written like a control token becomes one. */
  encode(text: string): number[]
  /**
   * Tokenises a conversation by the model's chat template, up to where the assistant speaks next. What contents hold stays text.
   * @throws ENGINE_NO_CHAT, ENGINE_CHAT_REFUSED
   */
  encodeChat(messages: readonly ChatMessage[]): number[]
  /** Leaves special tokens and ids without a token out; bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string
  /** Decodes with the special tokens as their text, for what takes a prompt as text only. */
  textOf(tokens: readonly number[]): string
  /** Most UTF-16 units of text that one token stands for. */
  readonly longest: number
  /** The largest id that has a token, and one. */
  readonly size: number
  /** Whether there is a chat template. */
  readonly chats: boolean
}

/** One of tokenizer.json's `added_tokens`. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
}

/**
 * Opens the tokenizer of a model folder.
 * @throws MODEL_CARD_INVALID when a file is malformed
 */
export const openTokenizer = (files: TokenizerFiles): Tokenizer => {
  const loaded = load(files.tokenizer)
  const vocabulary = loaded.get_vocab()
  let longest = 0
  let size = 0
  for (const [piece, id] of vocabulary) {
    longest = Math.max(longest, piece.length)
    size = Math.max(size, id + 1)
  }
  const added = [...loaded.get_added_tokens_decoder().values()]
  const encode = (text: string): number[] => idsOf(loaded, text)
  const chat = openChat({
    files,
    added,
    encode,
    openRenamed: (names) => {
      const renamed = load(rename(files.tokenizer, names))
      return (text) => idsOf(renamed, text)
    },
  })
  const texts = new Map<number, string>() // of single tokens, which every streamed token asks for
  const single = (token: number): string => {
    const text = texts.get(token) ?? decode(loaded, [token], true)
    texts.set(token, text)
    return text
  }
  return {
    longest,
    size,
    chats: chat.exists,
    encode,
    encodeChat: chat.encode,
    decode: (tokens) => (tokens.length === 1 ? single(tokens[0] ?? 0) : decode(loaded, tokens, true)),
    textOf: (tokens) => decode(loaded, tokens, false),
  }
}

/**
 * Opens the tokenizer of a folder for text that is only read: what is written like a control token stays text. Its own control tokens
 * get names with an unpaired surrogate, which no UTF-8 decodes to.
 * @throws MODEL_CARD_INVALID when a file is malformed
 */
export const openTextEncoder = (json: JsonObject): ((text: string) => number[]) => {
  const added = [...load(json).get_added_tokens_decoder().values()]
  const controls = added.filter(({ special }) => special)
  const loaded = load(rename(json, new Map(controls.map(({ id }) => [id, `\udfff${id}\udfff`]))))
  return (text) => idsOf(loaded, text)
}

const load = (json: JsonObject): Loaded => {
  try {
    return new Loaded(json, { clean_up_tokenization_spaces: false })
  } catch (error) {
    throw invalidField('tokenizer.json', `one that can be opened (${error instanceof Error ? error.message : error})`)
  }
}

const idsOf = (loaded: Loaded, text: string): number[] =>
  Array.from(loaded.encode(text, { add_special_tokens: false }).ids, Number)

const decode = (loaded: Loaded, tokens: readonly number[], skip_special_tokens: boolean): string => {
  const known = tokens.filter((id) => loaded.id_to_token(id) !== undefined)
  return known.length === 0 ? '' : loaded.decode(known, { skip_special_tokens })
}

/** Gives added tokens other texts, by id. */
const rename = (json: JsonObject, names: ReadonlyMap<number, string>): JsonObject => {
  const added = json.added_tokens as readonly (JsonObject & AddedToken)[]
  return { ...json, added_tokens: added.map((token) => ({ ...token, content: names.get(token.id) ?? token.content })) }
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
