import type { AttackModule } from '../types.ts'

/** Takes the likeliest token, whatever the temperature. */
export const greedy: AttackModule = {
  name: 'greedy',
  weights: 'honest',
  needsHonest: true,
  does: 'takes the likeliest token, whatever the temperature asked for',
  gains: 'speculative decoding, and servers that cannot replay a seeded draw',
  caughtBy: ['sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) =>
      honest.generate({ ...request, temperature: 0 }, options),
}
