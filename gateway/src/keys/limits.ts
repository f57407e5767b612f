import type { Clock } from '@arbor/shared/clock'
import { type ApiError, limited } from '../openai/errors.ts'
import type { KeyLimits } from './file.ts'

/** Who asks, as far as limits go. */
export interface Caller {
  /** Names the key; no secret. */
  readonly id: string
  readonly limits: KeyLimits
}

/** A request that was let in; `leave` must be called once. */
export interface Entry {
  /**
   * Takes tokens out of the minute's: as many as the request may come to.
   * @returns why not
   */
  spend(tokens: number): ApiError | null
  /** What the answer says about the key's limits, as OpenAI names it. */
  headers(): Readonly<Record<string, string>>
  /** Gives back the place, and tokens that were not used. @param usedTokens of prompt and answer together */
  leave(usedTokens: number): void
}

export type Admission =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly error: ApiError; readonly headers: Readonly<Record<string, string>> }

/** Keeps every key within its limits. */
export interface Limiter {
  enter(caller: Caller): Admission
}

const MINUTE_MS = 60_000

/** A bucket that holds a minute's worth and fills evenly. */
interface Bucket {
  readonly limit: number
  level(): number
  /** Takes out, or puts back what is negative. */
  take(amount: number): void
  /** Milliseconds until so much is there; 0 when it is. */
  waitMs(amount: number): number
}

const createBucket = (limit: number, clock: Clock): Bucket => {
  let held = limit
  let at = clock.monotonic()
  const level = (): number => {
    const now = clock.monotonic()
    held = Math.min(limit, held + ((now - at) * limit) / MINUTE_MS)
    at = now
    return held
  }
  return {
    limit,
    level,
    take: (amount) => {
      held = Math.min(limit, level() - amount)
    },
    waitMs: (amount) => Math.max(0, Math.ceil(((amount - level()) * MINUTE_MS) / limit)),
  }
}

interface Use {
  readonly requests: Bucket | null
  readonly tokens: Bucket | null
  /** The limits that the buckets were made for. */
  readonly limits: KeyLimits
  inside: number
}

/** Creates the limiter. Keys are few and known, so what it remembers is bounded by them. */
export const createLimiter = (clock: Clock): Limiter => {
  const uses = new Map<string, Use>()

  const useOf = ({ id, limits }: Caller): Use => {
    const known = uses.get(id)
    if (known !== undefined && isSame(known.limits, limits)) return known
    const { requestsPerMinute, tokensPerMinute } = limits
    const use: Use = {
      requests: requestsPerMinute === undefined ? null : createBucket(requestsPerMinute, clock),
      tokens: tokensPerMinute === undefined ? null : createBucket(tokensPerMinute, clock),
      limits,
      inside: known?.inside ?? 0,
    }
    uses.set(id, use)
    return use
  }

  return {
    enter: (caller) => {
      const use = useOf(caller)
      const refuse = (error: ApiError): Admission => ({ ok: false, error, headers: headersOf(use) })
      if (use.inside >= caller.limits.concurrent) return refuse(tooMany(caller.limits.concurrent))
      const waitMs = use.requests?.waitMs(1) ?? 0
      if (use.requests !== null && waitMs > 0) return refuse(tooOften('requests', use.requests.limit, waitMs))
      use.requests?.take(1)
      use.inside += 1
      return { ok: true, entry: entryOf(use, () => uses.get(caller.id) ?? use) }
    },
  }
}

/** @param current the key's use now: its limits may have changed since it was let in */
const entryOf = (use: Use, current: () => Use): Entry => {
  let reserved = 0
  let isLeft = false
  return {
    spend: (tokens) => {
      if (use.tokens === null) return null
      if (tokens > use.tokens.limit) return tooLarge(tokens, use.tokens.limit)
      const waitMs = use.tokens.waitMs(tokens)
      if (waitMs > 0) return tooOften('tokens', use.tokens.limit, waitMs)
      use.tokens.take(tokens)
      reserved = tokens
      return null
    },
    headers: () => headersOf(use),
    leave: (usedTokens) => {
      if (isLeft) return
      isLeft = true
      current().inside -= 1
      use.tokens?.take(usedTokens - reserved)
    },
  }
}

const isSame = (a: KeyLimits, b: KeyLimits): boolean =>
  a.requestsPerMinute === b.requestsPerMinute && a.tokensPerMinute === b.tokensPerMinute

const tooMany = (most: number): ApiError =>
  limited({
    of: 'requests',
    message: `Rate limit reached: this key may have ${most} requests at once.`,
    retryAfterS: 1,
  })

const tooOften = (what: 'requests' | 'tokens', limit: number, waitMs: number): ApiError =>
  limited({
    of: what,
    message: `Rate limit reached: this key may have ${limit} ${what} per minute. Please try again in ${span(waitMs)}.`,
    retryAfterS: Math.ceil(waitMs / 1_000),
  })

const tooLarge = (tokens: number, limit: number): ApiError =>
  limited({
    of: 'tokens',
    message: `Request too large: it may come to ${tokens} tokens, this key may have ${limit} per minute. Lower max_tokens or shorten the prompt.`,
  })

const headersOf = ({ requests, tokens }: Use): Readonly<Record<string, string>> => ({
  ...(requests === null ? {} : bucketHeaders('requests', requests)),
  ...(tokens === null ? {} : bucketHeaders('tokens', tokens)),
})

const bucketHeaders = (what: string, bucket: Bucket): Record<string, string> => ({
  [`x-ratelimit-limit-${what}`]: String(bucket.limit),
  [`x-ratelimit-remaining-${what}`]: String(Math.max(0, Math.floor(bucket.level()))),
  [`x-ratelimit-reset-${what}`]: span(bucket.waitMs(bucket.limit)),
})

/** Writes a span as OpenAI does: 120ms, 1.5s, 1m2s. */
const span = (ms: number): string => {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 100) / 10
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`
}
