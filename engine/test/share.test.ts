import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { choosePart } from '../src/proof/share.ts'

const draw = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const DRAWS = Array.from({ length: 256 }, (_, byte) => draw(byte))

describe('share of a check', () => {
  test('all is looked at when there is no share', () => {
    expect(choosePart(40, undefined)).toEqual({ end: 40, positions: Array.from({ length: 40 }, (_, index) => index) })
  })

  test('the prefix ends with the last chosen chunk, and every chunk is chosen by some draw', () => {
    const ends = DRAWS.map((each) => choosePart(100, { draw: each, chunks: 1 }).end)
    expect([...new Set(ends)].sort((a, b) => a - b)).toEqual([32, 64, 96, 100])
    for (const end of [32, 64, 96, 100]) expect(ends.filter((each) => each === end).length).toBeGreaterThan(40)
  })

  test('positions are those of the chosen chunks when their number is left open', () => {
    for (const each of DRAWS) {
      const { end, positions } = choosePart(100, { draw: each, chunks: 1 })
      expect(positions).toEqual(
        Array.from({ length: end === 100 ? 4 : 32 }, (_, index) => (end === 100 ? 96 : end - 32) + index),
      )
    }
  })

  test('positions are as many as asked, distinct, ascending, within the prefix, and hit all of it over many draws', () => {
    const hits = new Set<number>()
    for (const each of DRAWS) {
      const { end, positions } = choosePart(100, { draw: each, chunks: 2, positions: 10 })
      expect(positions.length - (end === 100 ? Number(positions.at(-1) === 99 && positions.length === 11) : 0)).toBe(10)
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b))
      expect(positions.every((position) => position < end)).toBe(true)
      for (const position of positions) hits.add(position)
    }
    expect(hits.size).toBe(100)
  })

  test("the answer's last token is always among the positions when its chunk is", () => {
    for (const each of DRAWS) {
      const { end, positions } = choosePart(50, { draw: each, positions: 3 })
      expect(end).toBe(50)
      expect(positions).toContain(49)
    }
  })

  test.each([0, -1, 0.5, 1e9])('at least one and at most all are chosen when %d are asked', (count) => {
    const { end, positions } = choosePart(50, { draw: draw(1), chunks: count, positions: count })
    expect(positions.length).toBeGreaterThan(0)
    expect(end).toBeLessThanOrEqual(50)
  })

  test('the same draw chooses the same, and another draw another part', () => {
    const share = { draw: draw(7), chunks: 2, positions: 20 }
    expect(choosePart(2_048, share)).toEqual(choosePart(2_048, share))
    expect(choosePart(2_048, share)).not.toEqual(choosePart(2_048, { ...share, draw: draw(8) }))
  })
})
