import type { z } from 'zod'
import { type ApiError, invalidRequest } from './openai/errors.ts'
import type { Wish } from './openai/read.ts'

/** Where a caller's prompt stood. */
export const promptParam = ({ prompt }: Wish): string => (typeof prompt === 'string' ? 'prompt' : 'messages')

/** Turns a field of the task's request into the name that callers know. */
export const paramOf = (path: readonly PropertyKey[], wish: Wish): string => {
  const [field = '', ...rest] = path.map(String)
  const names: Readonly<Record<string, string>> = {
    prompt: promptParam(wish),
    maxTokens: wish.maxTokensParam,
    topP: 'top_p',
    topK: 'top_k',
  }
  const name = Object.hasOwn(names, field) ? (names[field] ?? field) : field
  return rest.reduce<string>((at, key) => (/^\d+$/.test(key) ? `${at}[${key}]` : `${at}.${key}`), name)
}

/** Says OpenAI's way what the task's schema has against a request. */
export const bySchema = (issue: z.core.$ZodIssue | undefined, wish: Wish): ApiError => {
  const inner = innermost(issue)
  // A field that the schema does not know is one that this subnet has not.
  const unknown = inner?.code === 'unrecognized_keys' ? inner.keys[0] : undefined
  if (unknown !== undefined) {
    const param = paramOf([...(inner?.path ?? []), unknown], wish)
    return invalidRequest({ message: `This subnet has no '${param}'.`, param, code: 'unsupported_parameter' })
  }
  const param = paramOf(inner?.path ?? [], wish)
  const code = codeOf(inner)
  return invalidRequest({
    message: `Invalid value for '${param}': ${inner?.message ?? 'not of this subnet'}.`,
    param,
    ...(code === null ? {} : { code }),
  })
}

/** Finds what is wrong in the branch of a union that the value was meant for: not the one that wants another type altogether. */
const innermost = (issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined => {
  if (issue?.code !== 'invalid_union') return issue
  const meant = issue.errors.find(
    ([first]) => first !== undefined && !(first.code === 'invalid_type' && first.path.length === 0),
  )
  const [first] = meant ?? []
  return first === undefined ? issue : innermost({ ...first, path: [...issue.path, ...first.path] })
}

const codeOf = (issue: z.core.$ZodIssue | undefined): string | null => {
  if (issue?.code === 'too_big') return `${KINDS[issue.origin] ?? 'decimal'}_above_max_${measureOf(issue.origin)}`
  if (issue?.code === 'too_small') return `${KINDS[issue.origin] ?? 'decimal'}_below_min_${measureOf(issue.origin)}`
  return issue?.code === 'invalid_type' || issue?.code === 'invalid_union' ? 'invalid_type' : null
}

const KINDS: Readonly<Record<string, string>> = { string: 'string', array: 'array', int: 'integer', number: 'decimal' }
const measureOf = (origin: string): string => (origin === 'string' || origin === 'array' ? 'length' : 'value')
