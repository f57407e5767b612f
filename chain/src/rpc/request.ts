import type { RpcError } from './error.ts'

/** A request's id as JSON text: it goes back as it came, also where JavaScript's numbers would not hold it. */
export type IdText = string

export const NO_ID: IdText = 'null'

export type Request =
  | {
      readonly ok: true
      readonly id: IdText
      readonly method: string
      /** Null when they came by name, which no method here takes. */
      readonly params: readonly unknown[] | null
      readonly notification: boolean
    }
  | { readonly ok: false; readonly id: IdText }

/** A message as it was received: one request, or several, and how to read each. */
export type Message =
  | { readonly kind: 'garbage' }
  | { readonly kind: 'tooMany' }
  | { readonly kind: 'single'; readonly request: Request }
  | { readonly kind: 'batch'; readonly length: number; readonly at: (index: number) => Request }

/** Values in one message, at most: to parse 16 MiB of empty lists would hold everybody up for seconds. */
export const MAX_VALUES = 262_144
/** Characters of a message whose ids are read a second time where JavaScript's numbers would not hold them. */
const MAX_EXACT = 65_536

/** Reads a message; the requests of a batch are read as their turn comes. */
export const readMessage = (text: string): Message => {
  if (text.length > MAX_VALUES && hasTooMany(text)) return { kind: 'tooMany' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'garbage' }
  }
  const ids = text.length <= MAX_EXACT && needsExactIds(value) ? exactly(text) : null
  const message = ids?.value ?? value
  const read = (request: unknown): Request => readRequest(request, ids?.texts)
  if (!Array.isArray(message)) return { kind: 'single', request: read(message) }
  return { kind: 'batch', length: message.length, at: (index) => read(message[index]) }
}

/** Counts what begins or separates values, also within strings, where it is rare. */
const hasTooMany = (text: string): boolean => {
  let count = 0
  for (const mark of ['[', '{', ',']) {
    for (let at = text.indexOf(mark); at >= 0 && count <= MAX_VALUES; at = text.indexOf(mark, at + 1)) count += 1
  }
  return count > MAX_VALUES
}

/** Writes the answer to a request that went well. */
export const resultText = (id: IdText, result: unknown): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result ?? null)}}`

/** Writes the answer to a request that did not. */
export const errorText = (id: IdText, { rpcCode, message, data }: RpcError): string =>
  `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code: rpcCode, message, ...(data === undefined ? {} : { data }) })}}`

const readRequest = (value: unknown, texts: WeakMap<object, string> | undefined): Request => {
  if (!isObject(value)) return { ok: false, id: NO_ID }
  const request: { id?: unknown; method?: unknown; params?: unknown; jsonrpc?: unknown } = value
  const id = texts?.get(value) ?? (isId(request.id) ? JSON.stringify(request.id) : NO_ID)
  const params = request.params ?? []
  const wellFormed =
    request.jsonrpc === '2.0' &&
    typeof request.method === 'string' &&
    typeof params === 'object' &&
    (request.id === undefined || isId(request.id))
  if (!wellFormed) return { ok: false, id }
  const list = Array.isArray(params) ? params : null
  return { ok: true, id, method: String(request.method), params: list, notification: request.id === undefined }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isId = (id: unknown): boolean => id === null || typeof id === 'string' || typeof id === 'number'

const needsExactIds = (value: unknown): boolean =>
  (Array.isArray(value) ? value : [value]).some((request) => {
    const id: unknown = isObject(request) && 'id' in request ? request.id : null
    return typeof id === 'number' && (!Number.isSafeInteger(id) || Object.is(id, -0))
  })

/** Parses again, keeping each number that is called `id` as it was written; null when the message is nested too deeply for that. */
const exactly = (text: string): { readonly value: unknown; readonly texts: WeakMap<object, string> } | null => {
  const texts = new WeakMap<object, string>()
  try {
    const value: unknown = JSON.parse(
      text,
      function (this: object, key, value, context?: { readonly source?: string }) {
        if (key === 'id' && typeof value === 'number' && context?.source !== undefined) texts.set(this, context.source)
        return value
      },
    )
    return { value, texts }
  } catch {
    return null
  }
}
