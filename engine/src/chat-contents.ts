import { SubnetError } from '@arbor/shared/errors'
import type { ChatMessage } from '@arbor/shared/inference'
import type { AddedToken } from './tokenizer.ts'

/** Writes a conversation as the text that the model continues. */
export type Render = (messages: readonly ChatMessage[]) => string

/** A refusal of a conversation by the model's template. */
export const refused = (why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'ENGINE_CHAT_REFUSED',
    message: `The model's chat template does not take these messages: ${why}; change their roles, their order or their contents`,
    details: { why },
    cause,
  })

/** Stand between the parts of what contents may not say: private characters that no template and no tokenizer knows. */
const BREAK = '\u{10fff0}'
const MARK = '\u{10fff1}'

/**
 * Makes the function that tokenises a rendered conversation so that contents stay text. Contents are users': what reads like a
 * control token in them is broken by a private character, the template renders, its own control tokens get other names in text and
 * tokenizer alike, and the private character goes again. Then no content can end a turn or start one, and the tokens of everything
 * else are those of the plain tokenizer. Conversations without such contents, nearly all, are tokenised as they are.
 */
export const contentEncoder = (deps: {
  readonly added: readonly AddedToken[]
  readonly template: string
  readonly encode: (text: string) => number[]
  readonly openRenamed: (names: ReadonlyMap<number, string>) => (text: string) => number[]
}): ((messages: readonly ChatMessage[], render: Render) => number[]) => {
  const { added, template, encode, openRenamed } = deps
  const special = added.filter((token) => token.special)
  // Some families do not mark the tags of turns as special, but their templates write them.
  const written = added.filter(({ content }) => /^\S{3,}$/.test(content) && template.includes(content))
  const controls = [...new Set([...special, ...written])].filter(({ content }) => content !== '')
  const names = new Map(controls.map(({ id }) => [id, `${MARK}${id}${MARK}`]))
  const byText = new Map(controls.map(({ id, content }) => [content, names.get(id) ?? content]))
  const ofUsers = breaker(controls)
  const ofAssistants = breaker(special) // what a model said before may hold tags that its template looks for
  let renamed: ((text: string) => number[]) | null = null
  return (messages, render) => {
    const safe = messages.map(({ role, content }) => ({
      role,
      content: (role === 'assistant' ? ofAssistants : ofUsers)(content),
    }))
    if (safe.every(({ content }, index) => content === messages[index]?.content)) return encode(render(messages))
    if (messages.some(({ content }) => content.includes(BREAK) || content.includes(MARK))) {
      throw refused('they hold control tokens and the private characters U+10FFF0 or U+10FFF1')
    }
    const text = render(safe).replace(patternOf(controls), (match) => byText.get(match) ?? match)
    renamed ??= openRenamed(names)
    const tokens = renamed(text.replaceAll(BREAK, ''))
    const expected = text.split(MARK).length >> 1
    if (tokens.filter((id) => names.has(id)).length !== expected) {
      throw refused('a content cannot be told from a control token')
    }
    return tokens
  }
}

/** Longest first, as tokenizers match. */
const patternOf = (tokens: readonly AddedToken[]): RegExp => {
  const texts = tokens.map(({ content }) => content).sort((a, b) => b.length - a.length)
  return texts.length === 0
    ? /$^/gu
    : new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'gu')
}

/** Makes the function that breaks tokens in a content, and pieces of them at its ends, where a neighbour might complete them. */
const breaker = (tokens: readonly AddedToken[]): ((content: string) => string) => {
  const pattern = patternOf(tokens)
  const heads = new Set(tokens.flatMap(({ content }) => partsOf(content, (at) => content.slice(0, at))))
  const tails = new Set(tokens.flatMap(({ content }) => partsOf(content, (at) => content.slice(at))))
  const longest = Math.max(0, ...tokens.map(({ content }) => content.length))
  return (content) => {
    let text = content
    let before: string
    do {
      before = text
      text = before.replaceAll(pattern, (match) => match.replace(/^./su, `$&${BREAK}`))
    } while (text !== before) // once more for tokens that overlap: breaking the first may leave the second
    const ends = Array.from({ length: longest }, (_, index) => index + 1)
    const opens = ends.some((length) => tails.has(text.slice(0, length)))
    const closes = ends.some((length) => heads.has(text.slice(-length)))
    return `${opens ? BREAK : ''}${text}${closes ? BREAK : ''}`
  }
}

const partsOf = (text: string, part: (at: number) => string): string[] =>
  Array.from({ length: Math.max(0, text.length - 1) }, (_, index) => part(index + 1))
