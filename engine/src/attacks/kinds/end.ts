import type { AttackModule } from '../types.ts'
import { notPossible } from '../variants/weights.ts'

/** Ends the answer early with a token that the model did not draw. */
export const end: AttackModule = {
  name: 'end',
  weights: 'honest',
  needsHonest: true,
  does: 'puts an end token after half of the tokens and proves the whole by an honest prefill',
  gains: 'half of the work',
  caughtBy: ['sampling'],
  within: 2,
  start: ({ honest }) => {
    const [last] = honest.config.ends
    if (last === undefined) throw notPossible('it has no end token')
    return async (request, options) => {
      const half = Math.ceil(request.maxTokens / 2)
      const answer = await honest.generate({ ...request, maxTokens: half }, { signal: options.signal })
      if (answer.finish === 'stop') return answer
      const tokens = [...answer.tokens.slice(0, -1), last]
      const fingerprint = await honest.prove(request, tokens)
      return honest.assemble(request, { tokens, finish: 'stop', fingerprint })
    }
  },
}
