import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { Forfeit } from '../ledger-audits.ts'
import type { Registration, Score } from '../scores.ts'
import type { ScoreState } from '../scoring/rules.ts'
import type { WeightMethod, WeightState } from '../weights/machine.ts'

/** Begins a log, and stands again wherever the rules change by which it is to be read. */
export interface TermsEntry {
  readonly kind: 'terms'
  readonly version: 1
  readonly genesisHash: Hex
  readonly netuid: NetUid
  /** The validator whose log it is. */
  readonly hotkey: Ss58
  readonly spec: { readonly name: string; readonly version: number; readonly model: Hex }
  /** Newest finalised block when it was written. */
  readonly block: Block
  /** What the chain held of an earlier log of this hotkey that was lost; absent where none was. */
  readonly lost?: { readonly size: number; readonly root: Hex }
}

/** A round begins: everything else of its plan follows from the block. */
export interface RoundEntry {
  readonly kind: 'round'
  readonly round: number
  readonly start: { readonly number: Block; readonly hash: Hex }
  /** Blocks of a round. */
  readonly length: Blocks
  /** Miners that were to be asked. */
  readonly miners: number
}

/** What one question of a round came to. */
export interface VerdictEntry extends Registration {
  readonly kind: 'verdict'
  readonly round: number
  readonly roundBlock: Block
  readonly task: string
  readonly seed: Hex
  /** 0 for the round's own question, from 1 on for repeats. */
  readonly repeat: number
  readonly reason: string
  readonly value: number
  readonly sigma: number
  /** Milliseconds to the answer's last byte; null without an answer. */
  readonly totalMs: number | null
  /** Hash of what the miner signed; null without an answer. */
  readonly answerHash: Hex | null
  /** Block that drew what was looked at; null where none did. */
  readonly drawnAt: Block | null
  /** Whether the miner signed its answer, so that a cheat costs it more than this round; false without an answer. */
  readonly signed: boolean
  /**
   * SHA-256 of the exchange (request, response, proof, envelopes) as canonical JSON: the name of the body, whether that is kept or not; null
   * without an answer.
   */
  readonly receipt: string | null
}

/** What the audit of a user's answer found; its body is never served. */
export interface AuditEntry extends Registration {
  readonly kind: 'audit'
  /** The audits' pass: answers of before this block. */
  readonly before: Block
  readonly reason: string
  readonly value: number
  readonly receipt: string
}

/** A registration has no weight until a block. */
export interface ForfeitEntry {
  readonly kind: 'forfeit'
  readonly forfeit: Forfeit
}

/** A registration's score after a round. */
export interface ScoreEntry extends Score {
  readonly kind: 'score'
}

/** A round is over: all its verdicts and scores stand between its `round` and this. */
export interface RoundEndEntry {
  readonly kind: 'round-end'
  readonly round: number
  readonly roundBlock: Block
  /** Newest finalised block when it was recorded; its freshness counts from here. */
  readonly endedAt: Block
  readonly at: UnixMs
}

/** A row that follows from everything before it and the metagraph of its block. */
export interface RowEntry {
  readonly kind: 'row'
  readonly attempt: number
  readonly mechanism: number
  /** Block of the metagraph. */
  readonly block: { readonly number: Block; readonly hash: Hex }
  readonly tempo: Blocks
  readonly method: WeightMethod
  readonly version: number
  readonly row: WeightRow
  /** Scored registrations that held no uid any more at that block. */
  readonly departed: readonly Registration[]
}

/** What became of a row. */
export interface MoveEntry {
  readonly kind: 'move'
  readonly attempt: number
  readonly state: WeightState
  readonly block: Block | null
}

/** Everything that later rows need of what came before: an auditor may begin here, and pruning keeps from here. */
export interface StateEntry extends ScoreState {
  readonly kind: 'state'
  readonly block: Block
}

/** What an auditor that sets weights took from another validator's log, before the row that it led to. */
export interface SourceEntry {
  readonly kind: 'source'
  /** Where it was read. */
  readonly block: Block
  readonly validator: Ss58
  /** The log's size and root, as its head says. */
  readonly size: number
  readonly root: Hex
  /** The validator's stake by which it counts: alpha in its smallest unit, decimal. */
  readonly stake: string
  readonly state: ScoreState
}

/** What a round of a training subnet made of the model: it follows from the votes on the chain. */
export interface CheckpointEntry {
  readonly kind: 'checkpoint'
  /** The round whose updates were merged. */
  readonly round: number
  /** Last block whose state held votes that counted. */
  readonly votedAt: Block
  /** The checkpoint that most stake named, from which was merged; null where nobody voted. */
  readonly base: Hex | null
  /** By uid. */
  readonly merged: readonly {
    readonly uid: Uid
    readonly hotkey: Ss58
    /** Name of the update's file, and its length. */
    readonly name: Hex
    readonly bytes: number
  }[]
  /** Name of the checkpoint that the next round starts from. */
  readonly checkpoint: Hex
}

/** One entry of a validator's log of receipts; its bytes are its canonical JSON. */
export type LogEntry =
  | TermsEntry
  | RoundEntry
  | VerdictEntry
  | AuditEntry
  | ForfeitEntry
  | ScoreEntry
  | RoundEndEntry
  | RowEntry
  | MoveEntry
  | StateEntry
  | SourceEntry
  | CheckpointEntry
