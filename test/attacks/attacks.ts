import { createHash } from 'node:crypto'
import { type OpenedForge, openForge } from '@arbor/engine/attacks/forge'
import { weightsFolder } from '@arbor/engine/attacks/open'
import type { AttackModule, AttackWeights } from '@arbor/engine/attacks/types'
import { SubnetError } from '@arbor/shared/errors'
import type { InferenceEngine } from '@arbor/shared/inference'
import { afterAll, describe, expect, test } from 'vitest'
import { planned, type Question, reasonOf } from './ask.ts'
import type { Stage } from './suite.ts'

/** Questions that an attack is asked at most; its own bound is below. */
const MOST = 16
const USERS_ATTACK = 'two-faced'

/** Registers a test of each attack: one of its first answers must be refused, for a reason that it names. */
export const attackTests = (stage: () => Stage, attacks: readonly AttackModule[]): void => {
  const forges = new Map<AttackWeights, Promise<OpenedForge>>()
  /** Opens each set of weights once: every attack on them shares it. */
  const forgeOf = (weights: AttackWeights): Promise<OpenedForge> => {
    const known = forges.get(weights)
    if (known !== undefined) return known
    const opening = open(stage(), weights)
    forges.set(weights, opening)
    return opening
  }

  describe('attacks are refused', () => {
    afterAll(async () => {
      const opened = await Promise.allSettled(forges.values())
      await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)))
    })
    test.for(attacks)('$name, within $within answers', async (about, { skip }) => {
      const { name, within, caughtBy } = about
      if (name === USERS_ATTACK && stage().tried.users === undefined) skip('the suite was not told how users ask')
      const engine = await attacking(stage(), about, forgeOf)
      if (engine instanceof SubnetError) return skip(engine.message)
      const seen: string[] = []
      for (const question of questionsOf(stage(), name)) {
        seen.push(await reasonOf(stage(), engine, question))
        if (seen.at(-1) !== 'ok') break
      }
      expect(caughtBy).toContain(seen.at(-1))
      expect(seen.length, seen.join(', ')).toBeLessThanOrEqual(within)
    })
  })
}

const open = async ({ tried, scratch, judge }: Stage, weights: AttackWeights): Promise<OpenedForge> => {
  const folder = await weightsFolder({ folder: tried.folder, weights, into: scratch })
  return openForge({ folder, claims: judge.model })
}

/** Puts an attack in the place of a miner's engine. @returns the refusal where the model does not allow it */
const attacking = async (
  { judge }: Stage,
  about: AttackModule,
  forgeOf: (weights: AttackWeights) => Promise<OpenedForge>,
): Promise<InferenceEngine | SubnetError> => {
  try {
    const [honest, engine] = await Promise.all([forgeOf('honest'), forgeOf(about.weights)])
    const generate = about.start({ honest, engine, random: seeded(about.name) })
    return { model: judge.model, check: judge.check, generate: (request, options = {}) => generate(request, options) }
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'ATTACK_NOT_POSSIBLE') return error
    throw error
  }
}

/** Each planned question is asked by two validators, and every second one in the form that users give it. */
function* questionsOf({ spec, tried: { users } }: Stage, name: string): Generator<Question> {
  for (let index = 0; index < MOST; index++) {
    const [round, asker] = [index >> 1, index % 2 === 0 ? 'a' : 'b']
    const question = planned(spec, `attack ${name} ${round}`, asker)
    const isUsers = users !== undefined && round % 2 === 1
    yield isUsers ? { ...question, request: users(question.request) } : question
  }
}

/** Gives bytes that only the label decides. */
const seeded = (label: string): ((length: number) => Uint8Array) => {
  let counter = 0
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      createHash('sha256').update(`${label} ${counter++}`).digest(),
    )
    return Uint8Array.from(Buffer.concat(blocks).subarray(0, length))
  }
}
