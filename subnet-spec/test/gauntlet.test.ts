import type { Hex, Ss58 } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { commonNorm, controlsOf, faultVerdict, judgeUpdate, typicalOf } from '../finetune/gauntlet.ts'
import type { AssignedLoss, BatchLoss, GauntletTerms, Measured, Typical } from '../finetune/types.ts'

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
/** The same of own windows, on which others' updates drop the loss by so much less. */
const led = (leads: readonly number[], others = 0.03): AssignedLoss[] =>
  leads.map((lead) => ({ before: 4, after: 4 - others - lead, others: 4 - others }))
const honest: Measured = {
  norm: 1.1,
  assigned: led([0.04, 0.06, 0.04, 0.06]),
  unseen: drops(0.02, 0.03, 0.02, 0.03),
  likeness: { cosine: 0.1, hotkey: '5Fa' as Ss58 },
  replay: null,
}
const usual: Typical = { lead: 0.05, drop: 0.025 }
const judge = (over: Partial<Measured>, typical = usual) =>
  judgeUpdate({ measured: { ...honest, ...over }, typical, terms })

describe('judgeUpdate', () => {
  test('values a typical lead at a half, with the spread of its batches', () => {
    const { reason, value, sigma } = judge({})
    expect([reason, value.toFixed(9), sigma.toFixed(9)]).toEqual(['ok', '0.500000000', '0.057735027']) // 10 · √(4e-4 ÷ 3 ÷ 4)
  })

  test('values half of the typical lead at a quarter, and twice of it or more at one', () => {
    expect(judge({}, { ...usual, lead: 0.1 }).value).toBeCloseTo(0.25)
    expect(judge({}, { ...usual, lead: 0.025 }).value).toBeCloseTo(1)
    expect(judge({}, { ...usual, lead: 0.01 }).value).toBe(1)
  })

  test.each<readonly [string, Partial<Measured>]>([
    ['not-finite', { unseen: drops(0.02, Number.NaN) }],
    ['not-finite', { assigned: led([Number.NEGATIVE_INFINITY, 0.1]) }],
    ['not-finite', { unseen: [] }],
    ['outsized', { norm: 4.1 }],
    ['outsized', { norm: 0.24 }],
    ['outsized', { norm: Number.NaN }],
    ['copy', { likeness: { cosine: 0.5, hotkey: '5Fa' as Ss58 } }],
    ['withheld', { replay: { kind: 'withheld', reason: 'state 2 did not come' } }],
    ['untrained', { replay: { kind: 'differs', distance: 1 } }],
    ['harmful', { unseen: drops(-0.02, -0.03, -0.02, -0.03) }],
    ['unassigned', { assigned: led([0, 0, 0, 0]), unseen: drops(0, 0, 0, 0) }],
    ['unassigned', { assigned: led([0.009, 0.011, 0.009, 0.01]) }],
    ['unassigned', { assigned: led([-0.03, 0.01, -0.02, 0.01]) }],
  ])('refuses as %s what shows it: %o', (reason, over) => {
    expect(judge(over)).toEqual({ reason, value: 0, sigma: 0 })
  })

  test('believes a replay that held, and no likeness where nobody was earlier', () => {
    expect(judge({ replay: { kind: 'held', distance: 0 }, likeness: null }).reason).toBe('ok')
  })

  test('calls harm noise that is within its batches spread, or that all updates of the round do', () => {
    expect(judge({ unseen: drops(-0.03, 0.028, -0.02, 0.02) }).reason).toBe('ok')
    const learnt = drops(-0.02, -0.03, -0.02, -0.03)
    expect(judge({ unseen: learnt }, { ...usual, drop: -0.025 }).reason).toBe('ok')
    expect(judge({ unseen: learnt }, { ...usual, drop: -0.01 }).reason).toBe('harmful')
  })

  test('compares with unseen data where there is no other update', () => {
    const alone = led([0.04, 0.06, 0.04, 0.06]).map((batch) => ({ ...batch, others: null }))
    expect(judge({ assigned: alone, unseen: drops(0.03, 0.03, 0.03, 0.03) }).value).toBeCloseTo(0.5)
    expect(judge({ assigned: alone, unseen: drops(0.08, 0.08, 0.08, 0.08) }).reason).toBe('unassigned')
  })

  test('gives nothing where no update of the round is worth anything', () => {
    expect(judge({}, { lead: 0, drop: 0 }).value).toBe(0)
  })
})

test('a round is typical by the medians of what nothing speaks against', () => {
  const replayed: Measured = { ...honest, replay: { kind: 'differs', distance: 1 }, assigned: led([9, 9, 9, 9]) }
  const worse: Measured = { ...honest, assigned: led([-9, -9, -9, -9]) }
  const better: Measured = { ...honest, assigned: led([0.1, 0.1, 0.1, 0.1]), unseen: drops(0.05, 0.05, 0.05, 0.05) }
  const { lead, drop } = typicalOf({ measured: [honest, replayed, replayed, replayed, worse, worse], terms })
  expect([lead.toFixed(6), drop.toFixed(6)]).toEqual(['0.050000', '0.025000'])
  expect(typicalOf({ measured: [honest, better], terms }).lead).toBeCloseTo(0.075)
  expect(typicalOf({ measured: [replayed], terms })).toEqual({ lead: 0, drop: 0 })
})

test('controls are three others that are drawn, no copies and none that are outsized', () => {
  const others = Array.from({ length: 9 }, (_, index) => ({
    hotkey: `5F${index}` as Ss58,
    norm: index === 1 ? 9 : 1,
    likeness: index === 2 ? { cosine: 0.9, hotkey: '5F0' as Ss58 } : null,
  }))
  const draw = (seed: Hex, among = others) => controlsOf({ hotkey: '5F0' as Ss58, among, terms, seed })
  const seen = new Set<string>()
  for (let n = 0; n < 40; n += 1) {
    const drawn = draw(`0x${n.toString(16).padStart(64, '0')}`)
    expect(new Set(drawn).size).toBe(3)
    for (const hotkey of drawn) seen.add(hotkey)
  }
  expect([...seen].sort()).toEqual(['5F3', '5F4', '5F5', '5F6', '5F7', '5F8'])
  const seed: Hex = `0x${'07'.repeat(32)}`
  expect(draw(seed, others.toReversed())).toEqual(draw(seed))
  expect(draw(seed, others.slice(0, 5)).length).toBe(2)
  expect(draw(seed, others.slice(0, 3))).toEqual([])
})

test('the common norm is the median of those that have one', () => {
  const of = (...values: number[]) => Float32Array.from(values)
  expect(commonNorm([of(3, 4), of(30, 40), of(0, 0), of(Number.NaN, 1), of(6, 8)])).toBe(10)
  expect(commonNorm([of(0, 0)])).toBe(0)
})

test('a refusal before the measuring is worth nothing', () => {
  expect(faultVerdict('stale')).toEqual({ reason: 'stale', value: 0, sigma: 0 })
})
