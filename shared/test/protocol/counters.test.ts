import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCounters, createCounterWindow, MAX_JUMP, WINDOW } from '../../src/protocol/counters.ts'
import { codeOf } from './support.ts'

describe('counter window', () => {
  test('takes each counter once, whatever the order, as a set of all would', () => {
    const near = fc.integer({ min: -1_100, max: 40 })
    const far = fc.constantFrom(1, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW, MAX_JUMP, MAX_JUMP + 1)
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 20, arbitrary: near }, { weight: 1, arbitrary: far }), { maxLength: 400 }),
        (steps) => {
          const window = createCounterWindow()
          const used = new Set<number>()
          let highest = 0
          for (const step of steps) {
            const counter = Math.max(0, highest + step)
            const isOld = counter < 1 || counter <= highest - WINDOW || used.has(counter)
            const expected = counter > highest + MAX_JUMP ? 'WIRE_COUNTER' : isOld ? 'WIRE_REPLAY' : 'ok'
            expect(codeOf(window.take(counter))).toBe(expected)
            if (expected !== 'ok') continue
            used.add(counter)
            highest = Math.max(highest, counter)
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    )
  })

  test('is not ended by a counter from the far future', () => {
    const window = createCounterWindow()
    window.take(1)
    for (const counter of [MAX_JUMP + 2, 2 ** 40, Number.MAX_SAFE_INTEGER])
      expect(codeOf(window.take(counter))).toBe('WIRE_COUNTER')
    expect(codeOf(window.take(2))).toBe('ok')
    expect(codeOf(window.take(MAX_JUMP + 2))).toBe('ok')
  })

  test('forgets what it jumps over: counters between are new, though others used their places before', () => {
    const window = createCounterWindow()
    for (let counter = 1; counter <= WINDOW; counter += 1) window.take(counter)
    window.take(WINDOW + 5)
    for (let counter = WINDOW + 1; counter < WINDOW + 5; counter += 1) expect(codeOf(window.take(counter))).toBe('ok')
  })

  test('takes a thousand requests that overtake each other, and none a second time', () => {
    const window = createCounterWindow()
    const counters = Array.from({ length: WINDOW }, (_, index) => 5_000 + index)
    window.take(5_000 + WINDOW - 1)
    const codes = (order: readonly number[]) => new Set(order.map((counter) => codeOf(window.take(counter))))
    expect(codes(counters.slice(0, -1).reverse())).toEqual(new Set(['ok']))
    expect(codes(counters)).toEqual(new Set(['WIRE_REPLAY']))
    expect(codeOf(window.take(4_999))).toBe('WIRE_REPLAY')
  })
})

describe('counters', () => {
  test('count each receiver up from 1', () => {
    const counters = createCounters()
    expect([counters.next('a'), counters.next('a'), counters.next('b'), counters.next('a')]).toEqual([1, 2, 1, 3])
  })

  test('refuse one receiver too many, and go on with those they have', () => {
    const counters = createCounters(2)
    counters.next('a')
    counters.next('b')
    expect(() => counters.next('c')).toThrow(expect.objectContaining({ code: 'SESSION_COUNTERS_FULL' }))
    expect(counters.next('a')).toBe(2)
  })
})
