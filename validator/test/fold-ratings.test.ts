import type { Block, Blocks, Ss58, Uid } from '@arbor/shared/units'
import { rewardOfRating } from '@arbor/subnet-spec/finetune/define-training'
import { rateRound } from '@arbor/subnet-spec/finetune/rating'
import { RATING } from '@arbor/subnet-spec/finetune/terms'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import { expect, test } from 'vitest'
import type { Forfeit } from '../src/ledger-audits.ts'
import { EMPTY_STATE, foldRound, rowAt } from '../src/scoring/fold.ts'
import type { Sample, ScoreState } from '../src/scoring/rules.ts'
import { neuron } from './fixtures.ts'

const terms = { halfLifeRounds: 1, training: { rating: RATING }, reward: rewardOfRating }
const LENGTH = 10 as Blocks
const neurons = [1, 2, 3, 4, 5].map((uid) => neuron({ uid, hotkey: `5F${uid}`, registeredAt: 5 }))
const verdict = (uid: number, value: number): Sample => ({
  hotkey: `5F${uid}` as Ss58,
  uid: uid as Uid,
  registeredAt: 5 as Block,
  value,
  sigma: 0.1,
})
const fold = (
  state: ScoreState,
  round: number,
  values: readonly (readonly [number, number])[],
  forfeits: Forfeit[] = [],
) =>
  foldRound(
    state,
    {
      roundBlock: (round * LENGTH) as Block,
      length: LENGTH,
      endedAt: (round * LENGTH + 9) as Block,
      verdicts: values.map(([uid, value]) => verdict(uid, value)),
      forfeits,
    },
    terms,
  )
const row = (state: ScoreState, round: number) =>
  rowAt(state, { block: (round * LENGTH + 9) as Block, tempo: LENGTH, neurons }, terms).row

test('a round of a training subnet moves ratings by ranks, and new ones begin at the terms rating', () => {
  const values = [0.6, 0.5, 0.5, 0] as const
  const { changed } = fold(
    EMPTY_STATE,
    10,
    values.map((value, index) => [index + 1, value]),
  )
  const rated = rateRound({ ranked: values.map((value) => ({ before: null, value })), terms: RATING })
  expect(changed.map(({ average, sigma }) => ({ average, sigma }))).toEqual(rated)
  expect(changed.map(({ samples, lastRoundBlock }) => [samples, lastRoundBlock])).toEqual(values.map(() => [1, 100]))
  expect(changed[1]?.average).toBe(changed[2]?.average)
})

test('ratings do not depend on the order of verdicts', () => {
  const values = [
    [1, 0.6],
    [2, 0.5],
    [3, 0],
    [4, 0],
  ] as const
  expect(fold(EMPTY_STATE, 10, values.toReversed()).changed).toEqual(fold(EMPTY_STATE, 10, values).changed)
})

test('a miner without a verdict keeps its rating, and has no weight once it is not fresh', () => {
  let state: ScoreState = EMPTY_STATE
  for (let round = 10; round < 20; round += 1)
    state = fold(state, round, [
      [1, 0.6],
      [2, 0.5],
      [3, 0.55],
    ]).state
  const kept = state.scores[0]
  expect(row(state, 19).map(([uid]) => uid)).toContain(1)
  for (let round = 20; round < 26; round += 1)
    state = fold(state, round, [
      [2, 0.5],
      [3, 0.5],
    ]).state
  expect(state.scores[0]).toEqual(kept)
  expect(row(state, 25).map(([uid]) => uid)).not.toContain(1)
})

test('who forfeits has no weight, whatever its rating', () => {
  let state: ScoreState = EMPTY_STATE
  for (let round = 10; round < 20; round += 1)
    state = fold(state, round, [
      [1, 0.6],
      [2, 0.5],
      [3, 0.55],
    ]).state
  const { hotkey, uid, registeredAt } = verdict(1, 0)
  const forfeit: Forfeit = {
    ...{ hotkey, uid, registeredAt },
    atBlock: 200 as Block,
    untilBlock: 280 as Block,
    kind: 'planned',
    reason: 'untrained',
    receipt: null,
  }
  state = fold(
    state,
    20,
    [
      [1, 0],
      [2, 0.5],
      [3, 0.5],
    ],
    [forfeit],
  ).state
  expect(row(state, 20).map(([each]) => each)).not.toContain(1)
})

test('over fifty rounds honest miners share, and who fails, or passes every second time, earns next to nothing', () => {
  const choices = choicesFrom({ seed: `0x${'08'.repeat(32)}`, label: 'ratings' })
  const luck = (): number => [1, 2, 3, 4].reduce((sum) => sum + choices.below(1_001) / 1_000 - 0.5, 0) * 0.1 // deviation 0.06
  const paid = new Map<number, number>()
  let state: ScoreState = EMPTY_STATE
  for (let round = 10; round < 60; round += 1) {
    const often = choices.below(2) === 0 ? 0 : 0.5 + luck()
    state = fold(state, round, [
      [1, 0.5 + luck()],
      [2, 0.5 + luck()],
      [3, 0.5 + luck()],
      [4, 0],
      [5, often],
    ]).state
    const weights = row(state, round)
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [uid, weight] of weights) paid.set(uid, (paid.get(uid) ?? 0) + weight / total)
  }
  const honest = [1, 2, 3].map((uid) => paid.get(uid) ?? 0)
  const mean = honest.reduce((sum, share) => sum + share, 0) / 3
  expect(Math.min(...honest) / mean).toBeGreaterThan(0.6)
  expect(paid.get(4) ?? 0).toBe(0)
  expect((paid.get(5) ?? 0) / mean).toBeLessThan(0.1)
})

test('a miner that stops working is paid for no more than six rounds after', () => {
  let state: ScoreState = EMPTY_STATE
  for (let round = 10; round < 60; round += 1)
    state = fold(
      state,
      round,
      [1, 2, 3, 4].map((uid) => [uid, 0.5]),
    ).state
  let paid = 0
  for (let round = 60; round < 80; round += 1) {
    state = fold(state, round, [
      [1, 0.5],
      [2, 0.5],
      [3, 0.5],
      [4, 0],
    ]).state
    if (row(state, round).some(([uid]) => uid === 4)) paid += 1
  }
  expect(paid).toBeLessThanOrEqual(6)
})
