import type { Hex } from './units.ts'

/** Arithmetic that a model runs in; thresholds of the checks belong to (model hash, profile, provider). */
export type PrecisionProfile = 'fp32' | 'fp16' | 'int8'

/** An execution provider; those of one name round alike. */
export type Provider = 'cpu' | 'cuda' | 'webgpu'

/**
 * What proves that an answer's hidden states are the model's own: residues under a key that only this answer has, TOPLOC's
 * polynomials, or nothing, which is for greedy answers of servers that show no hidden states.
 */
export type ProofKind = 'residue' | 'toploc' | 'none'

/** A model folder, named by the hash of its content. */
export interface ModelId {
  readonly name: string
  /** SHA-256 over the folder's file names and contents. */
  readonly hash: Hex
  readonly profile: PrecisionProfile
}

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** What to generate; two honest engines answer it with the same tokens. */
export interface GenerateRequest {
  /** Text that is continued, or a conversation that the model's chat template turns into such a text. */
  readonly prompt: string | readonly ChatMessage[]
  /** Upper bound of generated tokens. */
  readonly maxTokens: number
  /** 0 is greedy; otherwise each token is argmax(logits / temperature + Gumbel(seed, position)). */
  readonly temperature: number
  /** Tokens that may be drawn: so many of the largest logits; all when absent. */
  readonly topK?: number | undefined
  /** Tokens that may be drawn: the likeliest whose probabilities first sum to this share; all when absent. */
  readonly topP?: number | undefined
  /** Texts that end the answer; it ends with the token that completes one, and shows none of it. */
  readonly stop?: readonly string[] | undefined
  /** 32 bytes that fix the sampler's noise, together with the binding and the model. */
  readonly seed: Hex
  /** 32 bytes that say who answers whom: no two (asker, miner, request) share them, so no answer and no proof can move. Zeros when absent. */
  readonly binding?: Hex | undefined
  /** The proof that is due; residues when absent. */
  readonly proof?: ProofKind | undefined
}

/** An answer with what a validator needs to check it. */
export interface Generation {
  readonly text: string
  /** Generated token ids, without the prompt's. */
  readonly tokens: readonly number[]
  /** `stop` when the end token or a stop text ended it. */
  readonly finish: 'length' | 'stop'
  /** One base64 proof for each chunk of 32 generated tokens, over the last hidden states; none where the request wants none. */
  readonly fingerprint: readonly string[]
  /** Tokens of the prompt, as the model saw it. */
  readonly promptTokens?: number
}

/** Why a generation was believed or not. */
export type CheckReason = 'ok' | 'malformed' | 'truncated' | 'fingerprint' | 'sampling' | 'text'

/** How much of an answer to look at. */
export interface CheckShare {
  /** 32 bytes that choose; drawn after the answer was signed. */
  readonly draw: Hex
  /** Chunks whose proofs are compared, with all ahead of them; all when absent. */
  readonly chunks?: number
  /** Positions up to the last chosen chunk whose tokens are drawn again; all of the chosen chunks when absent. */
  readonly positions?: number
}

/** Outcome of checking a generation with one prefill. */
export interface Check {
  readonly reason: CheckReason
  /** Mean distance, in steps, of the worst chunk's values from what rounds to its residues; null for another proof or where the check did not get that far. */
  readonly residueError: number | null
  /** Exponent mismatches of the worst chunk; null for another proof or where the check did not get that far. */
  readonly exponentMismatches: number | null
  /** Mean mantissa error of the worst chunk. */
  readonly mantissaError: number | null
  /** Mean of the sampling margins in logits, each clipped to 1, over 32 tokens at least; and the largest. */
  readonly marginMean: number | null
  readonly marginMax: number | null
  /** Tokens that were drawn again and are not exactly those that this engine draws. */
  readonly mismatches: number | null
  /** Tokens that the one prefill ran over; 0 where it was not needed. */
  readonly prefilled: number
}

/** What an engine is told beside the request. */
export interface GenerateOptions {
  /** Stops at the next token boundary. */
  readonly signal?: AbortSignal | undefined
  /** Called after each token with its id and the text that it added. */
  readonly onToken?: ((token: number, text: string) => void) | undefined
}

/** A loaded model that generates and checks; many may be asked of it at once, and join one batch. Implemented by @arbor/engine, used by subnet specs. */
export interface InferenceEngine {
  readonly model: ModelId
  /**
   * Generates tokens one by one.
   * @throws ENGINE_PROMPT_TOO_LONG, ENGINE_REQUEST_INVALID, ENGINE_CACHE_FULL, ENGINE_ABORTED
   */
  generate(request: GenerateRequest, options?: GenerateOptions): Promise<Generation>
  /** Checks an answer with one prefill, all of it or a share; never throws for what a miner sent. */
  check(request: GenerateRequest, generation: Generation, share?: CheckShare): Promise<Check>
}
