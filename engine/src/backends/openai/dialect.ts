import type { Received } from './ask.ts'

/** What a server is asked. */
export interface Question {
  readonly model: string
  readonly prompt: readonly number[]
  /** The same prompt as text, for servers that take no token ids. */
  readonly promptText: string
  readonly maxTokens: number
}

/** What one event of an answer says; a field is null where it says nothing. */
export interface Piece {
  /** Ids of the tokens that it adds; null where the server tells none. */
  readonly tokens: readonly unknown[] | null
  /** Text that it adds. */
  readonly text: string
  /** Why the answer is over; null while it is not. */
  readonly finish: 'stop' | 'length' | null
  /** The token that ended it. */
  readonly stopToken: number | null
  /** Tokens that the server saw as prompt. */
  readonly promptTokens: number | null
  /** Tokens that the server generated. */
  readonly total: number | null
}

/** A way in which a server is asked and answers. */
export interface Dialect {
  readonly name: string
  /** Whether its answers hold token ids; else they are made of the text. */
  readonly ids: boolean
  /** How the prompt is written. */
  readonly prompt: 'ids' | 'text'
  /** Path beside the API's beginning. */
  readonly path: (base: URL) => URL
  readonly body: (question: Question) => object
  /** Starts to read one answer. @returns what an event says, or null where it makes no sense */
  readonly open: () => (event: Received) => Piece | null
}

/** Says that nothing but the largest logit counts, to servers that would add a model's own defaults otherwise. */
export const GREEDY = { temperature: 0, top_p: 1, n: 1, presence_penalty: 0, frequency_penalty: 0 } as const

export const under =
  (path: string) =>
  (base: URL): URL =>
    new URL(path, base)

/** A path of the server's own API, beside OpenAI's. */
export const beside =
  (path: string) =>
  (base: URL): URL =>
    new URL(/\/v\d+\/$/.test(base.pathname) ? `../${path}` : path, base)

export const object = (value: unknown): Received | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Received) : null

export const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null

export const list = (value: unknown): readonly unknown[] | null => (Array.isArray(value) ? value : null)
