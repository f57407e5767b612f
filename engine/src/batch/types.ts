import type { Cache } from '../decoder.ts'

/** One answer, as the batch sees it. */
export interface Sequence {
  readonly prompt: readonly number[]
  /** Most tokens that are drawn. */
  readonly maxTokens: number
  readonly signal: AbortSignal | undefined
  /** Tokens drawn so far. */
  position(): number
  /**
   * Draws a token from what a run gave for this sequence.
   * @param logits one a token id
   * @param hidden last hidden state, [width]
   * @returns the token that goes on, or null when the answer is complete
   */
  next(logits: Float32Array, hidden: Float32Array): number | null
}

/** A sequence and whoever waits for its end. */
export interface Job {
  readonly sequence: Sequence
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A running sequence. */
export interface Row {
  readonly job: Job
  /** Tokens in the cache. */
  readonly tokens: number[]
  /** Token that runs next. */
  next: number
}

/** Sequences that run in one cache; those that are shorter are padded at the left. */
export interface Group {
  readonly rows: readonly Row[]
  readonly cache: Cache
}

/** A prompt that is being run, alone. */
export interface Prefill {
  readonly job: Job
  cache: Cache
}

/** Bounds of a batch. */
export interface BatchLimits {
  /** Answers that run at once. */
  readonly rows: number
  /** Tokens of cache that running answers may take at their longest, padding included. */
  readonly cacheTokens: number
  /** Tokens of cache that are kept of earlier answers. */
  readonly prefixTokens: number
  /** Answers that wait for a place. */
  readonly waiting: number
}

/** What a batch does and did. */
export interface BatchStats {
  readonly running: number
  readonly prefilling: number
  readonly waiting: number
  /** Caches that the running answers are in. */
  readonly groups: number
  /** Tokens of cache that are promised to running answers. */
  readonly cacheTokens: number
  /** Runs of the graph for prompts and for single tokens, and tokens that these drew. */
  readonly prefills: number
  readonly steps: number
  readonly drawn: number
  readonly prefixes: {
    readonly entries: number
    readonly tokens: number
    readonly hits: number
    readonly reused: number
  }
}
