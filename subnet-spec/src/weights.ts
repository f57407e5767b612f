import { SubnetError } from '@arbor/shared/errors'
import { roundHalfEven } from '@arbor/shared/math'
import type { Uid } from '@arbor/shared/units'

const MAX_WEIGHT = 65_535

/**
 * Turns rewards into the row that the chain stores: the largest becomes 65 535, the others in proportion, halves round to the
 * even number, zeros are dropped, uids ascend.
 * @param rewards one per uid, finite and not negative; none or all zero gives an empty row
 * @throws SPEC_REWARD for any other reward, a uid that is no u16 or comes twice
 * @source bittensor 10.5.0 utils/weight_utils.py convert_weights_and_uids_for_emit
 */
export const toWeights = (
  rewards: readonly (readonly [uid: Uid, reward: number])[],
): (readonly [uid: Uid, weight: number])[] => {
  const seen = new Set<number>()
  for (const [uid, reward] of rewards) {
    if (!Number.isFinite(Math.fround(reward)) || reward < 0)
      throw unusable(`Reward of uid ${uid} is ${reward}; it must be finite and not negative`)
    if (!Number.isInteger(uid) || uid < 0 || uid > 65_535) throw unusable(`Uid ${uid} is not an integer in 0..65535`)
    if (seen.has(uid)) throw unusable(`Uid ${uid} has two rewards; give it one`)
    seen.add(uid)
  }
  // The reference holds rewards as float32 and goes on in double; halves fall otherwise without this.
  const values = rewards.map(([uid, reward]) => [uid, Math.fround(reward)] as const)
  const largest = values.reduce((max, [, value]) => Math.max(max, value), 0)
  if (largest === 0) return []
  return values
    .map(([uid, value]) => [uid, roundHalfEven((value / largest) * MAX_WEIGHT)] as const)
    .filter(([, weight]) => weight > 0)
    .sort(([a], [b]) => a - b)
}

const unusable = (message: string): SubnetError => new SubnetError({ code: 'SPEC_REWARD', message })
