import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'

/** A server that speaks OpenAI's API, and how long it may take. */
export interface Server {
  /** Where its API begins; ends with a slash. */
  readonly url: URL
  /** Sent as bearer token, and shown nowhere. */
  readonly key: string | null
  /** Until the first bytes of an answer; a long prompt and a queue lie before them. */
  readonly firstMs: Ms
  /** Between two pieces of an answer. */
  readonly idleMs: Ms
  readonly clock: Clock
}

/** Bounds of what is read, whatever a server sends. */
export const BOUNDS = {
  /** One event: a token with its logprobs has a few hundred bytes, the last of llama.cpp's repeats the prompt. */
  event: 1_048_576,
  /** What a refusal says. */
  refusal: 16_384,
  /** A list of models. */
  list: 1_048_576,
} as const
