import type { AttackModule } from '../types.ts'

const HINT = 'Answer briefly. '

/** Puts words of its own before the question, which make answers shorter, or advertise something. */
export const prompt: AttackModule = {
  name: 'prompt',
  weights: 'honest',
  needsHonest: true,
  does: 'puts a sentence of its own before the prompt',
  gains: 'shorter answers, or advertisement',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) => {
      const { prompt: asked } = request
      const changed = typeof asked === 'string' ? HINT + asked : [{ role: 'system' as const, content: HINT }, ...asked]
      return honest.generate({ ...request, prompt: changed }, options)
    },
}
