import { SubnetError } from '@arbor/shared/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Blocks, Hex, NetUid, Uid } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../src/dendrite/answer.ts'
import { openLedger } from '../src/ledger.ts'
import { planRound } from '../src/plan.ts'
import type { Receipt } from '../src/receipts.ts'
import { type RoundDeps, runRound } from '../src/round.ts'
import { rewardsOf } from '../src/scores.ts'
import { metagraph, neuron } from './fixtures.ts'

const keys = {
  me: keypairFromUri('//me').address,
  a: keypairFromUri('//a').address,
  b: keypairFromUri('//b').address,
  silent: keypairFromUri('//silent').address,
  fresh: keypairFromUri('//fresh').address,
}
const axon = { ip: '127.0.0.2', port: 8091, version: 1, protocol: 4 }
const graph = metagraph({
  neurons: [
    neuron({ uid: 0, hotkey: keys.me, axon }),
    neuron({ uid: 1, hotkey: keys.a, axon }),
    neuron({ uid: 2, hotkey: keys.silent }),
    neuron({ uid: 3, hotkey: keys.b, axon }),
  ],
})
const plan = () => planRound({ spec: inference, metagraph: graph, round: 20, self: keys.me })
const timing = { totalMs: 7, firstByteMs: 5, connectMs: 1, lagMs: 0, lagged: false, deadlineMs: 100 }
const answered: Answer = {
  kind: 'answered',
  body: Buffer.from('{"text":"x"}'),
  timing,
  signed: true,
  binding: `0x${'b1'.repeat(32)}`,
  answerHash: `0x${'a1'.repeat(32)}`,
  evidence: { protocol: 'bittensor', signedText: 'text', signature: '0x00' },
}
const never = new AbortController().signal

const setUp = (over: Partial<RoundDeps> = {}) => {
  const ledger = openLedger({ owner: { genesisHash: '0xaa' as Hex, netuid: 1 as NetUid, hotkey: keys.me } })
  const written: Receipt[] = []
  const deps: RoundDeps = {
    spec: inference,
    ledger,
    receipts: { write: (receipt) => void written.push(receipt) },
    self: keys.me,
    genesisHash: `0x${'9e'.repeat(32)}`,
    netuid: 1 as NetUid,
    length: 5 as Blocks,
    chain: { best: async () => ({ number: 103 as Block, hash: `0x${'67'.repeat(32)}` }) },
    drawBlock: async (after) => ({ number: (after + 1) as Block, hash: `0x${'d4'.repeat(32)}` }),
    clock: createManualClock(5_000),
    log: createLogger({ name: 'test', level: 'silent' }),
    ask: async () => answered,
    judge: async () => ({ reason: 'ok', value: 1, sigma: 0 }),
    ...over,
  }
  return { deps, ledger, written }
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
    const { deps, ledger } = setUp()
    const verdicts = await runRound(deps, plan(), never)
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
    const { deps, ledger } = setUp({ ask })
    await runRound(deps, plan(), never)
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
    const { deps, ledger } = setUp({ ask })
    expect((await runRound(deps, plan(), never)).map(({ uid }) => uid)).toEqual([3])
    expect(ledger.scores().map(({ uid }) => uid)).toEqual([3])
  })

  test('judges an answer once more when the engine crashed under it', async () => {
    let calls = 0
    const judge: RoundDeps['judge'] = async () => {
      calls += 1
      if (calls === 1) throw new Error('the engine crashed')
      return { reason: 'ok', value: 1, sigma: 0 }
    }
    const verdicts = await runRound(setUp({ judge }).deps, plan(), never)
    expect(verdicts).toHaveLength(2)
    expect(calls).toBe(3)
  })

  test('gives no verdict where nobody could judge, and keeps the score', async () => {
    const { deps, ledger } = setUp({ judge: () => Promise.reject(new Error('dead')) })
    expect(await runRound(deps, plan(), never)).toEqual([])
    expect(ledger.scores()).toEqual([])
    expect(ledger.lastRoundBlock()).toBe(100)
  })

  test('ends when the engine will not come back', async () => {
    const dead = new SubnetError({ code: 'ENGINE_DEAD', message: 'crashed too often' })
    const { deps, ledger } = setUp({ judge: () => Promise.reject(dead) })
    await expect(runRound(deps, plan(), never)).rejects.toBe(dead)
    expect(ledger.lastRoundBlock()).toBeNull()
  })

  test('records nothing when it is stopped in the middle', async () => {
    const stop = new AbortController()
    const ask: RoundDeps['ask'] = async () => {
      stop.abort(new Error('stop'))
      return answered
    }
    const { deps, ledger } = setUp({ ask })
    await expect(runRound(deps, plan(), stop.signal)).rejects.toThrow('stop')
    expect(ledger.lastRoundBlock()).toBeNull()
    expect(ledger.scores()).toEqual([])
  })

  test('judges by a block that comes after all answers, and keeps a receipt of each', async () => {
    const order: string[] = []
    const { deps, written } = setUp({
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
    const verdicts = await runRound(deps, plan(), never)
    expect(order).toEqual(['asked', 'asked', 'drawn after 103', 'judged 0xb1 whole', 'judged 0xb1 whole'])
    expect(written.map(({ id }) => id).sort()).toEqual(verdicts.map(({ receipt }) => receipt).sort())
    expect(written[0]).toMatchObject({
      exchange: { after: 103, kind: 'planned', response: '{"text":"x"}' },
      drawn: { block: { number: 104 } },
      verdict: { reason: 'ok' },
    })
  })

  test('looks at all of every answer when the block of the draw does not come', async () => {
    const { deps, written } = setUp({ drawBlock: async () => null })
    expect(await runRound(deps, plan(), never)).toHaveLength(2)
    expect(written.map(({ drawn, share }) => [drawn, share])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  test('has a miner forfeit its weight for a proven cheat, and not for being late', async () => {
    const judge: RoundDeps['judge'] = async () => ({ reason: 'fingerprint', value: 0, sigma: 0 })
    const ask: RoundDeps['ask'] = async ({ uid }) =>
      uid === 1 ? { kind: 'fault', reason: 'timeout', why: 'no byte came', timing: null } : answered
    const { deps, ledger } = setUp({ judge, ask })
    await runRound(deps, plan(), never)
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
    const { deps, ledger } = setUp({ judge, ask: async () => ({ ...answered, signed: false }) })
    expect((await runRound(deps, plan(), never)).map(({ reason }) => reason)).toEqual(['fingerprint', 'fingerprint'])
    expect(ledger.forfeits(100 as Block)).toEqual([])
  })

  test('starts a new score when the uid changed hands', async () => {
    const { deps, ledger } = setUp()
    await runRound(deps, plan(), never)
    const later = metagraph({
      block: { number: 105 as Block, hash: `0x${'22'.repeat(32)}` },
      neurons: [neuron({ uid: 1 as Uid, hotkey: keys.fresh, registeredAt: 103, axon })],
    })
    await runRound(
      { ...deps, judge: async () => ({ reason: 'sampling', value: 0, sigma: 0 }) },
      planRound({ spec: inference, metagraph: later, round: 21, self: keys.me }),
      never,
    )
    expect(
      ledger
        .scores()
        .filter(({ uid }) => uid === 1)
        .map(({ hotkey, average }) => ({ hotkey, average })),
    ).toEqual([
      { hotkey: keys.a, average: 1 },
      { hotkey: keys.fresh, average: 0 },
    ])
  })
})
