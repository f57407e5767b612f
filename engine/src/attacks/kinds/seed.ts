import { createHash } from 'node:crypto'
import type { AttackModule } from '../types.ts'

/** Draws under another seed, as a server does that has a sampler of its own. */
export const seed: AttackModule = {
  name: 'seed',
  weights: 'honest',
  needsHonest: true,
  does: 'draws tokens under another seed',
  gains: 'the choice among several answers, or a server that cannot replay a seeded draw',
  caughtBy: ['sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) => {
      const other = createHash('sha256').update('arbor/attack/seed').update(request.seed).digest('hex')
      return honest.generate({ ...request, seed: `0x${other}` }, options)
    },
}
