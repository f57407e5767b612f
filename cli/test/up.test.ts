import type { Alpha, Block, Ss58, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { type Books, paidBetween } from '../src/up/books.ts'
import { parseEvent } from '../src/up/children.ts'
import { memberArgs } from '../src/up/command-lines.ts'
import { alpha, changes } from '../src/up/plain.ts'
import { places, shuffled } from '../src/up/roster.ts'
import { explain, type NetState, reduce } from '../src/up/state.ts'

const [a, b, c] = ['5Fa', '5Fb', '5Fc'] as [Ss58, Ss58, Ss58]
const books = (issued: bigint, stakes: readonly [Ss58, bigint][], pending = 0n, burned = 0n, dust = 0n): Books => ({
  issued: issued as Alpha,
  stakes: new Map(stakes.map(([hotkey, amount]) => [hotkey, amount as Alpha])),
  pending: pending as Alpha,
  burned: burned as Alpha,
  dust: dust as Alpha,
})

describe('paidBetween', () => {
  test('sorts growth by who holds it and computes nothing as a remainder', () => {
    const before = books(
      1_000n,
      [
        [a, 100n],
        [b, 0n],
        [c, 50n],
      ],
      30n,
      1n,
      2n,
    )
    const after = books(
      1_100n,
      [
        [a, 118n],
        [b, 41n],
        [c, 91n],
      ],
      25n,
      1n,
      4n,
    )
    const paid = paidBetween({ before, after, owner: a, validators: new Set([c]) })
    expect(paid).toEqual({ owner: 18n, miners: 41n, validators: 41n, pending: -5n, burned: 0n, dust: 2n })
  })

  test('counts the whole stake of a hotkey that was not there before', () => {
    const paid = paidBetween({ before: books(0n, []), after: books(7n, [[b, 7n]]), owner: a, validators: new Set() })
    expect(paid.miners).toBe(7n)
  })
})

const state: NetState = {
  phase: 'running',
  url: 'ws://127.0.0.1:1',
  netuid: 1 as NetState['netuid'],
  block: 10 as Block,
  tempo: 10,
  epoch: 1,
  nextEpochBlock: 20 as Block,
  rounds: 0,
  warnings: [],
  gateway: null,
  training: null,
  miners: [
    {
      name: 'miner-1',
      kind: 'cheat:int8',
      hotkey: a,
      uid: 1 as Uid,
      verdicts: {},
      lastReason: null,
      incentive: 0,
      earned: 0n,
    },
  ],
  validators: [
    {
      name: 'validator-1',
      hotkey: c,
      uid: 2 as Uid,
      permit: true,
      weights: [],
      readBackBlock: null,
      dividends: 0,
      earned: 0n,
    },
  ],
}

describe('reduce', () => {
  test('counts verdicts by reason for the miner they are about', () => {
    const after = ['ok', 'fingerprint', 'fingerprint'].reduce(
      (s, reason) => reduce(s, { kind: 'verdict', hotkey: a, reason }),
      state,
    )
    expect(after.miners[0]).toMatchObject({ verdicts: { ok: 1, fingerprint: 2 }, lastReason: 'fingerprint' })
    expect(reduce(state, { kind: 'verdict', hotkey: b, reason: 'ok' })).toEqual(state)
  })

  test('keeps the last three warnings', () => {
    const after = ['1', '2', '3', '4'].reduce((s, text) => reduce(s, { kind: 'warning', text }), state)
    expect(after.warnings).toEqual(['2', '3', '4'])
  })

  test('keeps verdicts when a block brings new shares', () => {
    const judged = reduce(state, { kind: 'verdict', hotkey: a, reason: 'ok' })
    const after = reduce(judged, {
      kind: 'block',
      block: 11 as Block,
      tempo: 10,
      epoch: 1,
      nextEpochBlock: 20 as Block,
      miners: [{ hotkey: a, uid: 1 as Uid, incentive: 0.5, earned: 9n }],
      validators: [],
    })
    expect(after).toMatchObject({ block: 11, miners: [{ incentive: 0.5, earned: 9n, verdicts: { ok: 1 } }] })
  })
})

describe('plain lines', () => {
  test('say nothing when nothing that matters changed', () => {
    expect(changes(state, { ...state, block: 11 as Block })).toEqual([])
  })

  test('say which row reads back', () => {
    const weighed = {
      ...state,
      validators: state.validators.map((v) => ({ ...v, weights: [[1 as Uid, 65_535] as const] })),
    }
    expect(changes(state, weighed)).toEqual(['block 10  validator-1 holds weights 1:65535 (read back)'])
  })

  test('say at an epoch what each miner earned and why', () => {
    const later = reduce({ ...state, epoch: 2 as number }, { kind: 'verdict', hotkey: a, reason: 'fingerprint' })
    expect(changes(state, later)[1]).toContain(explain('fingerprint'))
  })

  test('write alpha exactly to four decimals', () => {
    expect([0n, 1n, 123_456_789n, 12_000_000_000n, -1_500_000_000n].map(alpha)).toEqual([
      '0.0000 α',
      '0.0000 α',
      '0.1234 α',
      '12.0000 α',
      '-1.5000 α',
    ])
  })
})

describe('roster', () => {
  test('gives every miner an address of its own that the chain accepts', () => {
    const ips = places({ honest: 3, cheats: ['int8'], validators: 2 }).map(({ ip }) => ip)
    expect(ips).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', null, null])
  })

  test('is shuffled by the seed alone and loses nobody', () => {
    const items = Array.from({ length: 9 }, (_, i) => i)
    expect(shuffled(items, 7)).toEqual(shuffled(items, 7))
    expect(new Set(Array.from({ length: 20 }, (_, seed) => shuffled(items, seed).join())).size).toBeGreaterThan(10)
    expect([...shuffled(items, 7)].sort()).toEqual(items)
  })
})

test('memberArgs tells a cheat from an honest miner by the name of its attack alone', () => {
  const of = (kind: 'honest' | 'cheat:int8') =>
    memberArgs({
      member: { name: 'miner-1', role: 'miner', kind, ip: '127.0.0.2', hotkey: a, coldkey: b },
      paths: { data: '/d', wallets: '/d/wallets' },
      url: 'ws://x',
      netuid: 1 as NetState['netuid'],
      spec: 'inference',
      model: '/models/arbor-2m',
    })
  expect(of('cheat:int8')).toEqual([...of('honest'), '--cheat', 'int8'])
})

test('parseEvent takes a structured line and nothing else', () => {
  expect(parseEvent('chain', '{"event":"chain.ready","url":"ws://x"}')).toMatchObject({
    process: 'chain',
    event: 'chain.ready',
  })
  for (const line of ['', 'hello', '{"level":"info"}', '{broken', '[]']) expect(parseEvent('chain', line)).toBeNull()
})
