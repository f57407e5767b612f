import type { Hex } from './units.ts'

/** Arithmetic that a model runs in; thresholds of the checks belong to (model hash, profile). */
export type PrecisionProfile = 'fp32' | 'fp16' | 'int8'

/** A model folder, named by the hash of its content. */
export interface ModelId {
  readonly name: string
  /** SHA-256 over the folder's file names and contents. */
  readonly hash: Hex
  readonly profile: PrecisionProfile
}

/** What to generate; two honest engines answer it with the same tokens. */
export interface GenerateRequest {
  readonly prompt: string
  /** Upper bound of generated tokens. */
  readonly maxTokens: number
  /** 0 is greedy; otherwise each token is argmax(logits / temperature + Gumbel(seed, position)). */
  readonly temperature: number
  /** 32 bytes that fix the sampler's noise. */
  readonly seed: Hex
}

/** An answer with what a validator needs to check it. */
export interface Generation {
  readonly text: string
  /** Generated token ids, without the prompt's. */
  readonly tokens: readonly number[]
  readonly finish: 'length' | 'stop'
  /** One base64 TOPLOC chunk for each 32 generated tokens, over the last hidden states. */
  readonly fingerprint: readonly string[]
}

/** Why a generation was believed or not. */
export type CheckReason = 'ok' | 'malformed' | 'truncated' | 'fingerprint' | 'sampling' | 'text'

/** Outcome of checking a generation with one prefill. */
export interface Check {
  readonly reason: CheckReason
  /** Exponent mismatches of the worst chunk; null where the check did not get that far. */
  readonly exponentMismatches: number | null
  /** Mean mantissa error of the worst chunk. */
  readonly mantissaError: number | null
  /** Mean of the clipped sampling margins, and the largest. */
  readonly marginMean: number | null
  readonly marginMax: number | null
}

/** A loaded model that generates and checks. Implemented by @arbor/engine, used by subnet specs. */
export interface InferenceEngine {
  readonly model: ModelId
  /**
   * Generates tokens one by one.
   * @param options.onToken called after each token with its id and the text that it added
   * @param options.signal stops at the next token boundary
   * @throws ENGINE_PROMPT_TOO_LONG, ENGINE_ABORTED
   */
  generate(
    request: GenerateRequest,
    options?: { readonly signal?: AbortSignal; readonly onToken?: (token: number, text: string) => void },
  ): Promise<Generation>
  /** Checks an answer with one prefill; never throws for what a miner sent. */
  check(request: GenerateRequest, generation: Generation): Promise<Check>
}
