import type { AttackModule } from '../types.ts'

/** Runs a smaller model of the same family. */
export const sibling: AttackModule = {
  name: 'sibling',
  weights: 'sibling',
  needsHonest: false,
  does: 'answers with a smaller model of the same tokenizer',
  gains: 'most of the work',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ engine }) => engine.generate,
}
