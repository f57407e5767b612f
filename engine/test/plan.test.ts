import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cells, PADDING, type Part, padding, plan } from '../src/batch/plan.ts'

const part = (changed: boolean, ...rows: readonly (readonly [number, number])[]): Part => ({
  changed,
  rows: rows.map(([now, final]) => ({ now, final })),
})

describe('plan', () => {
  test('rows take what the longest takes at its end when they share a cache', () => {
    expect(cells([{ now: 10, final: 50 }])).toBe(50)
    expect(
      cells([
        { now: 10, final: 50 },
        { now: 100, final: 110 },
      ]),
    ).toBe(2 * 140) // the short one ends 40 tokens after the cache is 100 long
    expect(cells([])).toBe(0)
  })

  test('a prompt joins those that run when it is about as long', () => {
    expect(plan([part(false, [100, 200], [90, 200]), part(true, [80, 120])], 10_000)).toEqual([[0, 1]])
  })

  test('a prompt joins the cache in which it pads least', () => {
    const parts = [part(false, [900, 1_000]), part(false, [120, 200]), part(true, [100, 200])]
    expect(plan(parts, 100_000)).toEqual([[0], [1, 2]])
  })

  test('a prompt stays alone when padding would cost more than a run of its own', () => {
    expect(plan([part(false, [4_000, 4_100]), part(true, [100, 200])], 100_000)).toEqual([[0], [1]])
  })

  test('a prompt stays alone when padding would exceed the cache', () => {
    expect(plan([part(false, [1_000, 1_100]), part(true, [100, 200])], 1_400)).toEqual([[0], [1]])
  })

  test('what is left of two caches comes together when both shrank', () => {
    expect(plan([part(true, [100, 200]), part(true, [110, 200])], 10_000)).toHaveLength(1)
  })

  test('no part is lost, padding and cache stay in their bounds when parts are any', () => {
    const row = fc.record({ now: fc.integer({ min: 1, max: 5_000 }), more: fc.integer({ min: 1, max: 2_000 }) })
    const parts = fc.array(fc.record({ changed: fc.boolean(), rows: fc.array(row, { minLength: 1, maxLength: 4 }) }), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 20_000 }), (generated, slack) => {
        const given: Part[] = generated.map(({ changed, rows }) => ({
          changed,
          rows: rows.map(({ now, more }) => ({ now, final: now + more })),
        }))
        const apart = given.reduce((sum, { rows }) => sum + cells(rows), 0)
        const groups = plan(given, apart + slack)
        expect(groups.flat().toSorted((one, other) => one - other)).toEqual([...given.keys()])
        const rows = groups.map((group) => group.flatMap((index) => given[index]?.rows ?? []))
        expect(rows.reduce((sum, each) => sum + cells(each), 0)).toBeLessThanOrEqual(apart + slack)
        for (const [index, group] of groups.entries()) {
          if (group.length > 1) expect(padding(rows[index] ?? [])).toBeLessThanOrEqual(PADDING)
        }
      }),
      { seed: 6, numRuns: 300 },
    )
  })
})
