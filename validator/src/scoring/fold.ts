import type { Block } from '@arbor/shared/units'
import { toWeights } from '@arbor/subnet-spec/weights'
import type { Forfeit } from '../ledger-audits.ts'
import {
  currentScores,
  moveScore,
  type Registration,
  registrationKey,
  registrationOf,
  rewardsOf,
  type Score,
} from '../scores.ts'
import { meanOf } from './mean.ts'
import { moveRatings, type RoundMean } from './ratings.ts'
import type { FoldForfeits, FoldRound, FoldTerms, RowAt, Sample, ScoreState } from './rules.ts'

/** A miner without a verdict in so many rounds has no weight: 3 tempos of 2 rounds. */
export const FRESH_ROUNDS = 6
/** Scores say nothing about today once the last round ended this many tempos ago; a round itself may take longer. */
export const FRESH_TEMPOS = 3
/** A score that no round has moved for so many rounds is forgotten: two weeks of Bittensor's, two rounds in 72 minutes. */
export const KEPT_ROUNDS = 560

/** Where a log begins. */
export const EMPTY_STATE: ScoreState = { scores: [], forfeits: [], rounds: [], endedAt: null }

/**
 * Folds a round into the state: each registration's average moves once, by the mean of its verdicts; where the spec trains a model, its
 * rating moves once, by its rank among all. A uid's score goes when another registration of that uid is scored, or when no round has moved
 * it for `KEPT_ROUNDS` rounds.
 */
export const foldRound: FoldRound = (state, { roundBlock, length, endedAt, verdicts, forfeits }, terms) => {
  const before = new Map(state.scores.map((score) => [registrationKey(score), score]))
  const means = [...samplesByKey(verdicts)]
    .map(([key, samples]): RoundMean => {
      const { hotkey, uid, registeredAt } = samples[0]
      const registration = { hotkey, uid, registeredAt }
      return { before: before.get(key), registration, ...meanOf(samples), samples: samples.length }
    })
    .sort((a, b) => byUid(a.registration, b.registration))
  const changed = scoresOf(means, roundBlock, terms)
  const moved = new Set(changed.map(({ uid }) => uid))
  const touched = new Set(changed.map(registrationKey))
  const from = roundBlock - KEPT_ROUNDS * length
  const isKept = (score: Score): boolean => !moved.has(score.uid) && score.lastRoundBlock >= from
  const dropped = state.scores.filter((score) => !isKept(score) && !touched.has(registrationKey(score)))
  const scored: ScoreState = {
    scores: [...state.scores.filter(isKept), ...changed].sort(byUid),
    forfeits: state.forfeits.filter(({ untilBlock }) => untilBlock > roundBlock),
    rounds: [roundBlock, ...state.rounds].slice(0, FRESH_ROUNDS),
    endedAt,
  }
  return { state: foldForfeits(scored, forfeits), changed, dropped: dropped.map(identityOf) }
}

/** Folds forfeits into the state. Of one registration at one block the longest counts, so that their order says nothing. */
export const foldForfeits: FoldForfeits = (state, forfeits) => {
  if (forfeits.length === 0) return state
  const kept = new Map(state.forfeits.map((forfeit) => [forfeitKey(forfeit), forfeit]))
  for (const forfeit of forfeits) {
    const held = kept.get(forfeitKey(forfeit))
    kept.set(forfeitKey(forfeit), held === undefined ? forfeit : graver(held, forfeit))
  }
  return { ...state, forfeits: [...kept.values()].sort(byUidAndBlock) }
}

/**
 * Makes the row that follows at a block: the rewards of fresh scores whose registrations hold their uid. Who forfeited has none.
 * Nothing is fresh once the last round ended more than `FRESH_TEMPOS` tempos ago.
 */
export const rowAt: RowAt = (state, { block, tempo, neurons }, { reward }) => {
  const [newest] = state.rounds
  const oldestRoundBlock = state.rounds.at(-1)
  if (newest === undefined || oldestRoundBlock === undefined) return NO_ROW
  if (block - (state.endedAt ?? newest) > FRESH_TEMPOS * tempo) return NO_ROW
  const fresh = state.scores.filter(({ lastRoundBlock }) => lastRoundBlock >= oldestRoundBlock)
  const current = currentScores({ scores: fresh, neurons, oldestRoundBlock })
  const registered = new Set(neurons.map((neuron) => registrationKey(registrationOf(neuron))))
  const departed = fresh.filter((score) => !registered.has(registrationKey(score)))
  const forfeits = forfeitsAt(state, block)
  const rewards = rewardsOf({ scores: current, forfeits, neurons, oldestRoundBlock, reward })
  return { row: toWeights(rewards), departed: departed.map(identityOf) }
}

/** Lists the forfeits that last at a block. */
export const forfeitsAt = ({ forfeits }: Pick<ScoreState, 'forfeits'>, block: Block): readonly Forfeit[] =>
  forfeits.filter(({ untilBlock }) => untilBlock > block)

/** Names a forfeit: a registration has one at a block. */
export const forfeitKey = (forfeit: Forfeit): string => `${registrationKey(forfeit)}/${forfeit.atBlock}`

/** Chooses the forfeit that counts of two with one name: the longer; of equally long ones, the first in the order of their texts. */
export const graver = (a: Forfeit, b: Forfeit): Forfeit => {
  if (a.untilBlock !== b.untilBlock) return a.untilBlock > b.untilBlock ? a : b
  return ranked(a) <= ranked(b) ? a : b
}

const ranked = ({ kind, reason, receipt }: Forfeit): string => `${kind} ${reason} ${receipt ?? ''}`

const NO_ROW: ReturnType<RowAt> = { row: [], departed: [] }

const identityOf = ({ hotkey, uid, registeredAt }: Registration): Registration => ({ hotkey, uid, registeredAt })

const scoresOf = (
  means: readonly RoundMean[],
  roundBlock: Block,
  { halfLifeRounds, training }: FoldTerms,
): readonly Score[] =>
  training === undefined
    ? means.map((mean) => moveScore({ ...mean, roundBlock, halfLifeRounds }))
    : moveRatings({ means, roundBlock, terms: training.rating })

type Samples = [Sample, ...Sample[]]

const samplesByKey = (verdicts: readonly Sample[]): ReadonlyMap<string, Samples> => {
  const grouped = new Map<string, Samples>()
  for (const verdict of verdicts) {
    const key = registrationKey(verdict)
    const held = grouped.get(key)
    if (held === undefined) grouped.set(key, [verdict])
    else held.push(verdict)
  }
  return grouped
}

const byUid = (a: Registration, b: Registration): number => a.uid - b.uid || a.registeredAt - b.registeredAt

const byUidAndBlock = (a: Forfeit, b: Forfeit): number =>
  a.uid - b.uid || a.atBlock - b.atBlock || a.registeredAt - b.registeredAt || (a.hotkey < b.hotkey ? -1 : 1)
