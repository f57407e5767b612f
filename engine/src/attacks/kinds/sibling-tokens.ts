import { proveHonestly } from '../prove-honestly.ts'
import type { AttackModule } from '../types.ts'

/** Draws with a smaller model, and passes the proof by one prefill of the honest one. */
export const siblingTokens: AttackModule = {
  name: 'sibling-tokens',
  weights: 'sibling',
  needsHonest: true,
  does: 'draws tokens with a smaller model and proves them by an honest prefill',
  gains: 'most of the work: the honest model runs once an answer',
  caughtBy: ['sampling'],
  within: 2,
  start: proveHonestly,
}
