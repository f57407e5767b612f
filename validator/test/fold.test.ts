import { readFileSync } from 'node:fs'
import type { Block, Blocks, Ss58, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import type { Forfeit } from '../src/ledger-audits.ts'
import { EMPTY_STATE, foldForfeits, foldRound, rowAt } from '../src/scoring/fold.ts'
import { MEASURED_FROM, meanOf } from '../src/scoring/mean.ts'
import type { Sample, ScoreState } from '../src/scoring/rules.ts'
import { neuron } from './fixtures.ts'

const terms = { halfLifeRounds: 2, reward: (average: number) => average }
const sample = (over: Partial<Sample> = {}): Sample => ({
  hotkey: '5Fa' as Ss58,
  uid: 1 as Uid,
  registeredAt: 5 as Block,
  value: 1,
  sigma: 0,
  ...over,
})
const forfeit = (over: Partial<Forfeit> = {}): Forfeit => ({
  hotkey: '5Fa' as Ss58,
  uid: 1 as Uid,
  registeredAt: 5 as Block,
  atBlock: 100 as Block,
  untilBlock: 180 as Block,
  kind: 'planned',
  reason: 'fingerprint',
  receipt: 'aa',
  ...over,
})
const fold = (state: ScoreState, block: number, verdicts: readonly Sample[], forfeits: readonly Forfeit[] = []) =>
  foldRound(
    state,
    { roundBlock: block as Block, length: 10 as Blocks, endedAt: (block + 8) as Block, verdicts, forfeits },
    terms,
  )
const a = neuron({ uid: 1, hotkey: '5Fa', registeredAt: 5 })
const b = neuron({ uid: 2, hotkey: '5Fb', registeredAt: 5 })
const atB = { hotkey: '5Fb' as Ss58, uid: 2 as Uid }
const row = (state: ScoreState, block: number, neurons = [a, b]) =>
  rowAt(state, { block: block as Block, tempo: 20 as Blocks, neurons }, terms)

describe('foldRound', () => {
  test('moves each average once, by the mean of its verdicts', () => {
    const first = fold(EMPTY_STATE, 100, [sample(), sample({ value: 0.5 }), sample({ ...atB, value: 0.2 })])
    expect(first.changed.map(({ uid, average, samples }) => [uid, average, samples])).toEqual([
      [1, 0.75, 2],
      [2, 0.2, 1],
    ])
    const second = fold(first.state, 110, [sample({ value: 0 })])
    expect(second.state.scores[0]).toMatchObject({ average: 0.75 * 0.5 ** 0.5, samples: 3, lastRoundBlock: 110 })
    expect(second.state.scores[1]).toBe(first.changed[1])
    expect(second.state).toMatchObject({ rounds: [110, 100], endedAt: 118 })
  })

  test('gives a miner that has just registered no weight before its first verdict, which is its average', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample()])
    expect(row(state, 110).row).toEqual([[1, 65_535]])
    const scored = fold(state, 110, [sample(), sample({ ...atB, value: 0.5 })]).state
    expect(scored.scores[1]).toMatchObject({ uid: 2, average: 0.5, samples: 1 })
    expect(row(scored, 120).row).toEqual([
      [1, 65_535],
      [2, 32_768],
    ])
  })

  test('forgets a score when another registration of its uid is scored', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample()])
    const taken = fold(state, 110, [sample({ hotkey: '5Fnew' as Ss58, registeredAt: 104 as Block, value: 0.3 })])
    expect(taken.state.scores.map(({ hotkey, average }) => [hotkey, average])).toEqual([['5Fnew', 0.3]])
    expect(taken.dropped).toEqual([{ hotkey: '5Fa', uid: 1, registeredAt: 5 }])
  })

  test('begins anew for a hotkey that registered again, under its uid or another', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample()])
    const again = fold(state, 110, [sample({ registeredAt: 104 as Block, value: 0 })])
    expect(again.state.scores).toMatchObject([{ registeredAt: 104, average: 0, samples: 1 }])
    const moved = fold(state, 110, [sample({ uid: 7 as Uid, registeredAt: 104 as Block, value: 0 })])
    expect(moved.changed).toMatchObject([{ uid: 7, average: 0, samples: 1 }])
  })

  test('keeps a score without verdicts for 560 rounds and no longer', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample()])
    expect(fold(state, 100 + 560 * 10, []).state.scores).toHaveLength(1)
    expect(fold(state, 100 + 561 * 10, [])).toMatchObject({ state: { scores: [] }, dropped: [{ uid: 1 }] })
  })

  test('forgets forfeits that are over, and keeps the newest six rounds', () => {
    const rounds = Array.from({ length: 9 }, (_, i) => 100 + 10 * i)
    const state = rounds.reduce((s, block) => fold(s, block, [], block === 100 ? [forfeit()] : []).state, EMPTY_STATE)
    expect(state.rounds).toEqual([180, 170, 160, 150, 140, 130])
    expect(state.forfeits).toEqual([])
  })
})

describe('foldForfeits', () => {
  test('keeps the longest of one registration at one block, whatever came first', () => {
    const short = forfeit({ untilBlock: 150 as Block, kind: 'user', receipt: 'bb' })
    const other = forfeit({ ...atB, receipt: 'cc' })
    const states = [
      [forfeit(), short, other],
      [other, short, forfeit()],
      [short, forfeit(), forfeit(), other],
    ].map((order) => order.reduce((state, each) => foldForfeits(state, [each]), EMPTY_STATE))
    for (const state of states) expect(state.forfeits).toEqual([forfeit(), other])
  })
})

describe('rowAt', () => {
  test('gives fresh scores their share, the largest 65 535', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample(), sample({ ...atB, value: 0.5 })])
    expect(row(state, 110)).toEqual({
      row: [
        [1, 65_535],
        [2, 32_768],
      ],
      departed: [],
    })
  })

  test('gives nothing three tempos after the last round ended, and before the first', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample()])
    expect(row(state, 108 + 60).row).toHaveLength(1)
    expect(row(state, 108 + 61).row).toEqual([])
    expect(row(EMPTY_STATE, 10).row).toEqual([])
  })

  test('gives nothing to a miner that has had no verdict in six rounds', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample(), sample({ ...atB })])
    const later = [110, 120, 130, 140, 150].reduce((s, block) => fold(s, block, [sample()]).state, state)
    expect(row(later, 159).row).toHaveLength(2)
    expect(row(fold(later, 160, [sample()]).state, 169).row).toEqual([[1, 65_535]])
  })

  test('names fresh scores whose registration has gone, and gives the uid nothing', () => {
    const { state } = fold(EMPTY_STATE, 100, [sample(), sample({ ...atB })])
    const taken = neuron({ uid: 1, hotkey: '5Fnew', registeredAt: 104 })
    expect(row(state, 110, [taken, b])).toEqual({
      row: [[2, 65_535]],
      departed: [{ hotkey: '5Fa', uid: 1, registeredAt: 5 }],
    })
  })

  test('gives nothing while a forfeit lasts', () => {
    const { state } = fold(EMPTY_STATE, 160, [sample(), sample({ ...atB })], [forfeit()])
    expect(row(state, 179).row).toEqual([[2, 65_535]])
    expect(row(state, 180).row).toHaveLength(2)
  })
})

describe('meanOf', () => {
  test('believes declared sigmas until there are enough verdicts to see their spread', () => {
    const values = [0.2, 0.4, 0.6, 0.8].map((value) => ({ value, sigma: 0.01 }))
    expect(meanOf(values.slice(0, 1))).toEqual({ value: 0.2, sigma: 0.01 })
    expect(meanOf(values.slice(0, MEASURED_FROM - 1)).sigma).toBeCloseTo(0.01 / Math.sqrt(3), 12)
    const { value, sigma } = meanOf(values)
    expect(value).toBeCloseTo(0.5, 12)
    expect(sigma).toBeCloseTo(Math.sqrt(0.2 / 3 / 4), 12) // sum of squares 0.2, n - 1 = 3, n = 4
  })

  test('keeps the declared sigma where the verdicts happen to agree', () => {
    expect(meanOf(Array.from({ length: 4 }, () => ({ value: 0.5, sigma: 0.2 }))).sigma).toBeCloseTo(0.1, 12)
  })
})

interface Step {
  readonly roundBlock: Block
  readonly verdicts: readonly Sample[]
  readonly forfeits: readonly Omit<Forfeit, 'kind' | 'reason' | 'receipt'>[]
  readonly neurons: readonly { readonly uid: number; readonly hotkey: string; readonly registeredAt: number }[]
  readonly scores: readonly {
    readonly uid: number
    readonly average: number
    readonly sigma: number
    readonly samples: number
  }[]
  readonly at: Block
  readonly row: unknown
}
/** Made by scripts/score-vectors.py. */
const vectors: {
  terms: { length: Blocks; tempo: Blocks; halfLifeRounds: number }
  histories: { seed: number; steps: Step[] }[]
} = JSON.parse(readFileSync(new URL('../../test/vectors/spec/scores.json', import.meta.url), 'utf8'))

test.each(vectors.histories)('the scores and rows of history $seed are those of another implementation', ({
  steps,
}) => {
  const { length, tempo, halfLifeRounds } = vectors.terms
  let state = EMPTY_STATE
  for (const step of steps) {
    const { roundBlock, verdicts } = step
    const forfeits = step.forfeits.map((over) => forfeit(over))
    const round = { roundBlock, length, endedAt: (roundBlock + 8) as Block, verdicts, forfeits }
    state = foldRound(state, round, { halfLifeRounds }).state
    expect(state.scores.map(({ uid, samples }) => [uid, samples])).toEqual(step.scores.map((s) => [s.uid, s.samples]))
    for (const [index, { average, sigma }] of step.scores.entries()) {
      expect(state.scores[index]?.average).toBeCloseTo(average, 12)
      expect(state.scores[index]?.sigma).toBeCloseTo(sigma, 12)
    }
    const neurons = step.neurons.map((over) => neuron(over))
    expect(rowAt(state, { block: step.at, tempo, neurons }, terms).row).toEqual(step.row)
  }
})
