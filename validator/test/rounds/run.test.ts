import { SubnetError } from '@arbor/shared/errors'
import type { Block } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import { minersOf, planRound } from '../../src/plan.ts'
import { type RoundDeps, runRound } from '../../src/rounds/run.ts'
import { rewardsOf } from '../../src/scores.ts'
import { metagraph, neuron } from '../fixtures.ts'
import { answered, axon, begin, graph, keys, never, setUp, termsOf } from './support.ts'

const plan = () => planRound({ spec: inference, metagraph: graph, round: 20, self: keys.me })
/** Begins the round and runs it. */
const run = ({ deps, ledger }: ReturnType<typeof setUp>, signal: AbortSignal = never) => {
  begin(ledger)
  return runRound(deps, signal)
}

describe('planRound', () => {
  test('plans one task for each serving miner but itself', () => {
    expect(plan().tasks.map(({ uid }) => uid)).toEqual([1, 3])
  })

  test('plans the same tasks for every validator of the round', () => {
    const other = planRound({ spec: inference, metagraph: graph, round: 20, self: keys.silent })
    expect(other.tasks.filter(({ uid }) => uid !== 0)).toEqual(plan().tasks)
  })

  test('asks a miner that holds a connection to us there, with or without an axon', () => {
    const own = { ip: '127.0.0.1', port: 4_242, version: 2, protocol: 4 }
    const route = (hotkey: string) => (hotkey === keys.silent || hotkey === keys.a ? own : null)
    const { tasks } = planRound({ spec: inference, metagraph: graph, round: 20, self: keys.me, route })
    expect(tasks.map(({ uid, axon: { port }, isOwn = false }) => [uid, port, isOwn])).toEqual([
      [1, 4_242, true],
      [2, 4_242, true],
      [3, 8_091, false],
    ])
  })

  test('gives no two miners the same seed', () => {
    expect(new Set(plan().tasks.map(({ seed }) => seed)).size).toBe(2)
  })
})

describe('runRound', () => {
  test('records a verdict and a score for each miner', async () => {
    const round = setUp()
    const { ledger } = round
    const verdicts = await run(round)
    expect(verdicts.map(({ uid, reason, value }) => ({ uid, reason, value }))).toEqual([
      { uid: 1, reason: 'ok', value: 1 },
      { uid: 3, reason: 'ok', value: 1 },
    ])
    expect(ledger.scores().map(({ uid, average }) => ({ uid, average }))).toEqual([
      { uid: 1, average: 1 },
      { uid: 3, average: 1 },
    ])
    expect(ledger.lastRoundBlock()).toBe(100)
    expect(ledger.lastRoundAt()).toBe(5_000)
  })

  test('gives a faulty answer its reason and no value', async () => {
    const ask: RoundDeps['ask'] = async ({ uid }) =>
      uid === 1 ? { kind: 'fault', reason: 'timeout', why: 'no byte came', timing: null } : answered
    const round = setUp({ ask })
    const { ledger } = round
    await run(round)
    expect(ledger.verdictCounts()).toEqual(
      new Map([
        [keys.a, new Map([['timeout', 1]])],
        [keys.b, new Map([['ok', 1]])],
      ]),
    )
    expect(ledger.scores().find(({ uid }) => uid === 1)?.average).toBe(0)
  })

  test('gives no verdict to a miner that was not asked for a reason of ours', async () => {
    const ask: RoundDeps['ask'] = async ({ uid }) =>
      uid === 1 ? { kind: 'ours', reason: 'line-wait', why: 'no place came free' } : answered
    const round = setUp({ ask })
    const { ledger } = round
    expect((await run(round)).map(({ uid }) => uid)).toEqual([3])
    expect(ledger.scores().map(({ uid }) => uid)).toEqual([3])
  })

  test('judges an answer once more when the engine crashed under it', async () => {
    let calls = 0
    const judge: RoundDeps['judge'] = async () => {
      calls += 1
      if (calls === 1) throw new Error('the engine crashed')
      return { reason: 'ok', value: 1, sigma: 0 }
    }
    const verdicts = await run(setUp({ judge }))
    expect(verdicts).toHaveLength(2)
    expect(calls).toBe(3)
  })

  test('gives no verdict where nobody could judge, and keeps the score', async () => {
    const round = setUp({ judge: () => Promise.reject(new Error('dead')) })
    const { ledger } = round
    expect(await run(round)).toEqual([])
    expect(ledger.scores()).toEqual([])
    expect(ledger.lastRoundBlock()).toBe(100)
  })

  test('ends when the engine will not come back', async () => {
    const dead = new SubnetError({ code: 'ENGINE_DEAD', message: 'crashed too often' })
    const round = setUp({ judge: () => Promise.reject(dead) })
    const { ledger } = round
    await expect(run(round)).rejects.toBe(dead)
    expect(ledger.lastRoundBlock()).toBeNull()
  })

  test('records nothing when it is stopped in the middle', async () => {
    const stop = new AbortController()
    const ask: RoundDeps['ask'] = async () => {
      stop.abort(new Error('stop'))
      return answered
    }
    const round = setUp({ ask })
    const { ledger } = round
    await expect(run(round, stop.signal)).rejects.toThrow('stop')
    expect(ledger.lastRoundBlock()).toBeNull()
    expect(ledger.scores()).toEqual([])
  })

  test('judges by a block that comes after all answers, and keeps a receipt of each', async () => {
    const order: string[] = []
    const round = setUp({
      ask: async () => {
        order.push('asked')
        return answered
      },
      drawBlock: async (after) => {
        order.push(`drawn after ${after}`)
        return { number: (after + 1) as Block, hash: `0x${'d4'.repeat(32)}` }
      },
      judge: async ({ binding, share }) => {
        order.push(`judged ${binding.slice(0, 4)} ${share === undefined ? 'whole' : 'share'}`)
        return { reason: 'ok', value: 1, sigma: 0 }
      },
    })
    const verdicts = await run(round)
    expect(order).toEqual(['asked', 'asked', 'drawn after 103', 'judged 0xb1 whole', 'judged 0xb1 whole'])
    expect(round.written.map(({ id }) => id).sort()).toEqual(verdicts.map(({ receipt }) => receipt).sort())
    expect(round.written[0]).toMatchObject({
      exchange: { after: 103, kind: 'planned', response: '{"text":"x"}' },
      drawn: { block: { number: 104 } },
      verdict: { reason: 'ok' },
    })
  })

  test('looks at all of every answer when the block of the draw does not come', async () => {
    const round = setUp({ drawBlock: async () => null })
    expect(await run(round)).toHaveLength(2)
    expect(round.written.map(({ drawn, share }) => [drawn, share])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  test('has a miner forfeit its weight for a proven cheat, and not for being late', async () => {
    const judge: RoundDeps['judge'] = async () => ({ reason: 'fingerprint', value: 0, sigma: 0 })
    const ask: RoundDeps['ask'] = async ({ uid }) =>
      uid === 1 ? { kind: 'fault', reason: 'timeout', why: 'no byte came', timing: null } : answered
    const round = setUp({ judge, ask })
    const { ledger } = round
    await run(round)
    expect(ledger.forfeits(100 as Block)).toMatchObject([
      { uid: 3, reason: 'fingerprint', kind: 'planned', atBlock: 100, untilBlock: 140 },
    ])
    const paid = (block: number) =>
      rewardsOf({
        scores: ledger.scores().map((score) => ({ ...score, average: 1 })),
        forfeits: ledger.forfeits(block as Block),
        neurons: graph.neurons,
        oldestRoundBlock: 0 as Block,
        reward: (average) => average,
      })
    expect(paid(139)).toEqual([
      [1, 1],
      [3, 0],
    ])
    expect(paid(140)).toEqual([
      [1, 1],
      [3, 1],
    ])
  })

  test('forfeits nothing for an answer that nobody signed', async () => {
    const judge: RoundDeps['judge'] = async () => ({ reason: 'fingerprint', value: 0, sigma: 0 })
    const round = setUp({ judge, ask: async () => ({ ...answered, signed: false }) })
    const { ledger } = round
    expect((await run(round)).map(({ reason }) => reason)).toEqual(['fingerprint', 'fingerprint'])
    expect(ledger.forfeits(100 as Block)).toEqual([])
  })

  test('starts a new score when the uid changed hands', async () => {
    const round = setUp()
    const { ledger } = round
    await run(round)
    const later = metagraph({
      neurons: [neuron({ uid: 1, hotkey: keys.fresh, registeredAt: 103, axon })],
    })
    begin(ledger, termsOf({ block: 105 }))
    const judge: RoundDeps['judge'] = async () => ({ reason: 'sampling', value: 0, sigma: 0 })
    const miners: RoundDeps['miners'] = async () => minersOf({ metagraph: later, self: keys.me })
    await runRound({ ...round.deps, judge, miners }, never)
    expect(
      ledger
        .scores()
        .filter(({ uid }) => uid === 1)
        .map(({ hotkey, average }) => ({ hotkey, average })),
    ).toEqual([{ hotkey: keys.fresh, average: 0 }])
  })
})
