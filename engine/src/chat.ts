import { createContext, Script } from 'node:vm'
import { SubnetError } from '@arbor/shared/errors'
import type { ChatMessage } from '@arbor/shared/inference'
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { contentEncoder, type Render, refused } from './chat-contents.ts'
import { invalidField, type JsonObject } from './json.ts'
import type { AddedToken, TokenizerFiles } from './tokenizer.ts'

/** Turns conversations into tokens by a model's chat template. */
export interface Chat {
  readonly exists: boolean
  /** @throws ENGINE_NO_CHAT, ENGINE_CHAT_REFUSED */
  encode(messages: readonly ChatMessage[]): number[]
}

export interface ChatDeps {
  readonly files: TokenizerFiles
  readonly added: readonly AddedToken[]
  readonly encode: (text: string) => number[]
  /** Opens the same tokenizer with other texts for its added tokens, by id. */
  readonly openRenamed: (names: ReadonlyMap<number, string>) => (text: string) => number[]
}

/** Far above the largest template in use, 20 KiB. */
const TEMPLATE_CHARACTERS = 1 << 18
/** What a template may write beside the contents. */
const WRITTEN_CHARACTERS = 1 << 20
/** A template renders in milliseconds; this is what one may cost that never ends. */
const RENDER_MS = 1_000
const RANGE = 10_000

/**
 * Opens the chat template of a folder.
 * @throws MODEL_CARD_INVALID when the template is too large or does not parse
 */
export const openChat = (deps: ChatDeps): Chat => {
  const source = templateOf(deps.files)
  if (source === null) return { exists: false, encode: () => raise(noChat()) }
  const render = openTemplate(source, specialTexts(deps.files))
  const encodeText = contentEncoder({ ...deps, template: source })
  return { exists: true, encode: (messages) => encodeText(messages, render) }
}

const noChat = (): SubnetError =>
  new SubnetError({
    code: 'ENGINE_NO_CHAT',
    message: 'The model has no chat template, so it takes no messages; send the prompt as text, or ask another model',
  })

const raise = (error: SubnetError): never => {
  throw error
}

const templateOf = ({ config, template }: TokenizerFiles): string | null => {
  const own = template ?? config?.chat_template ?? null
  // Some folders hold several, by name; the one for plain conversations is called default.
  const named = Array.isArray(own) ? own.find((each?: JsonObject | null) => each?.name === 'default')?.template : own
  if (named === null || named === undefined) return null
  if (typeof named !== 'string') throw invalidField('chat_template', 'text')
  if (named.length > TEMPLATE_CHARACTERS)
    throw invalidField('chat_template', `shorter than ${TEMPLATE_CHARACTERS} characters`)
  return named
}

/** `bos_token` and its like, which templates write out. */
const specialTexts = ({ config }: TokenizerFiles): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(config ?? {})) {
    if (!/^(bos|eos|pad|unk|sep|cls|mask)_token$/.test(key)) continue
    const text = typeof value === 'object' && value !== null ? (value as JsonObject).content : value
    if (typeof text === 'string') texts.set(key, text)
  }
  return texts
}

const openTemplate = (source: string, texts: ReadonlyMap<string, string>): Render => {
  const program = parsed(source)
  const render: Render = (messages) => {
    const scope = new Environment()
    for (const [name, value] of [...globals(), ...texts]) scope.set(name, value)
    scope.set('messages', messages)
    scope.set('add_generation_prompt', true)
    return String((new Interpreter(scope).run(program) as { readonly value: unknown }).value)
  }
  return (messages) => {
    const text = bounded(() => render(messages))
    const written = messages.reduce((rest, { content }) => rest - content.length, text.length)
    if (written > WRITTEN_CHARACTERS) throw refused(`it writes ${text.length} characters`)
    return text
  }
}

const parsed = (source: string): ReturnType<typeof parse> => {
  try {
    return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })) // as transformers does
  } catch (error) {
    throw invalidField('chat_template', `a template that parses (${error instanceof Error ? error.message : error})`)
  }
}

/** What templates may call. The date is not among it: miner and validator have to render the same prompt. */
const globals = (): readonly (readonly [string, unknown])[] => [
  ...['true', 'True'].map((name) => [name, true] as const),
  ...['false', 'False'].map((name) => [name, false] as const),
  ...['none', 'None'].map((name) => [name, null] as const),
  [
    'raise_exception',
    (message: unknown) => {
      throw new Error(String(message))
    },
  ],
  ['range', range],
]

/** Python's range, within bounds. */
const range = (first: number, last?: number, step = 1): number[] => {
  const [start, stop] = last === undefined ? [0, first] : [first, last]
  const count = Math.max(0, Math.ceil((stop - start) / step))
  if (!Number.isFinite(count) || count > RANGE) throw new Error(`range() of more than ${RANGE}`)
  return Array.from({ length: count }, (_, index) => start + index * step)
}

/** Runs a template within its time: the virtual machine ends what takes longer, wherever it is. */
const bounded = (render: () => string): string => {
  try {
    return new Script('render()').runInContext(createContext({ render }), { timeout: RENDER_MS })
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error), error)
  }
}
