import { type ApiError, invalidRequest } from './errors.ts'

/** The two ways to ask: a conversation, or a text to be continued. */
export type Route = 'chat' | 'completions'

type Harmless = (value: unknown) => boolean

const is =
  (...values: readonly unknown[]): Harmless =>
  (value) =>
    values.includes(value)
const isEmpty: Harmless = (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0
const isAnything: Harmless = () => true
/** Looks no deeper than it must: what callers send may be nested deeper than a stack is. */
const isTextFormat: Harmless = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).join() === 'type' &&
  Reflect.get(value, 'type') === 'text'
const isText: Harmless = (value) => typeof value === 'string'

/** Parameters that are read elsewhere. */
const READ: Readonly<Record<Route, readonly string[]>> = {
  chat: ['model', 'messages', 'max_tokens', 'max_completion_tokens'],
  completions: ['model', 'prompt', 'max_tokens'],
}
const READ_BY_BOTH = ['temperature', 'top_p', 'top_k', 'stop', 'seed', 'stream', 'stream_options']

/**
 * Parameters that change nothing here, with the values at which that is so; null always does.
 * Whatever else a caller sends is refused by its name, never ignored.
 */
const HARMLESS: Readonly<Record<string, Harmless>> = {
  // say who asks, or how OpenAI should handle it
  user: isText,
  safety_identifier: isText,
  prompt_cache_key: isText,
  prompt_cache_retention: isText,
  metadata: isAnything,
  store: is(false),
  service_tier: is('auto', 'default'),
  // defaults
  n: is(1),
  frequency_penalty: is(0),
  presence_penalty: is(0),
  logit_bias: isEmpty,
  logprobs: is(false),
}
const HARMLESS_ON: Readonly<Record<Route, Readonly<Record<string, Harmless>>>> = {
  chat: {
    modalities: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text',
    response_format: isTextFormat,
    tools: isEmpty,
    functions: isEmpty,
    tool_choice: is('none', 'auto'), // without tools, which are refused, both mean the same
    function_call: is('none', 'auto'),
    parallel_tool_calls: isAnything,
    top_logprobs: is(0),
  },
  completions: { best_of: is(1), echo: is(false), suffix: is('') },
}

/** Names of what OpenAI has and this gateway has not, so that the message can say so. */
const KNOWN = new Set([
  'audio',
  'prediction',
  'reasoning_effort',
  'verbosity',
  'web_search_options',
  'moderation',
  ...Object.keys(HARMLESS),
  ...Object.keys(HARMLESS_ON.chat),
  ...Object.keys(HARMLESS_ON.completions),
])

/** Finds the first parameter that would have to be ignored; null when there is none. */
export const refuseUnsupported = (route: Route, body: Readonly<Record<string, unknown>>): ApiError | null => {
  for (const [param, value] of Object.entries(body)) {
    if (READ_BY_BOTH.includes(param) || READ[route].includes(param)) continue
    if (value === null && KNOWN.has(param)) continue
    const table = Object.hasOwn(HARMLESS_ON[route], param) ? HARMLESS_ON[route] : HARMLESS
    const isHarmless = Object.hasOwn(table, param) ? table[param] : undefined
    if (isHarmless?.(value) === true) continue
    if (isHarmless !== undefined || KNOWN.has(param))
      return invalidRequest({
        message: `Unsupported ${isHarmless === undefined ? 'parameter' : 'value'}: '${param}' is not supported by this gateway${isHarmless === undefined ? '' : ' with this value'}.`,
        param,
        code: isHarmless === undefined ? 'unsupported_parameter' : 'unsupported_value',
      })
    return invalidRequest({
      message: `Unrecognized request argument supplied: ${param.slice(0, 64)}`,
      param: param.slice(0, 64),
    })
  }
  return null
}
