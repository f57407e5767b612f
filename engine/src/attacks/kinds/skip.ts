import type { AttackModule } from '../types.ts'

/** Runs the honest model without one layer. */
export const skip: AttackModule = {
  name: 'skip',
  weights: 'skip',
  needsHonest: false,
  does: 'leaves the middle layer out',
  gains: 'the work of one layer',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ engine }) => engine.generate,
}
