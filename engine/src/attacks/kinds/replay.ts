import type { AttackModule } from '../types.ts'

/** Works honestly once and shows that answer's proof for ever. */
export const replay: AttackModule = {
  name: 'replay',
  weights: 'sibling',
  needsHonest: true,
  does: 'answers with a smaller model, and shows the proof of an honest answer that it gave before',
  gains: 'most of the work: the honest model runs once',
  caughtBy: ['fingerprint'],
  within: 2,
  start: ({ engine, honest }) => {
    let kept: readonly string[] = []
    return async (request, options) => {
      if (kept.length === 0) {
        const answer = await honest.generate(request, options)
        kept = answer.fingerprint
        return answer
      }
      const answer = await engine.generate(request, options)
      return { ...answer, fingerprint: answer.fingerprint.map((_, chunk) => kept[chunk % kept.length] ?? '') }
    }
  },
}
