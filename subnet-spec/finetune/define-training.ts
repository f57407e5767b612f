import { clamp } from '@arbor/shared/math'
import { defineSubnet, type PinnedModel, type SubnetSpec } from '../src/define.ts'
import { pieceTask } from './piece-task.ts'
import type { TrainingTerms } from './types.ts'

/** Rating, as a share of 50, above which a miner is paid, and from which it is paid in full: 26 and 42. New ones begin at the bar's 25. */
export const PAID_FROM = 0.52
export const PAID_IN_FULL = 0.84

/**
 * Turns a rating into a weight: nothing for who stays at the bar, then the square of a ramp, then all the same. Who works in every second round
 * stays near the bar, and is to earn much less than half; above the ramp luck would decide.
 */
export const rewardOfRating = (average: number): number =>
  clamp((average - PAID_FROM) / (PAID_IN_FULL - PAID_FROM), 0, 1) ** 2

/** What a training subnet consists of. */
export interface TrainingOf {
  readonly name: string
  /** Changes whenever an honest validator could judge or merge differently. */
  readonly version: number
  /** The model that the first round starts from. */
  readonly model: PinnedModel
  readonly training: TrainingTerms
  /** Rounds in one epoch; one when absent. */
  readonly roundsPerEpoch?: number
}

/**
 * Makes a subnet whose miners train one model together.
 * @throws SPEC_INVALID naming what is wrong with it
 */
export const defineTraining = ({ name, version, model, training, roundsPerEpoch = 1 }: TrainingOf): SubnetSpec =>
  defineSubnet({
    name,
    version,
    model,
    roundsPerEpoch,
    tasks: { piece: pieceTask },
    pick: () => 'piece',
    reward: rewardOfRating,
    halfLifeRounds: 1, // ratings move in place of averages
    audit: {
      // What bytes that the chain names prove, or a replay far beyond what processors differ by. A line that is down costs a round only.
      forfeits: ['malformed', 'not-finite', 'copy', 'untrained'],
      forfeitRounds: 8,
      detection: 0.99,
      attacks: [], // there are no users' answers to audit
    },
    training,
  })
