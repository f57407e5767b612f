import { SubnetError } from '@arbor/shared/errors'
import { roundHalfEven } from '@arbor/shared/math'
import type { Uid } from '@arbor/shared/units'

const MAX_WEIGHT = 65_535

/**
 * Turns rewards into the row that the chain stores: the largest becomes 65 535, the others in proportion, halves round to the
 * even number, zeros are dropped, uids ascend.
 * @param rewards one per uid, finite and not negative; none or all zero gives an empty row
 * @throws SPEC_REWARD for any other reward, or a uid that comes twice
 * @source bittensor 10.5.0 utils/weight_utils.py convert_weights_and_uids_for_emit
 */
export const toWeights = (rewards: readonly (readonly [uid: Uid, reward: number])[]): (readonly [uid: Uid, weight: number])[] => {
  const seen = new Set<number>()
  for (const [uid, reward] of rewards) {
    if (!Number.isFinite(reward) || reward < 0) throw unusable(`Reward of uid ${uid} is ${reward}; it must be finite and not negative`)
    if (seen.has(uid)) throw unusable(`Uid ${uid} has two rewards; give it one`)
    seen.add(uid)
  }
  const largest = Math.max(0, ...rewards.map(([, reward]) => reward))
  if (largest === 0) return []
  return rewards
    .map(([uid, reward]) => [uid, roundHalfEven((reward / largest) * MAX_WEIGHT)] as const)
    .filter(([, weight]) => weight > 0)
    .sort(([a], [b]) => a - b)
}

const unusable = (message: string): SubnetError => new SubnetError({ code: 'SPEC_REWARD', message })
