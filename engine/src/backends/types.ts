import type { InferenceEngine, ProofKind, Provider } from '@arbor/shared/inference'

/** Who computes: our own sessions, a server that speaks OpenAI's API, or llama.cpp in this process. */
export type BackendKind = 'onnx' | 'openai' | 'llama'

/** What a backend has done since it was opened. */
export interface BackendStats {
  /** Answers under way. */
  readonly running: number
  /** Answers that wait for a place. */
  readonly waiting: number
  /** Answers given whole, and those that ended in an error, aborted ones included. */
  readonly answered: number
  readonly failed: number
  /** Tokens generated. */
  readonly tokens: number
}

/** A model that somebody computes; what one backend answers, the others' validators can check as far as `proofs` says. */
export interface Backend extends InferenceEngine {
  readonly kind: BackendKind
  /** Proofs that it can give; with `none` alone it answers greedily only. */
  readonly proofs: readonly ProofKind[]
  /** What it runs on, in words for a log. */
  readonly about: string
  stats(): BackendStats
  /** Stops what is under way and frees everything. */
  close(): Promise<void>
}

interface InFolder {
  /** Path of the model folder: its tokenizer, its hash and its limits hold whoever computes. */
  readonly folder: string
}

/** Our own sessions. */
export interface OnnxBackendOptions extends InFolder {
  readonly kind: 'onnx'
  readonly threads?: number | undefined
  readonly providers?: readonly Provider[] | undefined
  readonly batch?: number | undefined
  readonly cacheTokens?: number | undefined
}

/** A server that speaks OpenAI's API. */
export interface OpenAiBackendOptions extends InFolder {
  readonly kind: 'openai'
  /** Where its API begins, such as http://127.0.0.1:8000/v1. */
  readonly url: string
  /** The model's name there; the only one that it serves when absent. */
  readonly model?: string | undefined
  /** Path of a file that holds the server's key. */
  readonly keyFile?: string | undefined
  /** Answers at once; more wait. */
  readonly batch?: number | undefined
}

/** llama.cpp in this process. */
export interface LlamaBackendOptions extends InFolder {
  readonly kind: 'llama'
  /** Path of the weights. */
  readonly gguf: string
  /** Folder from which node-llama-cpp is found where this package does not find it itself. */
  readonly from?: string | undefined
  /** Device that computes; the processor when absent. */
  readonly gpu?: 'cuda' | 'vulkan' | 'metal' | undefined
  readonly threads?: number | undefined
  /** Answers at once; more wait. */
  readonly batch?: number | undefined
  /** Tokens of prompt and answer that one answer may have; the model's own context when absent. */
  readonly contextTokens?: number | undefined
}

export type BackendOptions = OnnxBackendOptions | OpenAiBackendOptions | LlamaBackendOptions
