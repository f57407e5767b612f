import { readFileSync } from 'node:fs'
import { fromHex } from '@arbor/shared/hex'
import type { PrecisionProfile } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fillStream, gumbelBound, gumbelOf } from '../src/noise.ts'
import { CELL_WIDTH, createDraws, openNoise, samplerSeed } from '../src/sampler.ts'

interface Vectors {
  readonly seeds: readonly {
    readonly seed: Hex
    readonly binding: Hex
    readonly hash: Hex
    readonly profile: PrecisionProfile
    readonly effective: string
  }[]
  readonly gumbel: readonly {
    readonly effective: string
    readonly position: number
    readonly cell: number
    readonly gumbel: readonly number[]
  }[]
  readonly choices: readonly {
    readonly key: number
    readonly logits: readonly [number, number]
    readonly temperature: number
    readonly topK: number | null
    readonly topP: number | null
    readonly tokens: readonly number[]
  }[]
}

const { seeds, gumbel, choices }: Vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/sampler/sampler.json', import.meta.url), 'utf8'),
)
const key = (vector: Vectors['seeds'][number] | undefined) => ({
  seed: fromHex(vector?.seed ?? '0x', 32),
  binding: fromHex(vector?.binding ?? '0x', 32),
  model: { hash: vector?.hash ?? '0x', profile: vector?.profile ?? 'fp32' } as const,
})
const MODEL = { hash: `0x${'11'.repeat(32)}`, profile: 'fp32' } as const
const WIDTH = CELL_WIDTH.fp32
const EULER = 0.5772156649015329 // mean of the standard Gumbel distribution

interface Filters {
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly seed?: number
}

const drawsOf = ({ temperature = 0.8, topK, topP, seed = 3 }: Filters = {}) =>
  createDraws({
    request: {
      seed: new Uint8Array(32).fill(seed),
      binding: new Uint8Array(32),
      temperature,
      topK: topK ?? null,
      topP: topP ?? null,
    },
    model: MODEL,
  })

/** Draws the logits of the vectors' generator. */
const logitsOf = (state: number, size: number): Float32Array => {
  let current = state
  return Float32Array.from({ length: size }, () => {
    current = (current * 1_664_525 + 1_013_904_223) % 2 ** 32
    return Math.floor((Math.floor(current / 2 ** 12) / 2 ** 19 - 1) ** 3 * 160) / 16
  })
}

describe('sampler seed', () => {
  test('equals that of a second implementation for every seed, binding, model and profile, and no two are alike', () => {
    for (const vector of seeds) expect(samplerSeed(key(vector)).toString('hex')).toBe(vector.effective)
    expect(new Set(seeds.map(({ effective }) => effective)).size).toBe(seeds.length)
  })
})

describe('gumbel noise', () => {
  test.each(
    gumbel,
  )('values equal those of a second implementation when position is $position and cell $cell', (vector) => {
    const noise = openNoise({ seed: Buffer.from(vector.effective, 'hex'), profile: 'fp32' })
    const outputs = noise.outputs(vector.position, vector.cell, vector.gumbel.length)
    for (const [id, expected] of vector.gumbel.entries()) expect(gumbelOf(outputs[id] ?? 0)).toBeCloseTo(expected, 12)
  })

  test('mean and variance are those of the distribution when many values are drawn', () => {
    const outputs = openNoise({ seed: new Uint8Array(32), profile: 'fp32' }).outputs(0, 0, 200_000)
    const values = [...outputs].map(gumbelOf)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean).toBeCloseTo(EULER, 1)
    expect(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length).toBeCloseTo(Math.PI ** 2 / 6, 1)
  })

  test('the bound is never below the noise, and the noise is finite, for every output', () => {
    const outputs = new Uint32Array(50_000)
    fillStream(Buffer.alloc(16, 9), outputs)
    const edges = Array.from({ length: 32 }, (_, bit) => [2 ** bit - 1, 2 ** bit, 2 ** 32 - 2 ** bit]).flat()
    const all = [...outputs, ...edges, 2 ** 32 - 1]
    expect(all.filter((output) => !Number.isFinite(gumbelOf(output)))).toEqual([])
    expect(all.filter((output) => gumbelBound(output) < gumbelOf(output))).toEqual([])
  })
})

describe('choice', () => {
  const logits = Float32Array.from([0, 1, 2, 1])

  test.each(
    choices,
  )('tokens equal those of a second implementation at $temperature, $topK, $topP (logits $logits)', (vector) => {
    const { seed, binding, model } = key(seeds[vector.key])
    const { temperature, topK, topP } = vector
    const draws = createDraws({ request: { seed, binding, temperature, topK, topP }, model })
    const values = logitsOf(...vector.logits)
    expect(vector.tokens.map((_, position) => draws.choose(values, position))).toEqual(vector.tokens)
  })

  test('frequencies follow softmax(logits / temperature) when many positions are drawn', () => {
    const draws = 20_000
    const counts = [0, 0, 0, 0]
    const draw = drawsOf({ temperature: 0.5 })
    for (let position = 0; position < draws; position++) {
      const id = draw.choose(logits, position)
      counts[id] = (counts[id] ?? 0) + 1
    }
    const powers = [...logits].map((logit) => Math.exp(logit / 0.5))
    const total = powers.reduce((sum, power) => sum + power, 0)
    for (const [id, power] of powers.entries()) expect((counts[id] ?? 0) / draws).toBeCloseTo(power / total, 1)
  })

  test('greedy takes the lowest of the largest logits when they tie', () => {
    expect(drawsOf({ temperature: 0 }).choose(Float32Array.from([1, 4, 4]), 0)).toBe(1)
  })

  test('top-k of 1 takes the lowest of the largest logits at any temperature', () => {
    for (let position = 0; position < 20; position++) {
      expect(drawsOf({ temperature: 5, topK: 1 }).choose(Float32Array.from([1, 4, 4]), position)).toBe(1)
    }
  })

  test('a token outside top-k or top-p is never drawn', () => {
    const values = logitsOf(5, 300)
    const largest = [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
    for (let position = 0; position < 200; position++) {
      expect(largest.slice(0, 7)).toContain(drawsOf({ temperature: 3, topK: 7 }).choose(values, position))
    }
  })

  test.each([
    [[Number.NaN, 1]],
    [[1, Number.NaN]],
    [[Number.POSITIVE_INFINITY, 1]],
    [[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    [[]],
  ])('logits %j are refused', (values) => {
    const bad = Float32Array.from(values)
    expect(() => drawsOf().choose(bad, 3)).toThrow(/finite/)
    const claim = { logits: bad, position: 3, token: 0, tolerance: 0 }
    expect(() => drawsOf().margin(claim)).toThrowError(expect.objectContaining({ code: 'ENGINE_BAD_LOGITS' }))
  })

  test('a token that the model rules out is never drawn and its margin has no bound', () => {
    const values = Float32Array.from([0, Number.NEGATIVE_INFINITY, 0])
    for (let position = 0; position < 50; position++) expect(drawsOf().choose(values, position)).not.toBe(1)
    expect(drawsOf().margin({ logits: values, position: 0, token: 1, tolerance: 1e-3 })).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('margin', () => {
  const filters = [{}, { temperature: 0 }, { topK: 5 }, { topP: 0.7 }, { topK: 9, topP: 0.6, temperature: 1.7 }]

  test.each(filters)('is 0 for the chosen token and above 0 for others when the filters are %j', (filter) => {
    const draws = drawsOf(filter)
    for (let position = 0; position < 40; position++) {
      const logits = logitsOf(position, 60)
      const chosen = draws.choose(logits, position)
      const margins = [...logits.keys()].map((token) => draws.margin({ logits, position, token, tolerance: 0 }))
      expect(margins[chosen]).toBe(0)
      const equals = [...logits].filter((logit) => logit === logits[chosen]).length
      expect(margins.filter((margin) => margin === 0).length).toBeLessThanOrEqual(equals)
    }
  })

  test('is at most twice the rounding when an engine rounds differently, at every temperature and under every filter', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.constantFrom<Filters>(
          {},
          { temperature: 0 },
          { temperature: 0.1 },
          { topK: 3 },
          { topP: 0.5 },
          { topK: 20, topP: 0.8 },
        ),
        fc.constantFrom(1e-5, 1e-4, 1e-3),
        (state, filter, noise) => {
          const draws = drawsOf({ ...filter, seed: state % 251 })
          const honest = logitsOf(state, 80)
          const own = honest.map((logit, id) => logit + noise * Math.sin(state + id * 17))
          const token = draws.choose(honest, state)
          expect(draws.margin({ logits: own, position: state, token, tolerance: 2 * noise })).toBeLessThanOrEqual(
            2 * noise + 1e-6,
          )
        },
      ),
      { seed: 4, numRuns: 3_000 },
    )
  })

  test('an engine whose largest logit is a cell off draws other tokens, and is seen at about half of the positions', () => {
    const draws = drawsOf()
    const logits = Float32Array.from([3, 2.9, 2.8, 2.7])
    const shifted = logits.map((logit) => logit + 2 * WIDTH) // the same distribution: only the cell tells them apart
    const margins = Array.from({ length: 400 }, (_, position) =>
      draws.margin({ logits, position, token: draws.choose(shifted, position), tolerance: 1e-3 }),
    )
    const seen = margins.filter((margin) => margin > 1e-3).length / margins.length
    expect(seen).toBeGreaterThan(0.65)
    expect(seen).toBeLessThan(0.8)
  })

  test('a token at the edge of top-k is tolerated, and one beyond the tolerance is not', () => {
    const logits = Float32Array.from([5, 1, 1 - 1e-4, 0.5])
    const draws = drawsOf({ temperature: 50, topK: 2 })
    const claims = [1, 2, 3].map((token) =>
      Array.from({ length: 60 }, (_, position) => draws.margin({ logits, position, token, tolerance: 1e-3 })),
    )
    expect(claims[0]?.some((margin) => margin === 0)).toBe(true)
    expect(claims[1]?.some((margin) => margin === 0)).toBe(true)
    expect(claims[2]?.every((margin) => margin === Number.POSITIVE_INFINITY)).toBe(true)
  })
})
