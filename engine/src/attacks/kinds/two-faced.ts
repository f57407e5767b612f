import type { GenerateRequest } from '@arbor/shared/inference'
import type { AttackModule } from '../types.ts'

/** Works honestly for questions of the form that validators plan, and cheaply for all others. */
export const twoFaced: AttackModule = {
  name: 'two-faced',
  weights: 'sibling',
  needsHonest: true,
  does: 'answers honestly what looks like a planned question, and users with a smaller model',
  gains: 'the work that users cause, where only planned questions are judged',
  caughtBy: ['fingerprint', 'sampling'],
  within: 3,
  start: ({ engine, honest }) => {
    let planned: string | undefined
    return (request, options) => {
      planned ??= formOf(request) // a miner is asked by validators before any user finds it
      return (formOf(request) === planned ? honest : engine).generate(request, options)
    }
  },
}

/** What plans leave alike from question to question: everything but words and seeds. */
const formOf = ({ prompt, seed: _, binding: __, ...settings }: GenerateRequest): string =>
  JSON.stringify([
    typeof prompt,
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .sort(),
  ])
