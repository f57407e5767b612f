import { readFileSync } from 'node:fs'
import type { Block, Blocks, Hex, Ss58, Uid } from '@arbor/shared/units'
import finetune from '@arbor/subnet-spec/finetune/spec'
import { renderToString } from 'ink'
import { createElement } from 'react'
import { describe, expect, test } from 'vitest'
import { castOf } from '../src/up/cast.ts'
import { parseEvent } from '../src/up/children.ts'
import { take } from '../src/up/news.ts'
import { changes } from '../src/up/plain.ts'
import type { Member } from '../src/up/roster.ts'
import { View } from '../src/up/screen.ts'
import { type NetEvent, type NetState, reduce } from '../src/up/state.ts'
import { mergedRounds } from '../src/up/training/baseline.ts'
import { outcomeLines } from '../src/up/training/outcome.ts'
import { trainingReport } from '../src/up/training/report.ts'
import { agreed, checkpointOf, emptyTraining, explainUpdate, reduceTraining } from '../src/up/training/state.ts'
import { bytes, count, sparkline } from '../src/up/training/words.ts'

const [first, second, honest, cheat] = ['5Va', '5Vb', '5Ma', '5Mb'] as [Ss58, Ss58, Ss58, Ss58]
if (finetune.training === undefined) throw new Error('finetune trains')
const FINETUNE = finetune.training
const NOTHING = emptyTraining({ phases: { publish: 0.5, vote: 0.8 }, roundsPerEpoch: 1 })
const name = (digit: string): Hex => `0x${digit.repeat(64)}` as Hex
const member = (of: Pick<Member, 'name' | 'role' | 'kind' | 'hotkey'>): Member => ({
  ...of,
  ip: null,
  coldkey: of.hotkey,
})
const members: readonly Member[] = [
  member({ name: 'miner-1', role: 'miner', kind: 'honest', hotkey: honest }),
  member({ name: 'miner-2', role: 'miner', kind: 'cheat:zeros', hotkey: cheat }),
  member({ name: 'validator-1', role: 'validator', kind: 'validator', hotkey: first }),
  member({ name: 'validator-2', role: 'validator', kind: 'validator', hotkey: second }),
]
const miner = { uid: 1 as Uid, verdicts: {}, lastReason: null, incentive: 0, earned: 0n }
const validator = { uid: 2 as Uid, permit: true, weights: [], readBackBlock: null, dividends: 0, earned: 0n }
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
  training: NOTHING,
  miners: [
    { name: 'miner-1', kind: 'honest', hotkey: honest, ...miner },
    { name: 'miner-2', kind: 'cheat:zeros', hotkey: cheat, ...miner },
  ],
  validators: [
    { name: 'validator-1', hotkey: first, ...validator },
    { name: 'validator-2', hotkey: second, ...validator },
  ],
}

/** Lines as validators write them, with what the view does not read left out here and there. */
const recorded: readonly (readonly [process: string, line: object])[] = [
  ['validator-1', { event: 'training.joined', round: 3, checkpoint: name('a'), heldOut: 4.5 }],
  ['validator-2', { event: 'training.joined', round: 3, checkpoint: name('a'), heldOut: 4.5 }],
  [
    'validator-1',
    {
      event: 'training.verdict',
      round: 3,
      hotkey: honest,
      uid: 1,
      reason: 'ok',
      value: 1,
      bytes: 2_000,
      rating: { mu: 27.5, sigma: 7 },
    },
  ],
  [
    'validator-2',
    {
      event: 'training.verdict',
      round: 3,
      hotkey: honest,
      uid: 1,
      reason: 'ok',
      value: 1,
      bytes: 2_000,
      rating: { mu: 27.5, sigma: 7 },
    },
  ],
  [
    'validator-1',
    {
      event: 'training.verdict',
      round: 3,
      hotkey: cheat,
      uid: 2,
      reason: 'untrained',
      value: 0,
      bytes: 1_000,
      rating: { mu: 21, sigma: 7 },
    },
  ],
  [
    'validator-1',
    {
      event: 'training.merged',
      round: 3,
      checkpoint: name('b'),
      before: name('a'),
      base: name('a'),
      merged: [1],
      heldOut: 4.4,
      tokens: 5_120,
    },
  ],
  [
    'validator-2',
    {
      event: 'training.merged',
      round: 3,
      checkpoint: name('b'),
      before: name('a'),
      base: name('a'),
      merged: [1],
      heldOut: null,
      tokens: 5_120,
    },
  ],
]

const events = (lines: readonly (readonly [string, object])[]): readonly NetEvent[] => {
  const found: NetEvent[] = []
  for (const [process, line] of lines) {
    const event = parseEvent(process, JSON.stringify({ level: 'info', ...line }))
    if (event !== null) take(event, members, (each) => void found.push(each), [])
  }
  return found
}
const at = (block: number): NetEvent => ({
  ...{ kind: 'block', block: block as Block, tempo: 10, epoch: 3, nextEpochBlock: 40 as Block },
  ...{ miners: [], validators: [] },
})
const after = [...events(recorded), at(38)].reduce(reduce, state)

describe('the view of a training subnet', () => {
  test('holds round, tokens, losses and checkpoints when two validators told of a round', () => {
    expect(after.training).toMatchObject({ round: 3, phase: 'merging', tokens: 5_120 })
    expect(after.training?.checkpoints).toEqual([
      { round: 3, by: { [first]: name('a'), [second]: name('a') }, loss: 4.5, merged: 0 },
      { round: 4, by: { [first]: name('b'), [second]: name('b') }, loss: 4.4, merged: 1 },
    ])
    expect(after.training?.checkpoints.every(agreed)).toBe(true)
  })

  test('counts what a miner sent once a round, however many validators judged it', () => {
    expect(after.training?.miners).toEqual([
      { hotkey: honest, round: 3, reason: 'ok', bytes: 2_000, rating: { mu: 27.5, sigma: 7 } },
      { hotkey: cheat, round: 3, reason: 'untrained', bytes: 1_000, rating: { mu: 21, sigma: 7 } },
    ])
    expect(after.miners.map(({ verdicts }) => verdicts)).toEqual([{ ok: 2 }, { untrained: 1 }])
  })

  test('tells round and phase by the finalised block', () => {
    const phases = [29, 30, 34, 35, 37, 38, 40].map((block) => {
      const { round, phase } = reduce(state, at(block)).training ?? NOTHING
      return `${round} ${phase}`
    })
    expect(phases).toEqual([
      '2 merging',
      '3 training',
      '3 training',
      '3 judging',
      '3 judging',
      '3 merging',
      '4 training',
    ])
  })

  test('takes nothing back when a validator lags', () => {
    const training = after.training ?? NOTHING
    const judged = { kind: 'judged', hotkey: honest, round: 2, reason: 'copy', bytes: 9, rating: null } as const
    expect(reduceTraining(training, judged)).toEqual(training)
  })

  test('shows that validators disagree when they name other checkpoints', () => {
    const other = { event: 'training.merged', round: 4, checkpoint: name('c'), merged: [], tokens: 0, heldOut: 4.3 }
    const one = events([['validator-1', other]]).reduce(reduce, after)
    const two = events([['validator-2', { ...other, checkpoint: name('d') }]]).reduce(reduce, one)
    expect(two.training?.checkpoints.at(-1)).toSatisfy((seen) => !agreed(seen))
    expect(changes(one, two).join()).toContain(
      'different checkpoints for round 5: validator-1 cccccccccc, validator-2 dddddddddd',
    )
    expect(checkpointOf(two.training ?? NOTHING, second)).toEqual({ round: 5, name: name('d') })
  })

  test('ignores lines that are none of a validator, or not whole', () => {
    const broken = { event: 'training.merged', round: -1, checkpoint: 'x', merged: [], tokens: 0 }
    expect(events([['validator-1', broken]])).toEqual([])
    expect(events([['miner-1', recorded[0]?.[1] ?? {}]])).toEqual([])
  })

  test('draws in 120 columns the loss, why a miner earns nothing and that validators agree', () => {
    const drawn = renderToString(createElement(View, { state: after }), { columns: 120 })
    expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(drawn).toContain('held-out loss 4.500 → 4.400 █▁')
    expect(drawn).toContain('round 3: merging · 5.12 k tokens')
    expect(drawn).toContain(explainUpdate('untrained'))
    expect(drawn.match(/round 4: bbbbbbbbbb/g)).toHaveLength(2)
  })

  test('is told in plain lines, one for each verdict and checkpoint', () => {
    const lines = changes(state, after)
    expect(lines).toContain(
      'round 3  miner-2 (cheat:zeros): a replayed stretch led elsewhere; rating 21.0 ± 7.0, 1.00 kB sent',
    )
    expect(lines.join('\n')).toContain(
      'checkpoint of round 4: validator-1 bbbbbbbbbb, validator-2 bbbbbbbbbb; 1 updates merged, 5.12 k tokens in all, held-out loss 4.4000',
    )
    expect(changes(after, after)).toEqual([])
  })
})

test('a recorded run of two validators, two miners and one that sends zeros folds into what happened', () => {
  const [head = '', ...rest] = readFileSync(new URL('fixtures/training.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const { members: places } = JSON.parse(head) as { members: readonly Pick<Member, 'name' | 'role' | 'hotkey'>[] }
  const all = places.map((place): Member => member({ ...place, kind: place.role === 'miner' ? 'honest' : 'validator' }))
  const found: NetEvent[] = []
  for (const each of rest) {
    const { process, line } = JSON.parse(each) as { process: string; line: object }
    const event = parseEvent(process, JSON.stringify(line))
    if (event !== null) take(event, all, (taken) => void found.push(taken), [])
  }
  const { training } = found.reduce(reduce, state)
  const view = training ?? NOTHING
  expect(view.checkpoints.map(({ round, merged, loss }) => [round, merged, loss?.toFixed(2)])).toEqual([
    [1, 0, '4.98'],
    [2, 0, '4.98'],
    [3, 1, '4.84'],
    [4, 2, '4.53'],
  ])
  expect(view.checkpoints.every((each) => agreed(each) && Object.keys(each.by).length === 2)).toBe(true)
  expect(view.tokens).toBe(3 * 1_024)
  const [one, two, zeros] = all.map(({ hotkey }) => view.miners.find((each) => each.hotkey === hotkey))
  expect([one?.reason, two?.reason, zeros?.reason]).toEqual(['ok', 'ok', 'outsized'])
  expect([one?.bytes, two?.bytes, zeros?.bytes]).toEqual([10_172, 20_321, 7_604]) // one of them committed in one round only
  expect(zeros?.rating?.mu).toBeLessThan(two?.rating?.mu ?? 0)
})

describe('mergedRounds', () => {
  const view = after.training ?? NOTHING
  const empty = {
    kind: 'checkpoint',
    validator: first,
    round: 5,
    name: name('c'),
    loss: null,
    merged: 0,
    tokens: 0,
  } as const
  const later = { ...empty, round: 6, name: name('d'), merged: 2 }
  const seen = [empty, later].reduce(reduceTraining, view)
  const read = (blockHash: (block: number) => Hex | null) =>
    mergedRounds({
      chain: { blockHash: async (block) => blockHash(block) },
      view: seen,
      terms: FINETUNE,
      length: 10 as Blocks,
    })

  test('are those that led to a checkpoint by an update, each with the hash of its first block', async () => {
    expect(await read((block) => `0x${block}`)).toEqual([
      { round: 3, blockHash: '0x30' },
      { round: 5, blockHash: '0x50' },
    ])
  })

  test('are none when the chain forgot a block', async () => {
    expect(await read((block) => (block === 30 ? null : `0x${block}`))).toBeNull()
  })
})

test('the report has every checkpoint with its loss, and what one miner comes to alone', () => {
  const alone = { hotkey: honest, steps: 10, loss: 4.45 }
  const report = trainingReport(after.training ?? NOTHING, alone)
  expect(report).toMatchObject({ loss: [4.5, 4.4], alone })
  expect(report.checkpoints.map(({ round, merged }) => [round, merged])).toEqual([
    [3, 0],
    [4, 1],
  ])
  expect(outcomeLines(report).join('\n')).toMatch(
    /4\.5000 before, 4\.4000 after 1 rounds[\s\S]*alone: 4\.4500 after the same 10/,
  )
  expect(outcomeLines(trainingReport(NOTHING, null))).toEqual([])
})

describe('castOf', () => {
  test('has three that answer and one int8, or four that train and three cheats, when nothing is said', () => {
    expect(castOf({}, false)).toEqual({ honest: 3, cheats: ['int8'], zoo: false })
    expect(castOf({}, true)).toMatchObject({ honest: 4, zoo: false })
    expect(castOf({}, true).cheats).toHaveLength(3)
    expect(castOf({ cheats: 0 }, true).cheats).toEqual([])
  })

  test('refuses an attack on answers where miners train', () => {
    expect(castOf({ zoo: ['zeros'] }, true)).toMatchObject({ cheats: ['zeros'], zoo: true })
    expect(() => castOf({ zoo: ['int8'] }, true)).toThrow(/UP_ATTACK_UNSUITED|does not suit/)
    expect(() => castOf({ zoo: ['zeros'] }, false)).toThrow(/does not suit/)
  })
})

test('words for people hold a unit and three digits', () => {
  expect([0, 999, 1_234, 5_120_000].map(bytes)).toEqual(['0 B', '999 B', '1.23 kB', '5.12 MB'])
  expect([12, 5_120, 1_000_000].map(count)).toEqual(['12', '5.12 k', '1.00 M'])
  expect([sparkline([1, 2, 3], 2), sparkline([2, 2], 9), sparkline([], 9)]).toEqual(['▁█', '▁▁', ''])
})
