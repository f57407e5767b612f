import { SubnetError } from '@arbor/shared/errors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAmount, parseAmount } from '../src/amount.ts'

describe('amounts', () => {
  it.each([
    ['1', 1_000_000_000n],
    ['0.000000001', 1n],
    ['1.5', 1_500_000_000n],
    ['0.1', 100_000_000n],
    ['9007199.254740993', 9_007_199_254_740_993n],
    ['18446744073.709551615', 2n ** 64n - 1n],
    ['007', 7_000_000_000n],
  ])('%s is read exactly', (text, amount) => {
    expect(parseAmount(text)).toBe(amount)
  })

  it.each([
    '',
    '0',
    '0.0',
    '-1',
    '+1',
    '1e3',
    '1.0000000001',
    '.5',
    '1.',
    '1,5',
    ' 1',
    '0x10',
    'NaN',
    'Infinity',
    '18446744073.709551616',
    '１',
  ])('%j is refused', (text) => {
    expect(() => parseAmount(text)).toThrow(SubnetError)
  })

  it('amount is the same after it was written and read', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount)
      }),
      { seed: 1 },
    )
  })

  it('amount is written without trailing zeros', () => {
    expect([0n, 1n, 1_500_000_000n, 10_000_000_000n, -2_500_000_000n].map(formatAmount)).toEqual([
      '0',
      '0.000000001',
      '1.5',
      '10',
      '-2.5',
    ])
  })
})
