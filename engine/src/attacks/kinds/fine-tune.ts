import type { AttackModule } from '../types.ts'

/** Runs another fine-tune of the same model. */
export const fineTune: AttackModule = {
  name: 'fine-tune',
  weights: 'fine-tune',
  needsHonest: false,
  does: 'answers with weights that are one step of training away',
  gains: 'one set of weights for several subnets',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ engine }) => engine.generate,
}
