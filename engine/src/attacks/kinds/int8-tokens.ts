import { proveHonestly } from '../prove-honestly.ts'
import type { AttackModule } from '../types.ts'

/** Draws with cheap weights, and passes the proof by one prefill of the honest ones. */
export const int8Tokens: AttackModule = {
  name: 'int8-tokens',
  weights: 'int8',
  needsHonest: true,
  does: 'draws tokens with weights of 8 bits and proves them by an honest prefill',
  gains: 'most of the steps: the honest model runs once an answer',
  caughtBy: ['sampling'],
  within: 3,
  start: proveHonestly,
}
