import { createHash } from 'node:crypto'
import type { AttackModule } from '../types.ts'

/** Gives the answer that another miner made to the same question, under that miner's binding. */
export const stolen: AttackModule = {
  name: 'stolen',
  weights: 'honest',
  needsHonest: true,
  does: 'gives the honest answer of another miner to the same question',
  gains: 'all of the work: one machine answers for many hotkeys',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) => {
      const other = createHash('sha256')
        .update('arbor/attack/stolen')
        .update(request.binding ?? '')
        .digest('hex')
      return honest.generate({ ...request, binding: `0x${other}` }, options)
    },
}
