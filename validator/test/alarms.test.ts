import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { CLEAR_MS, type Condition, createAlarms } from '../src/health/alarms.ts'
import { createBell } from '../src/health/bell.ts'
import { conditionsOf, readinessOf, type Vitals } from '../src/health/conditions.ts'
import { noticeBody } from '../src/health/notice.ts'
import type { Sight } from '../src/health/sight.ts'
import { createKeep } from '../src/keep.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'

const refAt = (number: number) => ({ number: number as Block, hash: `0x${'0'.repeat(64)}` as Hex })

/** What a validator sees at a block: weights of ours at block 100, a tempo of 10, permitted. */
const sightAt = (block: number, over: Partial<Sight> = {}): Sight => {
  const me = neuron({ lastUpdate: 100 })
  const snapshot = {
    metagraph: metagraph({ block: refAt(block), neurons: [me] }),
    hyperparameters: hyperparameters(),
    me,
  }
  return { snapshot, newest: refAt(block), first: refAt(50), headAgeMs: 1_000, behind: 0, isStale: false, ...over }
}
const well: Vitals = {
  sight: sightAt(105),
  included: { mechanism: 0, block: null },
  loops: [{ loop: 'rounds', failedInRow: 0, lastError: null }],
  broken: [],
  lastOutcome: 'confirmed',
  ended: null,
  isSettled: true,
}
const alarmsOf = (vitals: Vitals): readonly string[] =>
  conditionsOf(vitals).flatMap(({ alarm, isActive }) => (isActive ? [alarm] : []))

describe('what is wrong', () => {
  test('is nothing while weights are set, the chain moves and loops succeed', () => {
    expect([alarmsOf(well), readinessOf(well).ready]).toEqual([[], true])
  })

  test('is that no weights of ours were taken for more than three tempos (C-01)', () => {
    expect(alarmsOf({ ...well, sight: sightAt(130) })).toEqual([])
    expect(readinessOf({ ...well, sight: sightAt(130) }).ready).toBe(true)
    const late = { ...well, sight: sightAt(131) }
    expect(alarmsOf(late)).toEqual(['weights-missing'])
    expect(readinessOf(late)).toMatchObject({ ready: false, checks: { weights: { ok: false, is: 3.1 } } })
  })

  test('counts weights that the ledger knows of before the chain shows them', () => {
    expect(alarmsOf({ ...well, sight: sightAt(160), included: { mechanism: 0, block: 140 } })).toEqual([])
  })

  test('counts no commit as weights, nor those of another mechanism: only what the ledger says was taken (C-06)', () => {
    const sight = sightAt(131)
    const sealed = sight.snapshot && {
      ...sight.snapshot,
      hyperparameters: hyperparameters({ commitRevealEnabled: true }),
    }
    const committed = { ...sight, snapshot: sealed, first: refAt(100) }
    for (const [seen, mechanism] of [
      [committed, 0],
      [{ ...sight, first: refAt(100) }, 1],
    ] as const) {
      expect(alarmsOf({ ...well, sight: seen, included: { mechanism, block: null } })).toEqual(['weights-missing'])
      expect(alarmsOf({ ...well, sight: seen, included: { mechanism, block: 120 } })).toEqual([])
    }
  })

  test('is not told of a process that has not had a tempo of its own yet, but it is not ready', () => {
    const started = { ...well, sight: sightAt(200, { first: refAt(191) }) }
    expect([alarmsOf(started), readinessOf(started).ready]).toEqual([[], false])
    expect(alarmsOf({ ...well, sight: sightAt(201, { first: refAt(191) }) })).toEqual(['weights-missing'])
  })

  test.each<[string, Partial<Vitals>, string]>([
    ['a chain that stands still', { sight: sightAt(105, { isStale: true }) }, 'stale-chain'],
    ['an upgrade that took what we use', { broken: ['weights'] }, 'chain-upgrade'],
    [
      'a loop that failed five times in a row',
      { loops: [{ loop: 'rounds', failedInRow: 5, lastError: 'x' }] },
      'loop-failing',
    ],
    ['weights that the chain holds otherwise', { lastOutcome: 'mismatch' }, 'weights-wrong'],
    ['weights that the chain lost', { lastOutcome: 'lost' }, 'weights-wrong'],
    ['a process that ends', { ended: 'SUPERVISE_BUDGET_SPENT: …' }, 'ended'],
  ])('is %s', (_, over, alarm) => {
    expect(alarmsOf({ ...well, ...over })).toEqual([alarm])
  })

  test('makes a validator unready without a registration or a permit', () => {
    const seen = sightAt(105)
    const without = { ...well, sight: { ...seen, snapshot: seen.snapshot && { ...seen.snapshot, me: undefined } } }
    expect(readinessOf(without)).toMatchObject({
      ready: false,
      checks: { registered: { ok: false }, permit: { ok: false } },
    })
    const unpermitted = neuron({ lastUpdate: 100, validatorPermit: false })
    const denied = { ...well, sight: { ...seen, snapshot: seen.snapshot && { ...seen.snapshot, me: unpermitted } } }
    expect(readinessOf(denied)).toMatchObject({
      ready: false,
      checks: { registered: { ok: true }, permit: { ok: false } },
    })
  })
})

describe('an alarm', () => {
  const condition = (isActive: boolean | null): readonly Condition[] => [
    { alarm: 'stale-chain', isActive, message: 'no newer head' },
  ]

  test('is told once, and that it is over once, and is armed again then (C-01)', async () => {
    const clock = createManualClock()
    const alarms = createAlarms({ clock })
    const states = (isActive: boolean | null) => alarms.update(condition(isActive)).map(({ state }) => state)
    expect([states(false), states(true), states(true)]).toEqual([[], ['firing'], []])
    expect(states(false)).toEqual([])
    await clock.advance(CLEAR_MS)
    expect([states(false), states(false), states(true)]).toEqual([['resolved'], [], ['firing']])
  })

  test('that flutters is told of once', async () => {
    const clock = createManualClock()
    const alarms = createAlarms({ clock })
    const told: string[] = []
    for (let second = 0; second < 600; second += 1) {
      told.push(...alarms.update(condition(second % 20 < 10)).map(({ state }) => state))
      await clock.advance(1_000)
    }
    expect(told).toEqual(['firing'])
  })

  test('stays as it is while nobody knows', async () => {
    const clock = createManualClock()
    const alarms = createAlarms({ clock, before: { 'stale-chain': { since: 0 as UnixMs, message: 'x' } } })
    alarms.update(condition(null))
    await clock.advance(10 * CLEAR_MS)
    expect([alarms.update(condition(null)), Object.keys(alarms.firing())]).toEqual([[], ['stale-chain']])
  })
})

describe('a notice', () => {
  const about = { netuid: 1, hotkey: '5F' }
  const bodyOf = (message: string) =>
    JSON.parse(noticeBody({ alarm: 'ended', state: 'firing', at: 0 as UnixMs, message }, about)) as Record<
      string,
      string
    >

  test('names the alarm, the validator and the time, with a line for chats', () => {
    expect(bodyOf('it ends')).toEqual({
      type: 'arbor/alarm/1',
      alarm: 'ended',
      state: 'firing',
      at: '1970-01-01T00:00:00.000Z',
      netuid: 1,
      hotkey: '5F',
      message: 'it ends',
      text: '[firing] ended, netuid 1, hotkey 5F: it ends',
    })
  })

  test.each([
    ['a key in the path of an endpoint', 'no chain answers at wss://rpc.example.org/v2/s3cret (tried for 120 s)'],
    ['a key in a query', 'at wss://rpc.example.org?key=s3cret#s3cret, again'],
    ['a user in an address', 'POST https://me:s3cret@example.org/a'],
    ['a user that holds a slash', 'https://s3cret%2Fx@example.org/'],
    ['a seed', `0x${'5ec2e7'.repeat(11)}s3cret`.replace('s3cret', '')],
  ])('carries no secret: %s', (_, message) => {
    const { text = '' } = bodyOf(message)
    expect(text).not.toMatch(/s3cret|(?:5ec2e7){5}/)
  })

  test('is bounded, however long the error', () => {
    expect(bodyOf('x'.repeat(100_000)).message?.length).toBe(2_000)
  })
})

describe('the bell', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-bell-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const process = (name: string, vitals: () => Partial<Vitals> = () => ({})) => {
    const clock = createManualClock()
    const told: string[] = []
    const log = createLogger({ name: 'test', level: 'silent' })
    const bell = createBell({
      file: join(folder, name),
      about: {},
      clock,
      log,
      vitals: () => ({ ...well, ...vitals() }),
      notify: (body) => {
        const { alarm, state } = JSON.parse(body) as Record<string, string>
        told.push(`${alarm} ${state}`)
      },
    })
    return { bell, clock, told, keep: createKeep({ clock, log }) }
  }

  test('tells why a process ends, and no second time when the next one ends so, too (C-02)', () => {
    const first = process('a.json')
    first.bell.start()
    first.bell.end(new Error('broken'))
    const second = process('a.json')
    second.bell.start()
    second.bell.end(new Error('broken'))
    expect([first.told, second.told]).toEqual([['ended firing'], []])
  })

  test('tells that it is over once a process has run for ten minutes', async () => {
    const first = process('b.json')
    first.bell.start()
    first.bell.end(new Error('broken'))
    const { bell, keep, clock, told } = process('b.json')
    const stop = new AbortController()
    bell.start()
    void bell.loop(keep, stop.signal)
    await clock.advance(599_000)
    expect(told).toEqual([])
    await clock.advance(CLEAR_MS + 2_000)
    expect(told).toEqual(['ended resolved'])
    stop.abort()
  })

  test('tells why a process ends that ran for long (C-02)', async () => {
    const { bell, keep, clock, told } = process('f.json')
    const stop = new AbortController()
    bell.start()
    void bell.loop(keep, stop.signal)
    await clock.advance(3_600_000)
    stop.abort()
    bell.end(new Error('broken'))
    expect(told).toEqual(['ended firing'])
  })

  test('tells of a process that was killed without a word, when the next one starts (C-02)', () => {
    process('c.json').bell.start()
    const { bell, told } = process('c.json')
    bell.start()
    expect(told).toEqual(['ended firing'])
  })

  test('tells nothing of a process that was stopped', () => {
    const first = process('d.json')
    first.bell.start()
    first.bell.end(null)
    const second = process('d.json')
    second.bell.start()
    expect([first.told, second.told]).toEqual([[], []])
  })

  test('tells of wrong weights until others were confirmed, over a restart (C-03)', async () => {
    const outcome = { lastOutcome: 'mismatch' as string | null }
    const first = process('e.json', () => outcome)
    first.bell.start()
    first.bell.end(null)
    outcome.lastOutcome = null // a new process knows of none
    const { bell, keep, clock, told } = process('e.json', () => outcome)
    const stop = new AbortController()
    bell.start()
    void bell.loop(keep, stop.signal)
    await clock.advance(300_000)
    expect([first.told, told]).toEqual([['weights-wrong firing'], []])
    outcome.lastOutcome = 'confirmed'
    await clock.advance(CLEAR_MS + 2_000)
    expect(told).toEqual(['weights-wrong resolved'])
    stop.abort()
  })
})
