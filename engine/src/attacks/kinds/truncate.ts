import type { AttackModule } from '../types.ts'

/** Stops in the middle. */
export const truncate: AttackModule = {
  name: 'truncate',
  weights: 'honest',
  needsHonest: true,
  does: 'stops after half of the tokens',
  gains: 'half of the work',
  caughtBy: ['truncated'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) =>
      honest.generate({ ...request, maxTokens: Math.ceil(request.maxTokens / 2) }, options),
}
