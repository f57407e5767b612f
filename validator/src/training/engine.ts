import type { LocalState } from '@arbor/engine/train/types'

/** Windows of one pass of the step graph, by where they start in one of the dataset's streams. */
export interface Batch {
  readonly stream: 'train' | 'heldOut'
  readonly starts: readonly number[]
}

/** What a validator needs of a model's step graph; runs apart from the main loop, one thing at a time. */
export interface TrainingEngine {
  /** Tokens of the dataset's streams. */
  readonly tokens: { readonly train: number; readonly heldOut: number }
  /**
   * Measures the mean loss a token of each batch, in nats.
   * @throws ENGINE_CRASHED, ENGINE_BUSY and others: then nothing is said of the update
   */
  losses(
    of: { readonly params: Float32Array; readonly batches: readonly Batch[] },
    signal: AbortSignal,
  ): Promise<readonly number[]>
  /** Takes steps as a miner does: from a state up to a step of the round. @param of.startsOf by the number of the pass */
  train(
    of: { readonly start: LocalState; readonly to: number; readonly startsOf: (pass: number) => readonly number[] },
    signal: AbortSignal,
  ): Promise<LocalState>
}
