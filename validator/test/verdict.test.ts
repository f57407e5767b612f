import type { Verdict } from '@arbor/subnet-spec/define'
import { describe, expect, test } from 'vitest'
import { checkedVerdict } from '../src/verdict.ts'

describe('checkedVerdict', () => {
  test('passes a verdict on', () => {
    const verdict = { reason: 'ok', value: 0.5, sigma: 0.1 }
    expect(checkedVerdict(verdict)).toEqual(verdict)
  })

  test.each<[string, unknown]>([
    ['no verdict', undefined],
    ['a value that is no number', { reason: 'ok', value: Number.NaN, sigma: 0 }],
    ['a value above one', { reason: 'ok', value: 1.01, sigma: 0 }],
    ['a value for a fault', { reason: 'wrong', value: 0.5, sigma: 0 }],
    ['an endless sigma', { reason: 'ok', value: 1, sigma: Number.POSITIVE_INFINITY }],
    ["a miner's text for a reason", { reason: '\u001b[2J', value: 0, sigma: 0 }],
  ])('refuses %s', (_, verdict) => {
    expect(() => checkedVerdict(verdict as Verdict)).toThrow(expect.objectContaining({ code: 'SPEC_VERDICT' }))
  })
})
