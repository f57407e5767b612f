import type { AttackModule } from './types.ts'

/** Answers with the tokens of an attack's own weights, and proves them by one prefill of the honest ones. */
export const proveHonestly: AttackModule['start'] =
  ({ engine, honest }) =>
  async (request, options) => {
    const { tokens, finish } = await engine.generate(request, { signal: options.signal })
    const fingerprint = await honest.prove(request, tokens)
    return honest.assemble(request, { tokens, finish, fingerprint })
  }
