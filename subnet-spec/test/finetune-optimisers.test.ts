import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import vectors from '../../test/vectors/finetune/optimisers.json' with { type: 'json' }
import { dctTable } from '../finetune/optimisers/cosines.ts'
import { optimiserOf } from '../finetune/optimisers/optimiser-of.ts'
import { topK } from '../finetune/optimisers/top-k.ts'
import { cosine, normOf } from '../finetune/optimisers/vectors.ts'
import type { Optimiser, OptimiserTerms } from '../finetune/types.ts'
import { bytesOf, drawsOf, floatsOf, layoutOf } from './finetune-draws.ts'

fc.configureGlobal({ seed: 8 })

const outer = { learningRate: 0.9, momentum: 0.5 }
const termsOf: Readonly<Record<OptimiserTerms['kind'], OptimiserTerms>> = {
  diloco: { kind: 'diloco', outer },
  sparseloco: { kind: 'sparseloco', outer, chunk: 256, k: 8, feedback: 0.95 },
  demo: { kind: 'demo', learningRate: 1e-3, decay: 0.9, chunk: 256, k: 8 },
}
const SIZE = 700
const make = (kind: OptimiserTerms['kind'], size = SIZE): Optimiser =>
  optimiserOf({ terms: termsOf[kind], layout: layoutOf(size) })
const kinds = Object.keys(termsOf) as OptimiserTerms['kind'][]
const zeros = new Float32Array(SIZE)

/** Largest distance of two vectors, beside the largest number of the second. */
const distance = (a: Float32Array, b: Float32Array): number => {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0) / (largest || 1)
}

describe('what Python makes of the papers', () => {
  test.each(
    vectors.sparseloco,
  )('SparseLoCo sends the same bytes and carries the same rest of $size in $chunk', (at) => {
    const terms = { kind: 'sparseloco', outer, chunk: at.chunk, k: at.k, feedback: at.feedback } as const
    const optimiser = optimiserOf({ terms, layout: layoutOf(at.size) })
    const draws = drawsOf(at.seed)
    let carried: Float32Array = new Float32Array(at.size)
    for (const round of at.rounds) {
      const made = optimiser.encode({ progress: draws.floats(at.size, 1e-3), carried })
      expect(Buffer.from(made.payload).toString('base64')).toBe(round.payload)
      expect(optimiser.decode(bytesOf(round.payload))).toEqual(floatsOf(round.sent))
      expect(made.carried).toEqual(floatsOf(round.carried))
      carried = made.carried
    }
  })

  test.each(vectors.demo)('DeMo sends the same bytes of $size in $chunk', (at) => {
    const terms = { kind: 'demo', learningRate: 1e-3, decay: at.decay, chunk: at.chunk, k: at.k } as const
    const optimiser = optimiserOf({ terms, layout: layoutOf(at.size) })
    const draws = drawsOf(at.seed)
    let carried: Float32Array = new Float32Array(at.size)
    for (const round of at.rounds) {
      const made = optimiser.encode({ progress: draws.floats(at.size, 1e-2), carried })
      expect(Buffer.from(made.payload).toString('base64')).toBe(round.payload)
      // numpy sums in another order
      expect(distance(optimiser.decode(bytesOf(round.payload)), floatsOf(round.sent))).toBeLessThan(1e-6)
      expect(distance(made.carried, floatsOf(round.carried))).toBeLessThan(1e-6)
      carried = made.carried
    }
  })

  test.each(vectors.merge)('outer step and sign of $count updates lead to the same model', (at) => {
    const layout = layoutOf(at.size)
    const draws = drawsOf(at.seed)
    const [params, carried] = [draws.floats(at.size, 0.1), draws.floats(at.size, 1e-3)]
    const updates = Array.from({ length: at.count }, (_, index) => draws.floats(at.size, 1e-3 * (1 + index)))
    const { learningRate, momentum } = at
    const merged = optimiserOf({ terms: { kind: 'diloco', outer: { learningRate, momentum } }, layout }).merge({
      params,
      outer: carried,
      updates,
    })
    expect(merged.params).toEqual(floatsOf(at.params))
    expect(merged.outer).toEqual(floatsOf(at.outer))
    const signed = optimiserOf({ terms: termsOf.demo, layout }).merge({ params, outer: carried, updates })
    expect(signed.params).toEqual(floatsOf(at.signed))
    expect(cosine(updates[0] ?? zeros, updates.at(-1) ?? zeros)).toBeCloseTo(at.cosine, 12)
  })
})

describe('a DCT from sums and products', () => {
  test.each([2, 6, 8, 16, 64])('is that of Math.cos at %i points, and orthonormal', (s) => {
    const table = dctTable(s)
    const at = (k: number, n: number): number => table[k * s + n] ?? Number.NaN
    for (let k = 0; k < s; k += 1)
      for (let n = 0; n < s; n += 1) {
        const exact = Math.cos((Math.PI * (2 * n + 1) * k) / (2 * s)) * Math.sqrt((k === 0 ? 1 : 2) / s)
        expect(Math.abs(at(k, n) - exact)).toBeLessThan(1e-13)
      }
  })
})

describe.each(kinds)('%s', (kind) => {
  const optimiser = make(kind)
  const progress = fc
    .tuple(fc.nat(2 ** 31), fc.constantFrom(1e-30, 1e-6, 1, 1e20))
    .map(([seed, scale]) => drawsOf(seed).floats(SIZE, scale))

  test('loses nothing: what is sent and what is carried make up progress and what was carried', () => {
    fc.assert(
      fc.property(progress, progress, (now, before) => {
        const { payload, carried } = optimiser.encode({ progress: now, carried: before })
        const kept = kind === 'diloco' ? 0 : kind === 'demo' ? 0.9 : 0.95
        const whole = now.map((value, i) => value + kept * (before[i] ?? 0))
        const sum = optimiser.decode(payload).map((value, i) => value + (carried[i] ?? 0))
        expect(distance(sum, whole)).toBeLessThan(3e-7)
        expect(payload.length).toBeLessThanOrEqual(optimiser.maxPayloadBytes)
      }),
      { numRuns: 30 },
    )
  })

  test('sends the whole of a steady progress over rounds', () => {
    const steady = drawsOf(3).floats(SIZE, 1e-3)
    const sum = new Float64Array(SIZE)
    let carried: Float32Array = zeros
    const ROUNDS = 200
    for (let round = 0; round < ROUNDS; round += 1) {
      const made = optimiser.encode({ progress: steady, carried })
      for (const [i, value] of optimiser.decode(made.payload).entries()) sum[i] = (sum[i] ?? 0) + value / ROUNDS
      carried = made.carried
    }
    expect(cosine(Float32Array.from(sum), steady)).toBeGreaterThan(kind === 'demo' ? 0.85 : 0.97) // DeMo forgets a tenth a round here
  })

  test('makes zeros of zeros', () => {
    const { payload, carried } = optimiser.encode({ progress: zeros, carried: zeros })
    expect(normOf(optimiser.decode(payload))).toBe(0)
    expect(normOf(carried)).toBe(0)
  })

  test('refuses progress with NaN, infinite numbers or another length', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const broken = zeros.map((value, i) => (i === 699 ? bad : value))
      const code = { code: 'UPDATE_NOT_FINITE' }
      expect(() => optimiser.encode({ progress: broken, carried: zeros })).toThrow(expect.objectContaining(code))
      expect(() => optimiser.encode({ progress: zeros, carried: broken })).toThrow(expect.objectContaining(code))
    }
    const shape = expect.objectContaining({ code: 'UPDATE_SHAPE' })
    expect(() => optimiser.encode({ progress: zeros.subarray(1), carried: zeros })).toThrow(shape)
  })

  test('merges nothing, or nothing but zeros, into the very same model', () => {
    const model = { params: drawsOf(1).floats(SIZE, 1), outer: drawsOf(2).floats(SIZE, 1) }
    expect(optimiser.merge({ ...model, updates: [] })).toEqual(model)
    expect(optimiser.merge({ ...model, updates: [zeros, zeros] })).toEqual(model)
  })

  test('gives a large update no more weight than a small one', () => {
    const model = { params: zeros, outer: zeros }
    const [a, b, c] = [1, 2, 3].map((seed) => drawsOf(seed).floats(SIZE, 1e-3)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const loud = a.map((value) => 1024 * value)
    const [calm, tried] = [
      [a, b, c],
      [loud, b, c],
    ].map((updates) => optimiser.merge({ ...model, updates }).params)
    expect(cosine(calm ?? zeros, tried ?? zeros)).toBeGreaterThan(1 - 1e-6)
    expect(normOf(tried ?? zeros)).toBeLessThan(1.5 * normOf(calm ?? zeros))
  })

  test('keeps the model where a merge would not be finite', () => {
    const model = { params: drawsOf(1).floats(SIZE, 1), outer: zeros }
    const { params } = optimiser.merge({ ...model, updates: [zeros.map(() => 3e38), zeros.map(() => 3e38)] })
    expect(params.every(Number.isFinite)).toBe(true)
  })

  test('applies an update that is too long by its direction alone, and a shorter one as it is', () => {
    const params = drawsOf(1).floats(SIZE, 1)
    const update = drawsOf(2).floats(SIZE, 1)
    const loud = update.map((value) => 1024 * value)
    expect(optimiser.apply({ params, update: loud, norm: 0.1 })).toEqual(optimiser.apply({ params, update, norm: 0.1 }))
    expect(optimiser.apply({ params, update: zeros, norm: 0.1 })).toEqual(params)
    const moved = optimiser.apply({ params: zeros, update, norm: 0.1 })
    expect(cosine(moved, update)).toBeLessThan(-0.4)
    if (kind === 'demo') return
    expect(normOf(moved)).toBeCloseTo(0.09, 6)
    const short = update.map((value) => value / 1024)
    expect(normOf(short)).toBeLessThan(0.1)
    expect(optimiser.apply({ params: zeros, update: short, norm: 0.1 })).toEqual(short.map((value) => 0 - 0.9 * value))
  })
})

describe('a payload from a stranger', () => {
  const sane = (optimiser: Optimiser, payload: Uint8Array): void => {
    try {
      const vector = optimiser.decode(payload)
      expect(vector.length).toBe(SIZE)
      expect(vector.every(Number.isFinite)).toBe(true)
    } catch (error) {
      expect(['UPDATE_MALFORMED', 'UPDATE_NOT_FINITE']).toContain((error as { code?: string }).code)
    }
  }

  test.each(kinds)('of %s is read whole or refused, whatever its bytes', (kind) => {
    const optimiser = make(kind)
    const most = optimiser.maxPayloadBytes
    fc.assert(fc.property(fc.uint8Array({ maxLength: most + 9 }), (payload) => sane(optimiser, payload)))
    for (const byte of [0, 0x55, 0xff])
      for (const length of [0, 1, most >> 1, most - 1, most, most + 1])
        sane(optimiser, new Uint8Array(length).fill(byte))
  })

  test.each(kinds)('of %s that is cut, goes on or has a flipped bit is read whole or refused', (kind) => {
    const optimiser = make(kind)
    const { payload } = optimiser.encode({ progress: drawsOf(4).floats(SIZE, 1e-3), carried: zeros })
    const malformed = expect.objectContaining({ code: 'UPDATE_MALFORMED' })
    for (const cut of [0, 1, payload.length >> 1, payload.length - 1])
      expect(() => optimiser.decode(payload.subarray(0, cut))).toThrow(malformed)
    expect(() => optimiser.decode(Uint8Array.of(...payload, 0))).toThrow(malformed)
    fc.assert(
      fc.property(fc.nat(8 * payload.length - 1), (bit) => {
        sane(
          optimiser,
          payload.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
        )
      }),
    )
  })

  test('with a number that is not finite is refused', () => {
    const dense = make('diloco')
    const bytes = new Uint8Array(new Float32Array(SIZE).fill(Number.NaN).buffer)
    expect(() => dense.decode(bytes)).toThrow(expect.objectContaining({ code: 'UPDATE_NOT_FINITE' }))
    const sparse = make('sparseloco')
    const { payload } = sparse.encode({ progress: drawsOf(4).floats(SIZE, 1e-3), carried: zeros })
    // bits 4 to 18 are the first chunk's scale
    const infinite = payload.map((byte, at) => byte | ([0xf0, 0xff, 0x07][at] ?? 0))
    expect(() => sparse.decode(infinite)).toThrow(expect.objectContaining({ code: 'UPDATE_MALFORMED' }))
  })
})

test('the k largest are those that sorting finds, the first of equal ones', () => {
  const value = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, 1e-45, -1e-45))
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (all, share) => {
        const values = Float32Array.from(all)
        const k = Math.max(1, Math.ceil(share * values.length))
        const found = new Uint32Array(k)
        topK(values, k, found)
        const order = [...values.keys()].sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0) || a - b)
        expect([...found]).toEqual(order.slice(0, k).sort((a, b) => a - b))
      },
    ),
    { numRuns: 300 },
  )
})

describe('a sparse payload', () => {
  test('costs ten bits an entry at 64 of 4 096, where no two stand together', () => {
    const size = 20 * 4096
    const terms = { kind: 'sparseloco', outer, chunk: 4096, k: 64, feedback: 0.95 } as const
    const optimiser = optimiserOf({ terms, layout: layoutOf(size) })
    const { payload } = optimiser.encode({ progress: drawsOf(5).floats(size, 1e-3), carried: new Float32Array(size) })
    expect((8 * payload.length) / (20 * 64)).toBeLessThan(10)
  })

  test('keeps of equal entries those that stand first', () => {
    const optimiser = make('sparseloco')
    const { payload } = optimiser.encode({ progress: zeros.map((_, i) => (i % 2 === 0 ? 1 : -1)), carried: zeros })
    const kept = [...optimiser.decode(payload).entries()].filter(([, value]) => value !== 0)
    expect(kept.map(([i]) => i)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => i),
      ...Array.from({ length: 8 }, (_, i) => 256 + i),
      ...Array.from({ length: 6 }, (_, i) => 512 + i), // 188 of 256 elements: 5.9 of 8 entries
    ])
  })
})

describe('terms that are of no use', () => {
  const bad: readonly OptimiserTerms[] = [
    { kind: 'diloco', outer: { learningRate: 0, momentum: 0 } },
    { kind: 'diloco', outer: { learningRate: 1, momentum: 1 } },
    { kind: 'diloco', outer: { learningRate: Number.NaN, momentum: 0 } },
    { ...termsOf.sparseloco, chunk: 0 } as OptimiserTerms,
    { ...termsOf.sparseloco, k: 257 } as OptimiserTerms,
    { ...termsOf.sparseloco, k: 1.5 } as OptimiserTerms,
    { ...termsOf.sparseloco, feedback: 1.1 } as OptimiserTerms,
    { ...termsOf.demo, chunk: 200 } as OptimiserTerms,
    { ...termsOf.demo, decay: -1 } as OptimiserTerms,
    { ...termsOf.demo, learningRate: 0 } as OptimiserTerms,
  ]
  test.each(bad)('are refused: %j', (terms) => {
    expect(() => optimiserOf({ terms, layout: layoutOf(9) })).toThrow(
      expect.objectContaining({ code: 'SPEC_OPTIMISER' }),
    )
  })
})
