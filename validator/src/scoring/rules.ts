import type { Neuron, WeightRow } from '@arbor/chain/client/types'
import type { Block, Blocks } from '@arbor/shared/units'
import type { Forfeit } from '../ledger-audits.ts'
import type { VerdictEntry } from '../log/entry.ts'
import type { Registration, Score } from '../scores.ts'

/** What later rows need of the past; a `state` entry of the log holds it whole. */
export interface ScoreState {
  readonly scores: readonly Score[]
  readonly forfeits: readonly Forfeit[]
  /** Start blocks of the newest rounds, newest first; at most `FRESH_ROUNDS`. */
  readonly rounds: readonly Block[]
  readonly endedAt: Block | null
}

/** What of a spec decides scores and rows. */
export interface ScoreTerms {
  readonly halfLifeRounds: number
  reward(average: number): number
}

/** One round's part in the scores. */
export interface RoundOutcome {
  readonly roundBlock: Block
  readonly endedAt: Block
  readonly verdicts: readonly VerdictEntry[]
  readonly forfeits: readonly Forfeit[]
}

/** Folds a round into the state. Pure: validator and auditor run this very function. */
export type FoldRound = (
  state: ScoreState,
  round: RoundOutcome,
  terms: ScoreTerms,
) => { readonly state: ScoreState; readonly changed: readonly Score[] }

/** Makes the row that follows at a block. Pure: validator and auditor run this very function. */
export type RowAt = (
  state: ScoreState,
  at: { readonly block: Block; readonly tempo: Blocks; readonly neurons: readonly Neuron[] },
  terms: ScoreTerms,
) => { readonly row: WeightRow; readonly departed: readonly Registration[] }
