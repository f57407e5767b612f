import type { BlockRef } from '@arbor/chain/client/types'
import type { Hex, Ss58, Uid } from '@arbor/shared/units'
import type { Checkpoint, MergePlan, Phases, UpdateCommitment, Vote } from '@arbor/subnet-spec/finetune/types'

/** Files by their name, on disk: updates, states, checkpoints. Each is whole and right, or not there. A name is `blobName` of the bytes. */
export interface BlobStore {
  has(name: Hex): boolean
  /** Path at which a file lies when it is there, for whoever serves it. */
  fileOf(name: Hex): string
  /** @returns null where it is not there; what no longer fits its name is thrown away */
  read(name: Hex): Uint8Array | null
  /** Writes a file and gives its name. @throws BLOB_NOT_WRITTEN */
  write(bytes: Uint8Array): Hex
  /** Forgets what is not named, oldest first, until all together have so many bytes at most. */
  prune(of: { readonly keep: ReadonlySet<Hex>; readonly mostBytes: number }): void
}

/** Where a file can be had from. */
export interface BlobSource {
  /**
   * Fetches a file, going on where an earlier try ended.
   * @param of.bytes its exact length, which whoever asks knows: a longer answer is cut off
   * @throws BLOB_UNAVAILABLE where it cannot be had now, BLOB_MISMATCH where something else came
   */
  fetch(of: { readonly name: Hex; readonly bytes: number; readonly signal: AbortSignal }): Promise<Uint8Array>
}

/** A piece of a file, or a leaf of another list, as an axon answers: its bytes, and the way from it to the root. */
export interface PieceAnswer {
  /** In base64. */
  readonly bytes: string
  /** Hashes of the audit path, nearest first, each 32 bytes in hexadecimal. */
  readonly proof: readonly string[]
}

/** Asks somebody for a piece. */
export type AskPiece = (of: {
  readonly name: Hex
  readonly index: number
  readonly signal: AbortSignal
}) => Promise<PieceAnswer>

/** A step of a round, as blocks make it. Emitted once each, in order, for finalised blocks only. */
export type RoundEvent = (
  | /** Its block is known: data follow from its hash. */
  { readonly kind: 'start'; readonly phases: Phases; readonly block: BlockRef }
  /** No further commitment counts: what is judged, and by which data, follows from this block. */
  | {
      readonly kind: 'published'
      readonly phases: Phases
      readonly block: BlockRef
      readonly commitments: readonly Committed[]
    }
  /** No further vote counts: what is merged follows. */
  | {
      readonly kind: 'voted'
      readonly phases: Phases
      readonly block: BlockRef
      readonly plan: MergePlan
      readonly voters: readonly Voter[]
    }
) & {
  /** Set when what it begins is over already by the finalised head: nothing that is begun for it now counts any more. */
  readonly isPast: boolean
}

export interface Committed {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly commitment: UpdateCommitment
  /** Block in which its record was set: the earlier of two likes is the original. */
  readonly block: number
}

/** Who voted in a round, with a permit; whoever accepted an update holds it. */
export interface Voter {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly vote: Vote
  /** Where it says that it serves files, below `/blobs/`; a stranger's text, empty where it says nothing. */
  readonly url: string
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
