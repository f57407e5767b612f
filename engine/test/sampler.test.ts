import { readFileSync } from 'node:fs'
import { fromHex } from '@arbor/shared/hex'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseToken, gumbelNoise, samplingMargin } from '../src/sampler.ts'

const seed = new Uint8Array(32).fill(3)
const EULER = 0.5772156649015329 // mean of the standard Gumbel distribution

interface Vector {
  readonly seed: string
  readonly position: number
  readonly gumbel: readonly number[]
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/sampler/gumbel.json', import.meta.url), 'utf8'),
)

describe('gumbel noise', () => {
  test.each(vectors)('values equal those of a second implementation when the position is $position', (vector) => {
    const noise = gumbelNoise({ seed: fromHex(vector.seed), position: vector.position, size: vector.gumbel.length })
    for (const [id, expected] of vector.gumbel.entries()) expect(noise[id]).toBeCloseTo(expected, 12)
  })

  test('mean and variance are those of the distribution when many values are drawn', () => {
    const values = [...gumbelNoise({ seed, position: 0, size: 200_000 })]
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(EULER, 1)
    expect(variance).toBeCloseTo(Math.PI ** 2 / 6, 1)
  })

  test('every value is finite and repeats when seed and position are the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(2 ** 32 - 1), (drawn, position) => {
        const noise = gumbelNoise({ seed: drawn, position, size: 64 })
        expect(noise.every(Number.isFinite)).toBe(true)
        expect(gumbelNoise({ seed: drawn, position, size: 64 })).toEqual(noise)
      }),
      { seed: 1, numRuns: 50 },
    )
  })

  test('a longer draw starts with the shorter one when only the size differs', () => {
    const long = gumbelNoise({ seed, position: 5, size: 100 })
    expect(gumbelNoise({ seed, position: 5, size: 10 })).toEqual(long.slice(0, 10))
  })
})

describe('sampler', () => {
  const logits = Float32Array.from([0, 1, 2, 1])

  test('frequencies follow softmax(logits / temperature) when many positions are drawn', () => {
    const draws = 20_000
    const counts = [0, 0, 0, 0]
    for (let position = 0; position < draws; position++) {
      const id = chooseToken({ logits, temperature: 0.5, seed, position })
      counts[id] = (counts[id] ?? 0) + 1
    }
    const powers = [...logits].map((logit) => Math.exp(logit / 0.5))
    const total = powers.reduce((sum, power) => sum + power, 0)
    for (const [id, power] of powers.entries()) expect((counts[id] ?? 0) / draws).toBeCloseTo(power / total, 1)
  })

  test('greedy takes the lowest of the largest logits when they tie', () => {
    expect(chooseToken({ logits: Float32Array.from([1, 4, 4]), temperature: 0, seed, position: 0 })).toBe(1)
  })

  test('margin is 0 for the chosen token and above 0 for every other', () => {
    for (let position = 0; position < 50; position++) {
      const draw = { logits, temperature: 0.8, seed, position }
      const chosen = chooseToken(draw)
      for (const token of logits.keys()) {
        const margin = samplingMargin({ ...draw, token })
        if (token === chosen) expect(margin).toBe(0)
        else expect(margin).toBeGreaterThan(0)
      }
    }
  })
})
