import { Socket } from 'node:net'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import type { Answer, Fault } from '../../src/dendrite/answer.ts'
import { ASK_LIMITS, type AskLimits, createAsk } from '../../src/dendrite/ask.ts'
import { createBreakers } from '../../src/dendrite/breaker.ts'
import type { Dialled } from '../../src/dendrite/dial.ts'
import type { Question, Speaker, SpeakerContext } from '../../src/dendrite/speaker.ts'

const never = new AbortController().signal
const definition = Object.values(inference.tasks)[0]
if (definition === undefined) throw new Error('the spec has no task')
const timing = { totalMs: 7, firstByteMs: 5, connectMs: 1, lagMs: 0, lagged: false, deadlineMs: 100 }
const shown = {
  binding: `0x${'00'.repeat(32)}`,
  answerHash: `0x${'00'.repeat(32)}`,
  evidence: { protocol: 'bittensor', signedText: '', signature: '' },
} as const
const answered: Answer = { kind: 'answered', body: new Uint8Array(1), timing, signed: true, ...shown }
const faulty = (reason: Fault, stale = false): Answer => ({ kind: 'fault', reason, why: 'it failed', timing, stale })

const questionOf = (over: Partial<Question> = {}): Question => ({
  task: 'chat',
  hotkey: 'miner-1' as Ss58,
  registeredAt: 1 as Block,
  address: { ip: '8.8.8.8', port: 8_091 },
  isOwn: false,
  version: 2,
  body: new Uint8Array(10),
  deadlineMs: 1_000,
  maxResponseBytes: 100,
  definition,
  ...over,
})

const unused = (): never => {
  throw new Error('the speakers of these tests send nothing')
}
const context: SpeakerContext = {
  send: unused,
  sign: unused,
  hotkey: { address: 'me' as Ss58, publicKey: new Uint8Array(32) },
  netuid: 1 as NetUid,
  genesisHash: `0x${'00'.repeat(32)}` as const,
  clock: createManualClock(),
  randomBytes: unused,
  log: { debug: () => undefined, warn: () => undefined },
}

const setUp = (speak: Speaker, over: { limits?: Partial<AskLimits>; dialled?: () => Dialled } = {}) => {
  const clock = createManualClock()
  const probes: string[] = []
  const ask = createAsk({
    limits: { ...ASK_LIMITS, inFlight: 2, ...over.limits },
    clock,
    breakers: createBreakers({ threshold: 3, capacity: 10 }),
    dial: async (address) => {
      probes.push(address.ip)
      return over.dialled?.() ?? { ok: false, reason: 'connect-timeout' }
    },
    speakerOf: () => speak,
    context,
    privateAllowed: false,
    turn: () => Promise.resolve(),
  })
  return { ask, clock, probes }
}
const reasonsOf = (answers: readonly Answer[]): string[] =>
  answers.map((answer) => (answer.kind === 'answered' ? 'answered' : answer.reason))

describe('ask', () => {
  test('speaks once, and again when the connection was stale', async () => {
    const given = [faulty('early-close', true), answered]
    const { ask } = setUp(async () => given.shift() ?? faulty('timeout'))
    expect(reasonsOf([await ask(questionOf(), never)])).toEqual(['answered'])
    expect(given).toEqual([])
  })

  test('counts what a stale connection took into the time of the answer, and of the miner', async () => {
    const deadlines: number[] = []
    const { ask } = setUp(async ({ deadlineMs }) => {
      deadlines.push(deadlineMs)
      if (deadlines.length > 1) return answered
      return {
        kind: 'fault',
        reason: 'early-close',
        why: 'it failed',
        timing: { ...timing, totalMs: 900 },
        stale: true,
      }
    })
    const answer = await ask(questionOf(), never)
    expect(deadlines).toEqual([1_000, 100])
    expect(answer).toMatchObject({ timing: { firstByteMs: 905, totalMs: 907, deadlineMs: 1_000 } })
  })

  test('does not speak a third time', async () => {
    let spoken = 0
    const { ask } = setUp(async () => {
      spoken += 1
      return faulty('early-close', true)
    })
    expect(reasonsOf([await ask(questionOf(), never)])).toEqual(['early-close'])
    expect(spoken).toBe(2)
  })

  test('keeps more than its share from one miner, and the others asked', async () => {
    const waiting: (() => void)[] = []
    const { ask } = setUp(
      ({ hotkey }) => {
        if (hotkey !== 'slow') return Promise.resolve(answered)
        return new Promise((resolve) => waiting.push(() => resolve(answered)))
      },
      { limits: { perMiner: 1 } },
    )
    const slow = [1, 2, 3].map(() => ask(questionOf({ hotkey: 'slow' as Ss58 }), never))
    expect(reasonsOf([await ask(questionOf(), never)])).toEqual(['answered'])
    expect(waiting).toHaveLength(1)
    while (waiting.length > 0) {
      waiting.pop()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(reasonsOf(await Promise.all(slow))).toEqual(['answered', 'answered', 'answered'])
  })

  test('blames nobody when a place came too late, and says how long was waited', async () => {
    const { ask, clock } = setUp(() => new Promise(() => undefined), { limits: { inFlight: 1, withinMs: 10_000 } })
    void ask(questionOf(), never)
    const late = ask(questionOf({ hotkey: 'miner-2' as Ss58 }), never)
    await clock.advance(5_999)
    expect(clock.sleeping()).toBe(1)
    await clock.advance(1)
    expect(await late).toMatchObject({ kind: 'ours', reason: 'line-wait', why: expect.stringContaining('6000 ms') })
  })

  test('blames nobody when too many wait already', async () => {
    const { ask } = setUp(() => new Promise(() => undefined), { limits: { inFlight: 1, waiting: 1 } })
    void ask(questionOf(), never)
    void ask(questionOf({ hotkey: 'miner-2' as Ss58 }), never)
    expect(await ask(questionOf({ hotkey: 'miner-3' as Ss58 }), never)).toMatchObject({
      kind: 'ours',
      reason: 'line-full',
    })
  })

  test('holds no more at once than the bytes in flight allow', async () => {
    let speaking = 0
    const { ask } = setUp(
      () => {
        speaking += 1
        return new Promise(() => undefined)
      },
      { limits: { inFlight: 9, bytesInFlight: 250 } },
    )
    for (const hotkey of ['a', 'b', 'c']) void ask(questionOf({ hotkey: hotkey as Ss58 }), never)
    await new Promise((resolve) => setImmediate(resolve))
    expect(speaking).toBe(2) // 110 bytes each
  })

  test.each<[Fault, number, string]>([
    ['timeout', 99, 'timeout'],
    ['timeout', 100, 'lag'],
    ['trickle', 100, 'lag'],
    ['schema', 900, 'schema'],
  ])('says of a %s during a lag of %i ms of 1 s: %s', async (reason, lagMs, said) => {
    const late: Answer = { kind: 'fault', reason, why: 'it failed', timing: { ...timing, lagMs } }
    expect(reasonsOf([await setUp(async () => late).ask(questionOf(), never)])).toEqual([said])
  })

  test('leaves the line at once when the signal aborts', async () => {
    const { ask } = setUp(() => new Promise(() => undefined), { limits: { inFlight: 1 } })
    void ask(questionOf(), never)
    const stop = new AbortController()
    const waiting = ask(questionOf({ hotkey: 'miner-2' as Ss58 }), stop.signal)
    stop.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
  })

  test('does not dial what is not of the public internet, but our own listener', async () => {
    const { ask } = setUp(async () => answered)
    const address = { ip: '127.0.0.1', port: 1 }
    const answers = [await ask(questionOf({ address }), never), await ask(questionOf({ address, isOwn: true }), never)]
    expect(reasonsOf(answers)).toEqual(['address', 'answered'])
  })
})

describe('breaker', () => {
  const missing = (): Promise<Answer> => Promise.resolve(faulty('connect-timeout'))

  test('opens after three misses in a row: then only a probe goes out, once a question', async () => {
    let spoken = 0
    const { ask, probes } = setUp(() => {
      spoken += 1
      return missing()
    })
    const answers: Answer[] = []
    for (let turn = 0; turn < 5; turn += 1) answers.push(await ask(questionOf(), never))
    expect(reasonsOf(answers)).toEqual([
      'connect-timeout',
      'connect-timeout',
      'connect-timeout',
      'unreachable',
      'unreachable',
    ])
    expect([spoken, probes.length]).toEqual([3, 2])
  })

  test('takes no place in flight for a probe', async () => {
    const { ask } = setUp(({ hotkey }) => (hotkey === 'dead' ? missing() : new Promise(() => undefined)))
    const dead = questionOf({ hotkey: 'dead' as Ss58 })
    for (let turn = 0; turn < 3; turn += 1) await ask(dead, never)
    for (const hotkey of ['a', 'b', 'c']) void ask(questionOf({ hotkey: hotkey as Ss58 }), never) // all places, and one waits
    expect(reasonsOf([await ask(dead, never)])).toEqual(['unreachable'])
  })

  test('lets a question through as soon as a probe connects, and closes when it was reached', async () => {
    let isUp = false
    const { ask, probes } = setUp(() => (isUp ? Promise.resolve(faulty('schema')) : missing()), {
      dialled: () =>
        isUp ? { ok: true, socket: new Socket(), connectMs: 1 } : { ok: false, reason: 'connect-refused' },
    })
    for (let turn = 0; turn < 4; turn += 1) await ask(questionOf(), never)
    isUp = true
    expect(reasonsOf([await ask(questionOf(), never), await ask(questionOf(), never)])).toEqual(['schema', 'schema'])
    expect(probes).toHaveLength(2) // the last question needed none
  })

  test('stays closed for a miner that fails in another way', async () => {
    const { ask, probes } = setUp(async () => faulty('timeout'))
    for (let turn = 0; turn < 5; turn += 1) await ask(questionOf(), never)
    expect(probes).toEqual([])
  })

  test('is not opened by this machine having no sockets left', async () => {
    const { ask, probes } = setUp(async () => ({ kind: 'ours', reason: 'sockets', why: 'EMFILE' }))
    for (let turn = 0; turn < 5; turn += 1) await ask(questionOf(), never)
    expect(probes).toEqual([])
  })
})
