import { attackOf } from './list.ts'
import type { Attack, AttackDeps } from './types.ts'

/**
 * Starts an attack on engines that are open.
 * @throws ATTACK_UNKNOWN, and ATTACK_NOT_POSSIBLE when the model has not what it needs
 */
export const makeAttack = (name: string, deps: AttackDeps): Attack => {
  const about = attackOf(name)
  return { about, generate: about.start(deps) }
}
