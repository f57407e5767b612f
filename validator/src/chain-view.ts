import type { Hyperparameters, Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Block } from '@arbor/shared/units'

/** Everything a decision rests on, true at one finalised block. */
export interface Snapshot {
  readonly metagraph: Metagraph
  readonly hyperparameters: Hyperparameters
  /** Our own neuron; undefined when the hotkey is not registered at that block. */
  readonly me: Neuron | undefined
}

/** The finalised chain as one loop follows it and all others read it. */
export interface ChainView {
  /**
   * Gives the newest snapshot.
   * @throws VALIDATOR_STALE_CHAIN when it is older than may be decided upon
   */
  now(): Snapshot
  /** Waits for a snapshot of a later block than this one; null for any. Heads in between are dropped. */
  after(block: Block | null, signal: AbortSignal): Promise<Snapshot>
}
