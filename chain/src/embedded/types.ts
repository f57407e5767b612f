import type { Block, Hex } from '@arbor/shared/units'

/** A header as the runtime made it. */
export interface Header {
  readonly parentHash: Hex
  readonly number: Block
  readonly stateRoot: Hex
  readonly extrinsicsRoot: Hex
  /** SCALE-encoded digest items. */
  readonly digest: readonly Hex[]
}

/** A block that the chain holds. */
export interface StoredBlock {
  readonly hash: Hex
  readonly header: Header
  /** SCALE-encoded extrinsics with their length prefix, exactly as submitted. */
  readonly extrinsics: readonly Uint8Array[]
}

/** State at one block; reads only. */
export interface StateView {
  get(key: Uint8Array): Uint8Array | undefined
  /** Keys that begin with prefix and come after startKey, in lexicographic order. */
  keys(prefix: Uint8Array, options: { readonly count: number; readonly startKey?: Uint8Array }): Uint8Array[]
  /** Trie entries that show the values of keys, or that there are none, to whoever knows the state root. */
  proof(keys: readonly Uint8Array[]): readonly Uint8Array[]
}

/** What the runtime says of an extrinsic before it enters the pool. */
export type Validity =
  | {
      readonly valid: true
      readonly priority: bigint
      readonly requires: readonly Hex[]
      readonly provides: readonly Hex[]
      /** Blocks for which this answer holds. */
      readonly longevity: bigint
      readonly propagate: boolean
    }
  /** `kind` and `index` are those of sp_runtime TransactionValidityError; `custom` the number of a Custom error. */
  | {
      readonly valid: false
      readonly kind: 'invalid' | 'unknown'
      readonly index: number
      readonly custom: number | null
    }

/** What became of an extrinsic that was offered to a block. */
export type Applied =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'exhausted' | 'invalid'; readonly validity: Validity }

/** Chooses the extrinsics of the next block; the transaction pool implements it. */
export interface ExtrinsicSource {
  /** Ready extrinsics in the order to try; asked again for each block. */
  ready(): Iterable<{ readonly hash: Hex; readonly bytes: Uint8Array }>
  /** Called once per block after it is imported, with what was included and what the runtime refused. */
  onBlock(block: StoredBlock, refused: ReadonlyMap<Hex, Validity>): void
  /** Called when another chain of blocks became the best one, after it did; `onBlock` is not called for its blocks. */
  onReorg?(change: Reorg): void
}

/** A change of the best chain to another one. */
export interface Reorg {
  /** Blocks that are no longer on the best chain, the newest first. */
  readonly retracted: readonly StoredBlock[]
  /** Blocks that came in their place, the oldest first. */
  readonly enacted: readonly StoredBlock[]
}

/** What a chain tells. `changedKeys` are the keys whose value differs between the last best block and this one. */
export type ChainEvent =
  | {
      readonly kind: 'best'
      readonly block: StoredBlock
      readonly changedKeys: readonly Uint8Array[]
      /** Blocks that left the best chain with this one, the newest first; mostly none. */
      readonly retracted: readonly StoredBlock[]
    }
  | { readonly kind: 'finalized'; readonly block: StoredBlock }
  /** A block beside the best chain. */
  | { readonly kind: 'fork'; readonly block: StoredBlock }

export type ChainListener = (event: ChainEvent) => void

/** The runtime running in this process: blocks, state and calls. No transport. */
export interface EmbeddedChain {
  readonly genesisHash: Hex
  best(): StoredBlock
  finalized(): StoredBlock
  block(hash: Hex): StoredBlock | null
  hashAt(number: Block): Hex | null
  /** Number of a block, also of one that is so old that its hash alone is left; null when there is none. */
  numberOf(hash: Hex): Block | null
  /** @throws CHAIN_STATE_PRUNED when the state of that block is gone, CHAIN_UNKNOWN_BLOCK when there is none */
  state(at: Hex): StateView
  /** Runs a runtime API; args and result are SCALE. @throws CHAIN_RUNTIME_TRAP with the panic's text */
  call(method: string, args: Uint8Array, at: Hex): Uint8Array
  /** Runs TaggedTransactionQueue_validate_transaction on the best block. */
  validate(extrinsic: Uint8Array): Validity
  /**
   * As `validate`, but signatures are verified in another thread.
   * @throws CHAIN_CHECKS_FULL when too many wait
   */
  check(extrinsic: Uint8Array): Promise<Validity>
  /** Builds, executes, checks and imports one block on the best one. */
  produce(): Promise<StoredBlock>
  /** Makes the block at `number` and all before it final. */
  finalize(number: Block): void
  /**
   * Takes the newest blocks off the best chain and puts a longer fork without extrinsics in their place.
   * @param depth blocks to take off, none of them final
   * @throws CHAIN_REORG_REFUSED
   */
  reorg(depth: number): Reorg
  onEvent(listener: ChainListener): () => void
  close(): Promise<void>
}
