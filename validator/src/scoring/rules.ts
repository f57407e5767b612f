import type { Neuron, WeightRow } from '@arbor/chain/client/types'
import type { Block, Blocks } from '@arbor/shared/units'
import type { TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import type { Forfeit } from '../ledger-audits.ts'
import type { Registration, Score } from '../scores.ts'

/** What later rows need of the past; a `state` entry of the log holds it whole. */
export interface ScoreState {
  /** By uid; one registration of a uid at most. */
  readonly scores: readonly Score[]
  /** By uid and block. */
  readonly forfeits: readonly Forfeit[]
  /** Start blocks of the newest rounds, newest first; at most `FRESH_ROUNDS`. */
  readonly rounds: readonly Block[]
  readonly endedAt: Block | null
}

/** What of a spec decides scores and rows. */
export interface ScoreTerms {
  readonly halfLifeRounds: number
  /** Set where a score is a rating instead of a moving average. */
  readonly training?: Pick<TrainingTerms, 'rating'>
  reward(average: number): number
}

/** What of a spec decides how a round moves scores. */
export type FoldTerms = Pick<ScoreTerms, 'halfLifeRounds' | 'training'>

/** One verdict's part in a score; a `verdict` entry of the log has these. */
export interface Sample extends Registration {
  readonly value: number
  readonly sigma: number
}

/** One round's part in the scores. */
export interface RoundOutcome {
  readonly roundBlock: Block
  /** Blocks of a round. */
  readonly length: Blocks
  readonly endedAt: Block
  /** With its repeats; those of one registration count as their mean. */
  readonly verdicts: readonly Sample[]
  readonly forfeits: readonly Forfeit[]
}

/** Folds a round into the state. Pure: validator and auditor run this very function. */
export type FoldRound = (
  state: ScoreState,
  round: RoundOutcome,
  terms: FoldTerms,
) => {
  readonly state: ScoreState
  /** Scores that the round moved, by uid. */
  readonly changed: readonly Score[]
  /** Registrations whose score is forgotten. */
  readonly dropped: readonly Registration[]
}

/** Folds forfeits into the state, in any order. Pure: validator and auditor run this very function. */
export type FoldForfeits = (state: ScoreState, forfeits: readonly Forfeit[]) => ScoreState

/** Makes the row that follows at a block. Pure: validator and auditor run this very function. */
export type RowAt = (
  state: ScoreState,
  at: { readonly block: Block; readonly tempo: Blocks; readonly neurons: readonly Neuron[] },
  terms: Pick<ScoreTerms, 'reward'>,
) => {
  readonly row: WeightRow
  /** Registrations with a fresh score that hold no uid any more; they have no weight. */
  readonly departed: readonly Registration[]
}
