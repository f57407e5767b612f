import type { ChatMessage } from '@arbor/shared/inference'
import { type ApiError, invalidRequest } from './errors.ts'
import { type Route, refuseUnsupported } from './parameters.ts'

/** What a caller asks for, in terms of the subnet; what it leaves open is absent. */
export interface Wish {
  readonly model: string
  readonly prompt: string | readonly ChatMessage[]
  readonly maxTokens?: number
  /** Name under which the caller gave the bound, for messages. */
  readonly maxTokensParam: 'max_tokens' | 'max_completion_tokens'
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  /** The caller's own seed. */
  readonly seed?: number
  readonly stream: boolean
  readonly includeUsage: boolean
}

type Body = Readonly<Record<string, unknown>>
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError }

/** Signals a refusal to the edge of this module, where it becomes a value. */
class Refused extends Error {
  readonly error: ApiError
  constructor(error: ApiError) {
    super(error.message)
    this.error = error
  }
}

/**
 * Reads a request's body.
 * @param route whose parameters it has
 */
export const readWish = (route: Route, body: unknown): Read<Wish> => {
  try {
    const given = object(body)
    refuse(refuseUnsupported(route, given))
    const stream = flag(given, 'stream') ?? false
    return {
      ok: true,
      value: {
        model: text(given, 'model'),
        prompt: route === 'chat' ? messages(given.messages) : promptOf(given.prompt),
        ...maxTokensOf(route, given),
        ...defined('temperature', finite(given, 'temperature')),
        ...defined('topP', topPOf(given)),
        ...defined('topK', topKOf(given)),
        ...defined('stop', stopOf(given.stop)),
        ...defined('seed', seedOf(given)),
        stream,
        includeUsage: usageWanted(given, stream),
      },
    }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, error: error.error }
    throw error
  }
}

const refuse = (error: ApiError | null): void => {
  if (error !== null) throw new Refused(error)
}
const wrong = (param: string, expected: string, code?: string): Refused =>
  new Refused(
    invalidRequest({
      message: `Invalid value for '${param}': expected ${expected}.`,
      param,
      ...(code === undefined ? {} : { code }),
    }),
  )
const defined = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }

const object = (body: unknown): Body => {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body
  throw new Refused(invalidRequest({ message: 'The body of the request must be a JSON object.' }))
}

const text = (body: Body, param: string): string => {
  const value = body[param]
  if (value === undefined || value === null || value === '')
    throw new Refused(invalidRequest({ message: `You must provide a ${param} parameter.`, param }))
  if (typeof value !== 'string') throw wrong(param, 'a string', 'invalid_type')
  return value
}
const flag = (body: Body, param: string): boolean | undefined => {
  const value = body[param] ?? undefined
  if (value !== undefined && typeof value !== 'boolean') throw wrong(param, 'a boolean', 'invalid_type')
  return value
}
const finite = (body: Body, param: string): number | undefined => {
  const value = body[param] ?? undefined
  if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value)))
    throw wrong(param, 'a number', 'invalid_type')
  return value as number | undefined
}
const whole = (body: Body, param: string): number | undefined => {
  const value = finite(body, param)
  if (value !== undefined && !Number.isSafeInteger(value)) throw wrong(param, 'an integer', 'invalid_type')
  return value
}

/** Reads either name of the bound; both are the same number here, since every token is shown. */
const maxTokensOf = (route: Route, body: Body): Pick<Wish, 'maxTokens' | 'maxTokensParam'> => {
  const older = whole(body, 'max_tokens')
  const newer = route === 'chat' ? whole(body, 'max_completion_tokens') : undefined
  if (older !== undefined && newer !== undefined && older !== newer)
    throw wrong('max_tokens', "no other value than 'max_completion_tokens' has")
  const maxTokensParam = newer === undefined ? 'max_tokens' : 'max_completion_tokens'
  const maxTokens = newer ?? older
  if (maxTokens !== undefined && maxTokens < 1) throw wrong(maxTokensParam, 'an integer of at least 1')
  return { maxTokensParam, ...defined('maxTokens', maxTokens) }
}

/** 1 means all tokens, which is what its absence says. */
const topPOf = (body: Body): number | undefined => {
  const value = finite(body, 'top_p')
  return value === 1 ? undefined : value
}
/** 0 and −1 mean all tokens, as other servers have it. */
const topKOf = (body: Body): number | undefined => {
  const value = whole(body, 'top_k')
  return value === 0 || value === -1 ? undefined : value
}

const stopOf = (value: unknown): readonly string[] | undefined => {
  if (value === undefined || value === null) return undefined
  const list = Array.isArray(value) ? value : [value]
  if (list.some((each) => typeof each !== 'string' || each === ''))
    throw wrong('stop', 'a string or an array of strings, none of them empty', 'invalid_type')
  return list.length === 0 ? undefined : list
}

const seedOf = (body: Body): number | undefined => whole(body, 'seed')

const usageWanted = (body: Body, stream: boolean): boolean => {
  const options = body.stream_options ?? undefined
  if (options === undefined) return false
  if (!stream) throw wrong('stream_options', "nothing unless 'stream' is true")
  if (typeof options !== 'object' || Array.isArray(options)) throw wrong('stream_options', 'an object', 'invalid_type')
  const { include_usage: usage, include_obfuscation: _harmless, ...others } = options as Body
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw wrong(`stream_options.${other}`, 'nothing: it is not supported', 'unsupported_parameter')
  if (usage !== undefined && typeof usage !== 'boolean')
    throw wrong('stream_options.include_usage', 'a boolean', 'invalid_type')
  return usage === true
}

const promptOf = (value: unknown): string => {
  const prompt = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof prompt === 'string' && prompt !== '') return wellFormed(prompt, 'prompt')
  if (prompt === undefined || prompt === null)
    throw new Refused(invalidRequest({ message: 'You must provide a prompt parameter.', param: 'prompt' }))
  throw wrong(
    'prompt',
    'one string that is not empty; lists of prompts and token ids are not supported',
    'invalid_type',
  )
}

/** Roles of OpenAI's and those that models know. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
}
/** What a message may carry beside role and content when it says nothing. */
const EMPTY = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

const messages = (value: unknown): readonly ChatMessage[] => {
  if (value === undefined || value === null)
    throw new Refused(invalidRequest({ message: 'You must provide a messages parameter.', param: 'messages' }))
  if (!Array.isArray(value) || value.length === 0) throw wrong('messages', 'an array of at least one message')
  return value.map((each: unknown, index): ChatMessage => {
    const at = `messages[${index}]`
    if (typeof each !== 'object' || each === null || Array.isArray(each)) throw wrong(at, 'an object', 'invalid_type')
    const { role, content, ...others } = each as Body
    const other = Object.keys(others).find((key) => !EMPTY(others[key]))
    if (other !== undefined) throw wrong(`${at}.${other}`, 'nothing: it is not supported', 'unsupported_parameter')
    const known = typeof role === 'string' && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined
    if (known === undefined) throw wrong(`${at}.role`, `one of ${Object.keys(ROLES).join(', ')}`, 'invalid_value')
    return { role: known, content: wellFormed(contentOf(content, `${at}.content`), `${at}.content`) }
  })
}

const contentOf = (content: unknown, at: string): string => {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrong(at, 'a string or an array of text parts', 'invalid_type')
  return content
    .map((part: unknown, index) => {
      const { type, text: words, ...others } = Object(part) as Body
      if (type !== 'text' || typeof words !== 'string' || Object.keys(others).some((key) => !EMPTY(others[key])))
        throw wrong(`${at}[${index}]`, 'a part {"type": "text", "text": …}; others are not supported', 'invalid_value')
      return words
    })
    .join('')
}

/** Half a surrogate pair is no text: it would reach the miner as another character than was sent. */
const wellFormed = (value: string, param: string): string => {
  if (!value.isWellFormed()) throw wrong(param, 'text that is valid Unicode; it holds half of a surrogate pair')
  return value
}
