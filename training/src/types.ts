import type { BlockRef } from '@arbor/chain/client/types'
import type { Hex, Ss58, Uid } from '@arbor/shared/units'
import type { Checkpoint, MergePlan, Phases, UpdateCommitment } from '@arbor/subnet-spec/finetune/types'

/** Files by their name, on disk: updates, states, checkpoints. Each is whole and right, or not there. A name is `blobName` of the bytes. */
export interface BlobStore {
  has(name: Hex): boolean
  /** @returns null where it is not there; what no longer fits its name is thrown away */
  read(name: Hex): Uint8Array | null
  /** Writes a file and gives its name. */
  write(bytes: Uint8Array): Hex
  /** Forgets what is not named, oldest first, down to so many bytes. */
  prune(of: { readonly keep: ReadonlySet<Hex>; readonly mostBytes: number }): void
}

/** Where a file can be had from. */
export interface BlobSource {
  /**
   * Fetches a file, going on where an earlier try ended.
   * @param of.bytes its exact length, which whoever asks knows: a longer answer is cut off
   * @throws BLOB_UNAVAILABLE, BLOB_MISMATCH
   */
  fetch(of: { readonly name: Hex; readonly bytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>
}

/** A step of a round, as blocks make it. Emitted once each, in order, for finalised blocks only. */
export type RoundEvent =
  /** Its block is known: data follow from its hash. */
  | { readonly kind: 'start'; readonly phases: Phases; readonly block: BlockRef }
  /** No further commitment counts: what is judged, and by which data, follows from this block. */
  | {
      readonly kind: 'published'
      readonly phases: Phases
      readonly block: BlockRef
      readonly commitments: readonly Committed[]
    }
  /** No further vote counts: what is merged follows. */
  | { readonly kind: 'voted'; readonly phases: Phases; readonly block: BlockRef; readonly plan: MergePlan }

export interface Committed {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly commitment: UpdateCommitment
  /** Block and place in it of the commitment: the earlier of two likes is the original. */
  readonly block: number
}

/** A merge that was done. */
export interface Merged {
  readonly plan: MergePlan
  readonly before: Hex
  readonly checkpoint: Checkpoint
  readonly hash: Hex
}

/** Keeps the model at the newest merge. */
export interface Participant {
  /** The checkpoint that the newest round starts from; null until it was caught up with. */
  current(): { readonly checkpoint: Checkpoint; readonly hash: Hex } | null
  /** Follows rounds until the signal, merging each; hands on each event after what it means for the model is done. */
  run(on: (event: RoundEvent, merged: Merged | null) => Promise<void>, signal: AbortSignal): Promise<void>
}
