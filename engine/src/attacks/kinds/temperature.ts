import type { AttackModule } from '../types.ts'

/** Share of the temperature that it draws with; where none is asked for, it draws with a little. */
const SHARE = 0.75
const UNASKED = 0.3

/** Draws with another temperature than asked for. */
export const temperature: AttackModule = {
  name: 'temperature',
  weights: 'honest',
  needsHonest: true,
  does: 'draws tokens at three quarters of the temperature asked for',
  gains: 'answers that look better than honest ones',
  caughtBy: ['sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) =>
      honest.generate({ ...request, temperature: SHARE * request.temperature || UNASKED }, options),
}
