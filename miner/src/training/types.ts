import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Layout } from '@arbor/shared/training'
import type { Block, NetUid, Ss58, Uid } from '@arbor/shared/units'
import type { TrainTo } from '@arbor/subnet-spec/finetune/attacks/perform'
import type { TrainingAttack } from '@arbor/subnet-spec/finetune/attacks/types'
import type { Optimiser, TrainingTerms, UpdateCommitment } from '@arbor/subnet-spec/finetune/types'
import type { UpdateStore } from '@arbor/training/sources/s3'
import type { BlobStore, Participant } from '@arbor/training/types'
import type { Journal } from './journal.ts'
import type { OwnPieces } from './pieces.ts'
import type { Victims } from './victim.ts'

/** Where a training miner stands, for probes and people. */
export interface TrainingProgress {
  /** Round that it works on, or worked on last; null before the first. */
  round: number | null
  /** Steps of that round that were taken. */
  step: number
  /** Mean loss of its newest step, in nats a token; null before the first. */
  loss: number | null
  /** Tokens that it trained on since it began. */
  tokens: number
  /** Bytes of pieces that it served. */
  bytesSent: number
  /** Rounds whose update was committed, and those that were skipped. */
  committed: number
  skipped: number
}

export interface TrainingDeps {
  readonly netuid: NetUid
  readonly hotkey: Ss58
  readonly terms: TrainingTerms
  readonly optimiser: Optimiser
  readonly layout: Layout
  readonly participant: Participant
  /** The miner's own files. */
  readonly store: BlobStore
  readonly journal: Journal
  readonly pieces: OwnPieces
  /** Tokens that windows are cut from. */
  readonly tokens: Uint16Array
  /** Makes what takes steps; each tells of itself. */
  readonly trainer: (of: {
    readonly onStep: (at: { readonly step: number; readonly loss: number }) => void
    readonly signal: AbortSignal
  }) => TrainTo
  /** The uid that it has now; null while it is not registered. */
  readonly uid: () => Uid | null
  /** Puts a commitment on chain. @returns the block that has it */
  readonly commit: (commitment: UpdateCommitment, signal: AbortSignal) => Promise<Block>
  /** Null where updates are served by the miner alone. */
  readonly updates: UpdateStore | null
  readonly attack: TrainingAttack | null
  /** Finds other miners' updates for attacks that take one. */
  readonly victims: Victims
  readonly progress: TrainingProgress
  readonly clock: Clock
  readonly log: Logger
}
