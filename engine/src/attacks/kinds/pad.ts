import type { AttackModule } from '../types.ts'

/** Works for half of the answer and repeats itself for the rest. */
export const pad: AttackModule = {
  name: 'pad',
  weights: 'honest',
  needsHonest: true,
  does: 'generates half of the tokens, repeats them, and proves the whole by an honest prefill',
  gains: 'half of the steps: a prefill costs little',
  caughtBy: ['sampling'],
  within: 2,
  start:
    ({ honest }) =>
    async (request, options) => {
      const half = Math.ceil(request.maxTokens / 2)
      const answer = await honest.generate({ ...request, maxTokens: half }, { signal: options.signal })
      if (answer.finish === 'stop') return answer
      const tokens = [...answer.tokens, ...answer.tokens].slice(0, request.maxTokens)
      const fingerprint = await honest.prove(request, tokens)
      return honest.assemble(request, { tokens, finish: 'length', fingerprint })
    },
}
