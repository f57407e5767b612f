import type { GenerateRequest, Generation } from '@arbor/shared/inference'
import type { AttackModule } from '../types.ts'

/** Answers that are kept. */
const KEPT = 256

/** Answers each question once, and from stock whenever it comes again. */
export const cache: AttackModule = {
  name: 'cache',
  weights: 'honest',
  needsHonest: true,
  does: 'works for the first who asks, and gives everybody who asks the same again that answer',
  gains: 'all but one answer of each question: validators ask a miner the same',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start: ({ honest }) => {
    const stock = new Map<string, Promise<Generation>>()
    return async (request, options) => {
      const question = keyOf(request)
      const known = await stock.get(question)?.catch(() => undefined) // who asked first may have left
      if (known !== undefined) return known
      const answer = honest.generate(request, options)
      stock.delete(question)
      stock.set(question, answer)
      const [oldest] = stock.keys()
      if (stock.size > KEPT && oldest !== undefined) stock.delete(oldest)
      return answer
    }
  },
}

/** Everything that is asked, but not who asks whom. */
const keyOf = ({ binding: _, ...asked }: GenerateRequest): string => JSON.stringify(asked)
