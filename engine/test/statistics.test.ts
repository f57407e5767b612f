import { describe, expect, test } from 'vitest'
import { mismatchesAllowed, shareBound, shareInterval } from '../src/statistics.ts'

describe('binomial bounds', () => {
  // Values of mpmath 1.3: roots of the regularised incomplete beta function at 0.025 and 0.975, 40 digits.
  test.each([
    [0, 48, 0.0, 0.07397278534728023],
    [1, 48, 0.0005273152534231199, 0.11069616059315224],
    [24, 48, 0.35225163055334263, 0.6477483694466574],
    [199, 200, 0.9724581015427943, 0.999873418972133],
    [200, 200, 0.9817246596448638, 1.0],
    [3, 2000, 0.000309442949312333, 0.004377320104529617],
    [1990, 2000, 0.9908241049299802, 0.9975997802443343],
  ])('the interval of %i of %i is that of another implementation', (k, n, low, high) => {
    const interval = shareInterval(k, n)
    expect(interval[0]).toBeCloseTo(low, 9)
    expect(interval[1]).toBeCloseTo(high, 9)
  })

  test('the bound of none of n is 1 − 0.05^(1 ⁄ n), about 3 ⁄ n', () => {
    for (const n of [1, 48, 2_000]) expect(shareBound(0, n)).toBeCloseTo(1 - 0.05 ** (1 / n), 9)
    expect(shareBound(0, 2_000)).toBeCloseTo(3 / 2_000, 5)
    expect(shareBound(5, 5)).toBe(1)
  })
})

describe('mismatches allowed', () => {
  // Values of mpmath 1.3: the first count above which the exact binomial sum leaves at most 1e-9, 40 digits.
  test.each([
    [1, 0.01, 1],
    [48, 0.001, 5],
    [48, 0.01, 9],
    [512, 0.002, 11],
    [2048, 0.01, 53],
    [2048, 0.0001, 7],
  ])('in %i positions at a rate of %d are those of another implementation', (positions, rate, allowed) => {
    expect(mismatchesAllowed(positions, rate)).toBe(allowed)
  })

  test('none are allowed at a rate of 0, and all at a rate of 1', () => {
    expect(mismatchesAllowed(48, 0)).toBe(0)
    expect(mismatchesAllowed(48, 1)).toBe(48)
  })
})
