import type { Provider } from '@arbor/shared/inference'
import type { DatasetId, Layout, LocalTerms, Moments } from '@arbor/shared/training'

/** Tokenised text, each document closed by the end token. */
export interface Dataset {
  readonly id: DatasetId
  /** Hash of the tokenizer's file that made the tokens. */
  readonly tokenizer: string
  readonly vocabulary: number
  readonly train: Uint16Array
  /** Never trained on; whole documents. */
  readonly heldOut: Uint16Array
}

/** Windows of a token stream: each start gives `length + 1` tokens. */
export interface Windows {
  readonly tokens: Uint16Array
  /** Starts of `batch` windows for each pass of the graph. */
  readonly starts: readonly number[]
}

/** Runs a model's step graph; one run at a time. */
export interface Trainer {
  readonly layout: Layout
  readonly provider: Provider
  /** Parameters as the model's folder holds them. */
  initial(): Float32Array
  /** Computes the mean loss a token, in nats, and its gradient; `into` is overwritten. */
  gradient(of: {
    readonly params: Float32Array
    readonly windows: Windows
    readonly into: Float32Array
  }): Promise<number>
  /** Computes the mean loss a token over any number of batches, in nats. */
  loss(of: { readonly params: Float32Array; readonly windows: readonly Windows[] }): Promise<number>
  close(): Promise<void>
}

/** Where local training stands; after `step` steps of the round. */
export interface LocalState {
  readonly step: number
  readonly params: Float32Array
  readonly moments: Moments
}

/** Takes steps `from` to `to` of a round. Deterministic for one provider: the same inputs give the same bits. */
export type TrainLocally = (of: {
  readonly trainer: Trainer
  readonly terms: LocalTerms
  readonly start: LocalState
  readonly to: number
  /** Windows of a pass: pass number `step * accumulate + k`. */
  readonly windowsOf: (pass: number) => Windows
  readonly onStep?: (at: { readonly step: number; readonly loss: number }) => void
  readonly signal: AbortSignal
}) => Promise<LocalState>
