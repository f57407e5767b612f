import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Ss58 } from '@arbor/shared/units'
import { askedAt } from '@arbor/validator/plan'
import { registrationKey, registrationOf, type Score } from '@arbor/validator/scores'
import type { Candidate } from './router.ts'

/** Share of a miner that nobody has judged yet, of the best one's: enough to be tried, too little to hurt. */
const NEWCOMER = 0.1

/**
 * Chooses whom users' questions may go to, and how often. A miner that was judged and found to be worth nothing is never asked.
 * @param of.self our own hotkey
 * @param of.scores the validator's own averages by registration; null where only the chain is known
 * @param of.reward the spec's, from an average to a weight
 */
export const candidatesOf = (of: {
  readonly metagraph: Metagraph
  readonly self: Ss58
  readonly scores: readonly Score[] | null
  readonly reward: (average: number) => number
}): readonly Candidate[] => {
  const { metagraph, self, scores, reward } = of
  const averages = new Map(scores?.map((score) => [registrationKey(score), score.average]))
  const judged = (neuron: Neuron): number | null => {
    const average = averages.get(registrationKey(registrationOf(neuron)))
    if (average !== undefined) return reward(average)
    // Without scores of ours the chain's word stands in for them: what a miner earned in the last epoch.
    return scores !== null || isNew(neuron, metagraph) ? null : neuron.incentive
  }
  const serving = metagraph.neurons.flatMap((neuron) => {
    const axon = neuron.hotkey === self ? null : askedAt(neuron)
    return axon === null ? [] : [{ ...registrationOf(neuron), axon, value: judged(neuron) }]
  })
  const best = Math.max(0, ...serving.map(({ value }) => value ?? 0))
  // Before the first epoch pays anybody, incentive says nothing.
  const saysNothing = scores === null && best === 0
  return serving.flatMap(({ value, ...miner }): Candidate[] => {
    if (saysNothing) return [{ ...miner, weight: 1 }]
    if (value === null) return [{ ...miner, weight: best === 0 ? 1 : NEWCOMER * best }]
    return value > 0 ? [{ ...miner, weight: value }] : []
  })
}

/** Registered too late to have been paid at the last epoch for a whole one. */
const isNew = ({ registeredAt }: Neuron, { lastEpochBlock, tempo }: Metagraph): boolean =>
  registeredAt > lastEpochBlock - tempo
