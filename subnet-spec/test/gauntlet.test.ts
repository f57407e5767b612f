import type { Ss58 } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { commonNorm, faultVerdict, judgeUpdate, typicalDrop } from '../finetune/gauntlet.ts'
import type { BatchLoss, GauntletTerms, Measured } from '../finetune/types.ts'

const terms: GauntletTerms = {
  batches: 4,
  margin: 0.2,
  copyCosine: 0.5,
  segments: 4,
  replayShare: 0.5,
  tolerance: 1e-3,
  noise: 2,
  normRange: 4,
}
/** Batches whose drops are these, from a loss of 4 nats. */
const drops = (...of: number[]): BatchLoss[] => of.map((drop) => ({ before: 4, after: 4 - drop }))
const honest: Measured = {
  norm: 1.1,
  assigned: drops(0.05, 0.06, 0.05, 0.06),
  unseen: drops(0.02, 0.03, 0.02, 0.03),
  likeness: { cosine: 0.1, hotkey: '5Fa' as Ss58 },
  replay: null,
}
const judge = (over: Partial<Measured>, typical = 0.025) =>
  judgeUpdate({ measured: { ...honest, ...over }, typical, terms })

describe('judgeUpdate', () => {
  test('values a typical drop at a half, with the spread of its batches', () => {
    const { reason, value, sigma } = judge({})
    expect([reason, value.toFixed(9), sigma.toFixed(9)]).toEqual(['ok', '0.500000000', '0.057735027']) // 0.5 ÷ 0.025 · √(1e-4 ÷ 3 ÷ 4)
  })

  test('values half of the typical drop at a quarter, and twice of it or more at one', () => {
    expect(judge({}, 0.05).value).toBeCloseTo(0.25)
    expect(judge({}, 0.0125).value).toBeCloseTo(1)
    expect(judge({}, 0.001).value).toBe(1)
  })

  test.each<readonly [string, Partial<Measured>]>([
    ['not-finite', { unseen: drops(0.02, Number.NaN) }],
    ['not-finite', { assigned: drops(Number.NEGATIVE_INFINITY, 0.1) }],
    ['not-finite', { unseen: [] }],
    ['outsized', { norm: 4.1 }],
    ['outsized', { norm: 0.24 }],
    ['outsized', { norm: Number.NaN }],
    ['copy', { likeness: { cosine: 0.5, hotkey: '5Fa' as Ss58 } }],
    ['withheld', { replay: { kind: 'withheld', reason: 'state 2 did not come' } }],
    ['untrained', { replay: { kind: 'differs', distance: 1 } }],
    ['harmful', { unseen: drops(-0.02, -0.03, -0.02, -0.03) }],
    ['harmful', { assigned: drops(0, 0, 0, 0), unseen: drops(0, 0, 0, 0) }],
    ['unassigned', { assigned: drops(0.02, 0.021, 0.022, 0.023), unseen: drops(0.02, 0.021, 0.022, 0.023) }],
  ])('refuses as %s what shows it: %o', (reason, over) => {
    expect(judge(over)).toEqual({ reason, value: 0, sigma: 0 })
  })

  test('believes a replay that held, and no likeness where nobody was earlier', () => {
    expect(judge({ replay: { kind: 'held', distance: 0 }, likeness: null }).reason).toBe('ok')
  })

  test('calls a drop noise that is within its batches spread', () => {
    expect(judge({ unseen: drops(-0.03, 0.028, -0.02, 0.02) }).reason).not.toBe('harmful')
  })

  test('gives nothing where no update of the round is worth anything', () => {
    expect(judge({}, 0).value).toBe(0)
  })
})

test('a round is typical by the median of what nothing speaks against', () => {
  const bad: Measured = { ...honest, replay: { kind: 'differs', distance: 1 }, unseen: drops(9, 9, 9, 9) }
  const better: Measured = { ...honest, assigned: drops(0.1, 0.1, 0.1, 0.1), unseen: drops(0.05, 0.05, 0.05, 0.05) }
  expect(typicalDrop({ measured: [honest, bad, bad, bad], terms })).toBeCloseTo(0.025)
  expect(typicalDrop({ measured: [honest, better], terms })).toBeCloseTo(0.0375)
  expect(typicalDrop({ measured: [bad], terms })).toBe(0)
})

test('the common norm is the median of those that have one', () => {
  const of = (...values: number[]) => Float32Array.from(values)
  expect(commonNorm([of(3, 4), of(30, 40), of(0, 0), of(Number.NaN, 1), of(6, 8)])).toBe(10)
  expect(commonNorm([of(0, 0)])).toBe(0)
})

test('a refusal before the measuring is worth nothing', () => {
  expect(faultVerdict('stale')).toEqual({ reason: 'stale', value: 0, sigma: 0 })
})
