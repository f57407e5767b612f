import type { DatasetId, Layout, LocalTerms } from '@arbor/shared/training'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'

/** How progress is exchanged; docs/finetune.md says which costs what. */
export type OptimiserTerms =
  /** H local steps of AdamW, the whole difference in fp32, outer Nesterov. */
  | { readonly kind: 'diloco'; readonly outer: OuterTerms }
  /** H local steps; of each chunk the k largest entries of difference and fed-back error, in 2 bits. */
  | {
      readonly kind: 'sparseloco'
      readonly outer: OuterTerms
      readonly chunk: number
      readonly k: number
      /** Share of the error that is kept for the next round. */
      readonly feedback: number
    }
  /** One gradient a round into a momentum; of each chunk's DCT the k largest, in 2 bits; merged by sign. */
  | {
      readonly kind: 'demo'
      readonly learningRate: number
      readonly decay: number
      readonly chunk: number
      readonly k: number
    }

/** Nesterov on the mean of updates; `momentum` 0 is plain averaging. */
export interface OuterTerms {
  readonly learningRate: number
  readonly momentum: number
}

/** What a training subnet is made of; a fork changes this one value. */
export interface TrainingTerms {
  readonly data: DatasetId
  readonly local: LocalTerms
  readonly optimiser: OptimiserTerms
  readonly phases: PhaseTerms
  readonly gauntlet: GauntletTerms
  readonly rating: RatingTerms
  readonly limits: {
    /** Bytes of an update's file. */
    readonly updateBytes: number
    /** Rounds between two whole checkpoints that are kept for joiners; between them the updates lead on. */
    readonly checkpointEvery: number
  }
}

/** Ends of phases as shares of a round, ascending, below 1. What is left is for merging. */
export interface PhaseTerms {
  /** Updates have to be committed by then. */
  readonly publish: number
  /** Votes have to be in by then. */
  readonly vote: number
}

/** A round's blocks; each bound is inclusive. */
export interface Phases {
  readonly round: number
  readonly start: Block
  readonly length: Blocks
  /** Last block whose state may hold a commitment that counts. */
  readonly publishBy: Block
  /** Last block whose state may hold a vote that counts. */
  readonly voteBy: Block
  /** Last block of the round. */
  readonly end: Block
}

/** What decides whether an update helps, and whether its miner trained. */
export interface GauntletTerms {
  /** Batches that the loss drop on assigned, and on unseen, data is measured on. */
  readonly batches: number
  /** A miner's own data must gain more from its own update than from others', by this share of the lead that is typical of the round. */
  readonly margin: number
  /** Two updates that point so much alike are copies. */
  readonly copyCosine: number
  /** Replayed stretches of a round: the miner commits to its state at each end. */
  readonly segments: number
  /** Chance that a miner's round is replayed. */
  readonly replayShare: number
  /** Largest relative distance of a replayed state from the one that was committed: |a − b| ÷ |b − start|. */
  readonly tolerance: number
  /** Standard deviations by which a measured drop may lie below what it must be, and still be called noise. */
  readonly noise: number
  /** An update's norm may be so many times the round's common one, or one so many-th of it. */
  readonly normRange: number
}

/** How rounds become a rating (OpenSkill, Plackett-Luce): between 0 and 50, new ones begin at `mu` and `sigma`. */
export interface RatingTerms {
  readonly mu: number
  readonly sigma: number
  /** Spread of one round's luck. */
  readonly beta: number
  /** What a round adds to the doubt, so that ratings go on moving. */
  readonly tau: number
  /** Verdict value of a player that is at every game, and whose rating is called `mu`: who does worse falls below it. */
  readonly bar: number
}

/** The head of an update's file, before its payload; integers little-endian. */
export interface UpdateHead {
  readonly version: 1
  readonly netuid: NetUid
  readonly round: number
  /** The miner. */
  readonly hotkey: Ss58
  /** Hash of the checkpoint that it trained from. */
  readonly base: Hex
  readonly optimiser: OptimiserTerms['kind']
  /** Elements of the layout. */
  readonly size: number
  /** RFC 6962 root over the hashes of the states at the segments' ends, `segments + 1` leaves. */
  readonly states: Hex
}

export interface Update {
  readonly head: UpdateHead
  readonly payload: Uint8Array
}

/** What a miner commits on chain for a round; 0 bytes withdraw it. */
export interface UpdateCommitment {
  readonly round: number
  /** Name of the update's file: `blobName`. */
  readonly name: Hex
  readonly bytes: number
  /** First 8 bytes of the name of the checkpoint that it was made from. */
  readonly base: Hex
  /** Where else than at the miner's axon it can be had; empty for nowhere. */
  readonly url: string
}

/** What a validator votes on chain for a round. */
export interface Vote {
  readonly round: number
  /** Checkpoint that it holds for the round's start. */
  readonly base: Hex
  /** Uids whose update it holds and accepts, ascending. */
  readonly accepted: readonly Uid[]
}

/** What decides a merge: all of it read from finalised blocks. */
export interface MergeFacts {
  /** By the state of `publishBy`; updates of other rounds are left out. */
  readonly commitments: readonly { readonly uid: Uid; readonly hotkey: Ss58; readonly commitment: UpdateCommitment }[]
  /** By the state of `voteBy`, of neurons with a permit. */
  readonly votes: readonly { readonly hotkey: Ss58; readonly stake: bigint; readonly vote: Vote }[]
  /** Stake of all neurons with a permit by the state of `voteBy`, whether they voted or not. */
  readonly permitStake: bigint
}

/** What follows from the facts: the checkpoint that most stake holds, and the updates that most of that stake accepts. */
export interface MergePlan {
  readonly round: number
  /** Null where nobody voted: nothing is merged. */
  readonly base: Hex | null
  /** By uid. */
  readonly merged: readonly { readonly uid: Uid; readonly hotkey: Ss58; readonly commitment: UpdateCommitment }[]
}

/** A model between two rounds. Its hash is `blobName` of its bytes: head, parameters, outer momentum. */
export interface Checkpoint {
  /** The round that starts from it. */
  readonly round: number
  readonly spec: { readonly name: string; readonly version: number }
  readonly params: Float32Array
  /** Outer momentum; as long as the parameters. */
  readonly outer: Float32Array
}

/** How one optimiser works. Pure; every sum in a fixed order, so that all get the same bytes. */
export interface Optimiser {
  readonly kind: OptimiserTerms['kind']
  /** What a miner trains for the exchange: parameters after local steps, or the mean gradient of as many passes. */
  readonly local: 'steps' | 'gradient'
  /**
   * Makes a payload of a round's progress.
   * @param of.progress start minus end of the parameters, or the gradient
   * @param of.carried what the last round left; zeros at first
   */
  encode(of: { readonly progress: Float32Array; readonly carried: Float32Array }): {
    readonly payload: Uint8Array
    readonly carried: Float32Array
  }
  /** Reads a payload into a vector of the layout's size. @throws UPDATE_MALFORMED */
  decode(payload: Uint8Array): Float32Array
  /** Largest payload that it makes. */
  readonly maxPayloadBytes: number
  /** Takes updates, by uid, into a model; the longer ones are brought down to the median first. None leaves the parameters as they are. */
  merge(of: {
    readonly params: Float32Array
    readonly outer: Float32Array
    readonly updates: readonly Float32Array[]
  }): { readonly params: Float32Array; readonly outer: Float32Array }
  /** Gives the parameters that one update alone would lead to, brought down to a norm where it is longer: what the Gauntlet measures. */
  apply(of: { readonly params: Float32Array; readonly update: Float32Array; readonly norm: number }): Float32Array
}

/** Makes the optimiser that terms name, for a layout. */
export type OptimiserOf = (of: { readonly terms: OptimiserTerms; readonly layout: Layout }) => Optimiser

/** Mean loss a token of one batch, in nats: at the round's start, and with the update, as long as the round's median at most. */
export interface BatchLoss {
  readonly before: number
  readonly after: number
}

/** A batch of a miner's own windows. */
export interface AssignedLoss extends BatchLoss {
  /** Median of the losses with up to three other miners' updates, drawn (`controlsOf`), of the same norm; null where there is no other. */
  readonly others: number | null
}

/** What is typical of a round's updates: medians, in nats a token. */
export interface Typical {
  /** By how much the own data gains more from the own update than from others'. */
  readonly lead: number
  /** Drop on unseen data. */
  readonly drop: number
}

/** What a validator measured of one update. */
export interface Measured {
  /** Its norm as a multiple of the round's common one, before it was brought down. */
  readonly norm: number
  /** Each batch of the miner's own data, and of data that nobody could know. */
  readonly assigned: readonly AssignedLoss[]
  readonly unseen: readonly BatchLoss[]
  /** Largest cosine to an update that was committed earlier, and whose. */
  readonly likeness: { readonly cosine: number; readonly hotkey: Ss58 } | null
  /** Null where nothing was replayed. */
  readonly replay: ReplayOutcome | null
}

export type ReplayOutcome =
  | { readonly kind: 'held'; readonly distance: number }
  | { readonly kind: 'differs'; readonly distance: number }
  /** The states that were asked for did not come, or are not those that were committed to. */
  | { readonly kind: 'withheld'; readonly reason: string }

/** Why an update counts or not. The first that holds is given. */
export type GauntletReason =
  | 'ok'
  /** Nothing was committed in time. */
  | 'missing'
  /** Committed, and not to be had. */
  | 'unavailable'
  | 'malformed'
  /** Of another round or another checkpoint. */
  | 'stale'
  /** NaN or infinite numbers. */
  | 'not-finite'
  /** Far longer, or shorter, than the others'. */
  | 'outsized'
  | 'copy'
  /** Makes the model worse on unseen data, or does not help its own. */
  | 'harmful'
  /** Helps its own data no more than others' updates do: trained on something else. */
  | 'unassigned'
  /** States that were asked for did not come. */
  | 'withheld'
  /** A replayed stretch led elsewhere. */
  | 'untrained'
