import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunksOf, compareChunk, proveChunk, topIndices } from '../src/toploc.ts'

interface Vector {
  readonly seed: number
  readonly size: number
  readonly k: number
  readonly proof: string
}

const folder = new URL('../../test/vectors/toploc/', import.meta.url)
const vectors = readdirSync(folder).map((name) => {
  const vector: Vector = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  return { name, ...vector }
})

/** Draws values of both signs and many magnitudes; scripts/models/toploc_vectors.py draws the same. */
const drawn = (seed: number, size: number): Float32Array => {
  let state = seed >>> 0
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const uniform = (state / 2 ** 32) * 2 - 1
    return uniform * uniform * uniform * 8
  })
}

describe('toploc fingerprint', () => {
  test('there are vectors of the reference package', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(5)
  })

  test.each(vectors)('bytes equal those of the reference when the activations are $name', ({
    seed,
    size,
    k,
    proof,
  }) => {
    const values = drawn(seed, size)
    const expected = Uint8Array.from(Buffer.from(proof, 'base64'))
    expect(proveChunk(values, k)).toEqual(expected)
    expect(compareChunk(values, expected, k)).toEqual({ exponentMismatches: 0, mantissaError: 0 })
  })

  test('a proof matches its own values when they are any', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 3_000 }), (seed, size) => {
        const values = drawn(seed, size)
        const k = Math.min(128, size)
        expect(compareChunk(values, proveChunk(values, k), k)).toEqual({ exponentMismatches: 0, mantissaError: 0 })
      }),
      { seed: 2, numRuns: 30 },
    )
  })

  test('most values mismatch when the proof is of other values', () => {
    const difference = compareChunk(drawn(1, 3_000), proveChunk(drawn(2, 3_000), 128), 128)
    expect(difference?.exponentMismatches).toBeGreaterThan(64)
  })

  test('the mantissa error is small and no exponent mismatches when values carry float noise', () => {
    const values = drawn(5, 3_000)
    const noisy = values.map((value, index) => value * (1 + (index % 2 === 0 ? 1e-6 : -1e-6)))
    const difference = compareChunk(noisy, proveChunk(values, 128), 128)
    expect(difference?.exponentMismatches).toBeLessThanOrEqual(1)
    expect(difference?.mantissaError).toBeLessThan(0.05)
  })

  test('top indices are those of a full sort when values tie', () => {
    const values = Float32Array.from({ length: 500 }, (_, index) => ((index * 7) % 11) - 5)
    const sorted = [...values.keys()].sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0) || a - b)
    expect([...topIndices(values, 128)]).toEqual(sorted.slice(0, 128))
  })

  test('bytes that are no proof are refused', () => {
    const values = drawn(3, 1_000)
    const proof = proveChunk(values, 128)
    const modulus = (value: number): Uint8Array => {
      const changed = Buffer.from(proof)
      changed.writeUInt16BE(value)
      return Uint8Array.from(changed)
    }
    const coefficient = Buffer.from(proof)
    coefficient.writeUInt16BE(65_497, 2)
    const refused = [modulus(0), modulus(127), modulus(65_498), coefficient, proof.subarray(2), new Uint8Array(0)]
    for (const bytes of refused) expect(compareChunk(values, bytes, 128)).toBeNull()
  })

  test('a short last chunk proves all its values when it has fewer than k', () => {
    const chunks = chunksOf(drawn(4, 33 * 96), 96)
    expect(chunks.map(({ values, k }) => [values.length, k])).toEqual([
      [32 * 96, 128],
      [96, 96],
    ])
  })
})
