import { type OpenedForge, openForge } from '../../engine/src/attacks/forge.ts'
import { ATTACKS } from '../../engine/src/attacks/list.ts'
import { makeAttack } from '../../engine/src/attacks/make.ts'
import { weightsFolder } from '../../engine/src/attacks/open.ts'
import type { AttackModule } from '../../engine/src/attacks/types.ts'
import type { GenerateRequest, Generation, ModelId } from '../../shared/src/inference.ts'
import type { Answered } from './honest.ts'
import { hashOf, type RequestOf, randomFrom, requestOf } from './questions.ts'

/** Answers of a cheat at once. */
const BATCH = 16

/** The cheats, those on the same weights together, so that each weights are loaded once. */
export const cheatsByWeights = (only: readonly string[]): ReadonlyMap<string, readonly AttackModule[]> =>
  Map.groupBy(
    ATTACKS.filter(({ name }) => only.length === 0 || only.includes(name)),
    ({ weights }) => weights,
  )

/**
 * Gives what an engine said before when it is asked the same again: the engine is deterministic, so nothing changes but the time
 * that cheats on the same weights take.
 */
const remember = (forge: OpenedForge): OpenedForge => {
  const known = new Map<string, Promise<Generation>>()
  return {
    ...forge,
    generate: (request) => {
      const key = JSON.stringify(request)
      const answer = known.get(key) ?? forge.generate(request)
      known.set(key, answer)
      return answer
    },
  }
}

/**
 * Lets cheats answer questions, those with the same weights one after the other. An answer that is the honest one, token for token
 * and proof for proof, is none of a cheat, and is left out.
 * @param of.wanted indexes that a cheat has still to answer
 */
export const answerFalsely = async (of: {
  readonly attacks: readonly AttackModule[]
  readonly folder: string
  /** Keeps altered weights. */
  readonly into: string
  readonly model: ModelId
  readonly about: Omit<RequestOf, 'group' | 'index'>
  readonly wanted: (attack: string) => readonly number[]
  readonly take: (attack: string, answered: Answered) => Promise<void>
}): Promise<void> => {
  const { attacks, folder, about } = of
  const [first] = attacks
  if (first === undefined || attacks.every(({ name }) => of.wanted(name).length === 0)) return
  const honest = remember(await openForge({ folder, batch: BATCH }))
  const engine =
    first.weights === 'honest'
      ? honest
      : remember(
          await openForge({
            folder: await weightsFolder({ folder, weights: first.weights, into: of.into }),
            claims: of.model,
            batch: BATCH,
          }),
        )
  for (const { name } of attacks) {
    const { generate } = makeAttack(name, { honest, engine, random: randomFrom(`${of.model.name} ${name}`) })
    const prepare = async (requests: readonly GenerateRequest[]): Promise<void> =>
      void (await Promise.all(requests.map((request) => generate(request, {}))))
    const stranger = requestOf({ ...about, group: 'stranger', index: 4_000 })
    if (name === 'replay') await prepare([stranger])
    if (name === 'two-faced') await prepare([{ ...stranger, maxTokens: about.maxTokens - 8 }]) // a form that no user has
    const indexes = [...of.wanted(name)]
    while (indexes.length > 0) {
      const requests = indexes
        .splice(0, BATCH)
        .map((index) => ({ index, request: requestOf({ ...about, group: 'cheats', index }) }))
      if (name === 'cache') {
        // somebody else asks the same first
        await prepare(requests.map(({ index, request }) => ({ ...request, binding: hashOf('earlier', index) })))
      }
      const answers = await Promise.all(
        requests.map(async ({ index, request }) => ({
          index,
          request,
          answer: await generate(request, {}),
          true: await honest.generate(request),
        })),
      )
      for (const answered of answers) if (!isSame(answered.answer, answered.true)) await of.take(name, answered)
    }
  }
  await Promise.all([...new Set([honest, engine])].map((forge) => forge.close()))
}

const isSame = (first: Generation, second: Generation): boolean =>
  first.tokens.join() === second.tokens.join() && first.fingerprint.join() === second.fingerprint.join()
