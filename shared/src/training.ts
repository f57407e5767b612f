import type { Hex } from './units.ts'

/** One tensor's place in the flat vector of a model's parameters. */
export interface TensorPlace {
  readonly name: string
  readonly shape: readonly number[]
  /** First element, and number of elements. */
  readonly offset: number
  readonly length: number
}

/** How named tensors lie in one flat vector: in the order of the step graph's inputs, without gaps. */
export interface Layout {
  readonly tensors: readonly TensorPlace[]
  /** Elements of all of them. */
  readonly size: number
}

/** What AdamW carries besides the parameters; both as long as the layout. */
export interface Moments {
  readonly first: Float32Array
  readonly second: Float32Array
  /** Steps that were taken since they were zero. */
  readonly steps: number
}

/** Inner optimiser: AdamW with decoupled weight decay, gradients clipped by their global norm. */
export interface AdamWTerms {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** Largest norm of a step's gradient; larger ones are scaled down to it. */
  readonly clipNorm: number
}

/** What one participant does between two exchanges. */
export interface LocalTerms {
  /** Steps of a round. */
  readonly steps: number
  /** Windows of one pass of the step graph, and the tokens that each predicts. */
  readonly batch: number
  readonly length: number
  /** Passes whose gradients are averaged into one step. */
  readonly accumulate: number
  readonly adamw: AdamWTerms
}

/** A tokenised dataset by its content. */
export interface DatasetId {
  readonly name: string
  /** SHA-256 over the folder's file names and contents. */
  readonly hash: Hex
}
