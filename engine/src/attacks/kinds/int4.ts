import type { AttackModule } from '../types.ts'

/** Runs 4-bit weights in place of the honest ones. */
export const int4: AttackModule = {
  name: 'int4',
  weights: 'int4',
  needsHonest: false,
  does: 'answers with weights of 4 bits',
  gains: 'an eighth of the memory: a card that is too small for the honest model',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ engine }) => engine.generate,
}
