import type {
  CheckReason,
  GenerateOptions,
  GenerateRequest,
  Generation,
  InferenceEngine,
} from '@arbor/shared/inference'
import type { ModelConfig } from '../model-config.ts'
import type { Variant } from './variants/make.ts'

/** Weights that an attack answers with: the honest ones, altered ones, or a smaller model of the same tokenizer. */
export type AttackWeights = 'honest' | Variant | 'sibling'

/** A model that generates, and that proves tokens which it never drew. */
export interface Forge extends InferenceEngine {
  readonly config: ModelConfig
  /** Proves an answer of these tokens by one prefill over prompt and answer, as an honest engine proves what it drew. */
  prove(request: GenerateRequest, tokens: readonly number[]): Promise<readonly string[]>
  /** Makes an answer of tokens: its text, and the proof as given. */
  assemble(request: GenerateRequest, answer: Pick<Generation, 'tokens' | 'finish' | 'fingerprint'>): Generation
}

/** What an attack works with. */
export interface AttackDeps {
  /** The honest weights. Those of `engine` where the attack does without. */
  readonly honest: Forge
  /** The weights that the attack names. */
  readonly engine: Forge
  /** Bytes that nobody foresees; seeded in tests. */
  readonly random: (length: number) => Uint8Array
}

/** Answers a request dishonestly. */
export type Generate = (request: GenerateRequest, options: GenerateOptions) => Promise<Generation>

/** A way to earn without doing the work, in one module. */
export interface AttackModule {
  /** What `arbor miner --cheat` calls it. */
  readonly name: string
  readonly weights: AttackWeights
  /** Whether it needs the honest weights beside its own. */
  readonly needsHonest: boolean
  /** What it does, as a sentence without a subject. */
  readonly does: string
  /** What it saves or wins. */
  readonly gains: string
  /** What a check says of such an answer, the usual reason first. */
  readonly caughtBy: readonly CheckReason[]
  /** Answers of 48 tokens at temperature 0.8 within which `test/attacks` sees one refused. */
  readonly within: number
  /** Starts the attack; what it remembers between answers lives in the result. */
  start(deps: AttackDeps): Generate
}

/** An attack that runs. */
export interface Attack {
  readonly about: AttackModule
  readonly generate: Generate
}
