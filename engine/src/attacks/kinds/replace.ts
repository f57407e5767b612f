import type { AttackModule } from '../types.ts'

/** Tokens of which one is replaced. */
const EVERY = 32

/** Puts in words of its own and proves the edited answer honestly. */
export const replace: AttackModule = {
  name: 'replace',
  weights: 'honest',
  needsHonest: true,
  does: 'replaces one token in 32 and proves the edited answer by an honest prefill',
  gains: 'a word of its own in somebody else’s answer',
  caughtBy: ['sampling'],
  within: 2,
  start:
    ({ honest, random }) =>
    async (request, options) => {
      const answer = await honest.generate(request, { signal: options.signal })
      const tokens = [...answer.tokens]
      const last = answer.finish === 'stop' ? tokens.length - 1 : tokens.length // what ended the answer stays
      for (let start = 0; start < last; start += EVERY) {
        const place = start + ((random(1)[0] ?? 0) % Math.min(EVERY, last - start))
        tokens[place] = another(tokens[place] ?? 0, honest.config, random)
      }
      const fingerprint = await honest.prove(request, tokens)
      return honest.assemble(request, { tokens, finish: answer.finish, fingerprint })
    },
}

const another = (
  token: number,
  { vocabulary, ends }: { readonly vocabulary: number; readonly ends: readonly number[] },
  random: (length: number) => Uint8Array,
): number => {
  let id = token
  while (id === token || ends.includes(id)) id = Buffer.from(random(4)).readUInt32LE() % vocabulary
  return id
}
