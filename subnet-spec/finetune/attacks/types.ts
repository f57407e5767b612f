import type { Layout } from '@arbor/shared/training'
import type { GauntletReason, Optimiser, TrainingTerms, UpdateHead } from '../types.ts'
import type { Draws } from './draws.ts'

/** Which work an attack does before it writes an update. */
export interface AttackWork {
  /** Steps that it really takes, of those that are due. */
  steps(due: number): number
  /** What it trains: the checkpoint, or a model that has nothing to do with it. */
  readonly from: 'checkpoint' | 'other'
  /** Windows that it trains on: its own, or some that it likes better. */
  readonly windows: 'assigned' | 'others'
  /** Whether windows are altered before it trains on them. */
  readonly poison: boolean
}

/** What an attack writes its file with. */
export interface Writing {
  /** File as an honest miner would have written it, of the work that was done. */
  readonly file: Uint8Array
  readonly head: UpdateHead
  readonly payload: Uint8Array
  readonly optimiser: Optimiser
  readonly limits: TrainingTerms['limits']
  /** Another miner's file; null where none is to be had. */
  readonly victim: Uint8Array | null
  /** Its own file of the round before; null where there is none. */
  readonly last: Uint8Array | null
  readonly draws: Draws
}

/** Piece that somebody asks for. */
export interface AskedPiece {
  readonly of: 'update' | 'states' | 'state'
  readonly index: number
  /** Pieces of its file. */
  readonly pieces: number
}

/** How a piece is served. */
export type Serving = 'serve' | 'refuse' | { readonly bytesPerSecond: number }

/** A way to be paid for a round without training it, or to harm the model, in one value. */
export interface TrainingAttack {
  /** What `arbor miner --cheat` calls it. */
  readonly name: string
  /** What it does, as a sentence without a subject. */
  readonly does: string
  /** What it saves or wins. */
  readonly gains: string
  /** What the Gauntlet says of it, the usual reason first. */
  readonly caughtBy: readonly [GauntletReason, ...GauntletReason[]]
  readonly work: AttackWork
  /** Whose bytes it cannot do without. It skips rounds without a victim's, and works honestly in even rounds, and in those without its last. */
  readonly needs?: 'victim' | 'last'
  /** Alters what was trained before it is encoded. */
  progress?(of: { readonly progress: Float32Array; readonly layout: Layout; readonly draws: Draws }): Float32Array
  /** Writes another file than an honest miner would; null writes none. */
  write?(of: Writing): Uint8Array | null
  /** Decides how a piece is served; absent: as it should be. */
  serve?(of: AskedPiece): Serving
}
