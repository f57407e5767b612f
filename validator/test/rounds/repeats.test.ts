import { readFileSync } from 'node:fs'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Blocks, Hex, Uid } from '@arbor/shared/units'
import type { RepeatTerms } from '@arbor/subnet-spec/define'
import inference from '@arbor/subnet-spec/inference-tiny'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import { describe, expect, test } from 'vitest'
import { minersOf } from '../../src/plan.ts'
import { undecided } from '../../src/rounds/repeats.ts'
import { type RoundDeps, runRound } from '../../src/rounds/run.ts'
import type { Score } from '../../src/scores.ts'
import { metagraph, neuron } from '../fixtures.ts'
import { answered, axon, begin, never, setUp, termsOf } from './support.ts'

const score = (uid: number, average: number, sigma: number) => ({ uid: uid as Uid, average, sigma }) as Score

describe('undecided', () => {
  test('names neighbours whose margin noise could have made, and no others', () => {
    const scores = [score(1, 0.9, 0.03), score(2, 0.5, 0.03), score(3, 0.46, 0.03), score(4, 0.1, 0)]
    expect([...undecided(scores, { k: 1 })]).toEqual([2, 3]) // 0.04 against 0.0424
    expect([...undecided(scores, { k: 0.9 })]).toEqual([])
    expect([...undecided(scores, { k: 10 })].sort()).toEqual([1, 2, 3])
  })

  test('asks nobody again for equal averages, or without noise', () => {
    expect(undecided([score(1, 0.5, 0.1), score(2, 0.5, 0.1)], { k: 3 }).size).toBe(0)
    expect(undecided([score(1, 0.5, 0), score(2, 0.499, 0)], { k: 3 }).size).toBe(0)
    expect(undecided([], { k: 3 }).size).toBe(0)
  })
})

/** Noise larger than the margins that are to be told apart. */
const SIGMA = 0.07
const MARGIN = 0.03
const miners = Array.from({ length: 8 }, (_, i) => keypairFromUri(`//noisy${i}`).address)
const graph = metagraph({ neurons: miners.map((hotkey, uid) => neuron({ uid, hotkey, registeredAt: 5, axon })) })
const skillOf = (uid: number): number => 0.4 + MARGIN * uid

/** A draw of the normal distribution that a seed fixes, by the central limit. */
const noiseOf = (seed: Hex): number => {
  const choices = choicesFrom({ seed, label: 'noise' })
  return Array.from({ length: 12 }, () => choices.below(2 ** 20) / 2 ** 20).reduce((sum, x) => sum + x, -6)
}

/** Runs rounds of noisy miners, and tells the share of pairs that the averages rank wrongly, and what was asked. */
const rounds = async (of: { repeats?: RepeatTerms; history: number; rounds: number; sigma?: number }) => {
  let asked = 0
  const { sigma = SIGMA } = of
  const { deps, ledger } = setUp({
    spec: { ...inference, ...(of.repeats === undefined ? {} : { repeats: of.repeats }) },
    miners: async () => minersOf({ metagraph: graph, self: 'nobody' as never }),
    ask: async ({ uid }) => {
      asked += 1
      return { ...answered, body: Buffer.from(String(uid)) }
    },
    judge: async ({ request, response }) => {
      const value = skillOf(Number(Buffer.from(response))) + SIGMA * noiseOf((request as { seed: Hex }).seed)
      return { reason: 'ok', value: Math.min(1, Math.max(0, value)), sigma }
    },
  })
  for (let round = 0; round < of.rounds; round += 1) {
    const terms = termsOf({ block: 200 * (of.history * 100 + round + 1), length: 200 })
    begin(ledger, { ...terms, blockHash: `0x${String(terms.round).padStart(64, '0')}`, tempo: 400 as Blocks })
    const at = terms.roundBlock + 1
    const chain: RoundDeps['chain'] = {
      finalized: async () => ({ number: at as Block, hash: '0x00' }),
      best: async () => ({ number: at as Block, hash: '0x00' }),
    }
    await runRound({ ...deps, chain }, never)
  }
  const averages = ledger.scores().map(({ average }) => average)
  const pairs = averages.flatMap((lower, i) => averages.slice(i + 1).map((upper) => upper <= lower))
  ledger.close()
  return { wrong: pairs.filter(Boolean).length / pairs.length, asked }
}

/** Averages over seeded histories. */
const mean = async (of: Omit<Parameters<typeof rounds>[0], 'history'>, histories: number) => {
  const all: Awaited<ReturnType<typeof rounds>>[] = []
  for (let history = 0; history < histories; history += 1) all.push(await rounds({ ...of, history }))
  const sum = (key: 'wrong' | 'asked'): number => all.reduce((total, one) => total + one[key], 0) / histories
  return { wrong: sum('wrong'), asked: sum('asked') }
}

describe('repeats', () => {
  const repeats = { k: 2, most: 8 }

  test('rank noisy miners better than one question each does, and stop at their bound', async () => {
    const once = await mean({ rounds: 1 }, 12)
    const again = await mean({ rounds: 1, repeats }, 12)
    expect(once.asked).toBe(8)
    expect(again.asked).toBeLessThanOrEqual(8 * 9)
    expect(again.wrong).toBeLessThan(once.wrong / 2)
    const page = readFileSync(new URL('../../../docs/scores.md', import.meta.url), 'utf8')
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
    expect(page).toContain(`| one question each | ${percent(once.wrong)} | 8 |`)
    expect(page).toContain(`| \`repeats: { k: 2, most: 8 }\` | ${percent(again.wrong)} | ${again.asked.toFixed(1)} |`)
  })

  test('ask nobody again where the scorer is surer than the margins are wide', async () => {
    expect((await rounds({ rounds: 1, history: 3, sigma: 1e-6, repeats })).asked).toBe(8)
  })

  test('ask nobody again who failed', async () => {
    const asked: number[] = []
    const { deps, ledger } = setUp({
      spec: { ...inference, repeats },
      miners: async () => minersOf({ metagraph: graph, self: 'nobody' as never }),
      ask: async ({ uid }) => {
        asked.push(uid)
        return uid < 6 ? { kind: 'fault', reason: 'timeout', why: 'late', timing: null } : answered
      },
      judge: async ({ request }) => ({
        reason: 'ok',
        value: Math.abs(noiseOf((request as { seed: Hex }).seed)) / 6,
        sigma: 1,
      }),
    })
    begin(ledger, termsOf({ block: 1_000, length: 1_000 }))
    await runRound(deps, never)
    expect(asked.slice(8).every((uid) => uid >= 6)).toBe(true)
    expect(asked.length).toBe(8 + 2 * 8)
  })

  test('end when there are too few blocks left in the round', async () => {
    let head = 101
    const finalized: RoundDeps['chain']['finalized'] = async () => {
      head += 4
      return { number: head as Block, hash: '0x00' }
    }
    const { deps, ledger } = setUp({
      spec: { ...inference, repeats },
      judge: async ({ request }) => ({
        reason: 'ok',
        value: Math.abs(noiseOf((request as { seed: Hex }).seed)) / 6,
        sigma: 1,
      }),
    })
    begin(ledger, termsOf({ block: 100, length: 20 }))
    const chain: RoundDeps['chain'] = { ...deps.chain, finalized }
    await runRound({ ...deps, chain }, never)
    expect(ledger.scores().map(({ samples }) => samples)).toEqual([3, 3]) // passes end at 109, 113 and 117, and none of four blocks fits then
  })
})
