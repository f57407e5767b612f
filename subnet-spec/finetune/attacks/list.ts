import { SubnetError } from '@arbor/shared/errors'
import { bomb, nan, oversized } from './broken.ts'
import { noise, scaled, signFlip, zeros } from './made-up.ts'
import { halfWork, other, poison, randomData } from './other-work.ts'
import { halfServed, slowDrip, withheldStates } from './serving.ts'
import { copy, noisyCopy, restamped, stale } from './taken.ts'
import type { TrainingAttack } from './types.ts'

/** Every attack on a training subnet: made-up numbers, other work, others' work, broken files, bad service. */
export const TRAINING_ATTACKS: readonly TrainingAttack[] = [
  zeros,
  noise,
  signFlip,
  scaled,
  randomData,
  copy,
  noisyCopy,
  stale,
  restamped,
  halfWork,
  other,
  poison,
  nan,
  oversized,
  bomb,
  slowDrip,
  halfServed,
  withheldStates,
]

/** Their names, in the same order. */
export const TRAINING_ATTACK_NAMES: readonly string[] = TRAINING_ATTACKS.map(({ name }) => name)

/**
 * Finds an attack by its name.
 * @throws ATTACK_UNKNOWN
 */
export const trainingAttackOf = (name: string): TrainingAttack => {
  const found = TRAINING_ATTACKS.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new SubnetError({
    code: 'ATTACK_UNKNOWN',
    message: `There is no attack ${name}; name one of ${TRAINING_ATTACK_NAMES.join(', ')}`,
    details: { name },
  })
}
