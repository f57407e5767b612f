import { Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { assembleHere } from '../src/batch/rows.ts'
import type { Cache } from '../src/decoder.ts'
import { widen } from '../src/float16.ts'

const SPECS = [
  { type: 'float32', heads: 2, size: 3 },
  { type: 'float16', heads: 1, size: 2 },
] as const

/** A cache whose every number says where it stands: row, head, token, place; the bits of a half are taken for a number. */
const cacheOf = (name: number, rows: number, length: number): Cache => ({
  rows,
  length,
  tensors: SPECS.map(({ type, heads, size }) => {
    const numbers: number[] = []
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++)
        for (let token = 0; token < length; token++)
          for (let place = 0; place < size; place++) numbers.push(at(name, row, head, token, place))
    const data = type === 'float32' ? Float32Array.from(numbers) : Uint16Array.from(numbers)
    return new Tensor(type, data, [rows, heads, length, size])
  }),
})
const at = (name: number, row: number, head: number, token: number, place: number): number =>
  (((name * 5 + row) * 2 + head) * 10 + token) * 3 + place + 1

describe('rows of a cache', () => {
  test('each stands at the end of its place after zeros when pieces of several caches come together', async () => {
    const one = cacheOf(1, 2, 4)
    const other = cacheOf(2, 3, 6)
    const made = await assembleHere(SPECS)([
      { cache: other, row: 2, from: 1, length: 5 },
      { cache: one, row: 0, from: 2, length: 2 },
      { cache: one, row: 1, from: 0, length: 4 },
    ])
    expect(made).toMatchObject({ rows: 3, length: 5 })
    const sources = [
      { name: 2, row: 2, from: 1, length: 5 },
      { name: 1, row: 0, from: 2, length: 2 },
      { name: 1, row: 1, from: 0, length: 4 },
    ]
    for (const [index, { heads, size }] of SPECS.entries()) {
      const due = sources.flatMap(({ name, row, from, length }) =>
        Array.from({ length: heads }, (_, head) =>
          Array.from({ length: 5 }, (_, place) => {
            const token = place - (5 - length)
            return Array.from({ length: size }, (_, of) => (token < 0 ? 0 : at(name, row, head, from + token, of)))
          }),
        ).flat(2),
      )
      expect(Array.from(made.tensors[index]?.data as Iterable<number>)).toEqual(due)
      expect(made.tensors[index]?.dims).toEqual([3, heads, 5, size])
    }
  })
})

describe('half precision', () => {
  test("every number of 16 bits widens to Node's own reading", () => {
    const bits = Uint16Array.from({ length: 1 << 16 }, (_, index) => index)
    expect(widen(bits)).toEqual(Float32Array.from(new Float16Array(bits.buffer)))
  })

  test('a tensor of half precision holds the bits that it was given, and Node keeps its own arrays', () => {
    expect(new Tensor('float16', Uint16Array.of(0x3c00), [1]).data).toEqual(Uint16Array.of(0x3c00))
    expect(typeof Float16Array).toBe('function')
  })
})
