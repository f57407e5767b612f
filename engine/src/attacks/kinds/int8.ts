import type { AttackModule } from '../types.ts'

/** Runs 8-bit weights in place of the honest ones. */
export const int8: AttackModule = {
  name: 'int8',
  weights: 'int8',
  needsHonest: false,
  does: 'answers with weights of 8 bits',
  gains: 'a quarter of the memory, up to four times the speed',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ engine }) => engine.generate,
}
