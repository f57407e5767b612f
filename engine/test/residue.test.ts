import { readFileSync } from 'node:fs'
import { fromHex } from '@arbor/shared/hex'
import type { PrecisionProfile } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { proveAnswer } from '../src/proof/prove.ts'
import { openResidues, RESIDUE_STEP, type ResidueKey } from '../src/proof/residue.ts'

interface Vector {
  readonly state: number
  readonly tokens: readonly number[]
  readonly width: number
  readonly profile: PrecisionProfile
  readonly binding: Hex
  readonly hash: Hex
  readonly proofs: readonly string[]
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/residue/residue.json', import.meta.url), 'utf8'),
)

/** Draws the activations of the vectors' generator. */
const activations = (state: number, size: number): Float32Array => {
  let current = state
  return Float32Array.from({ length: size }, () => {
    current = (current * 1_664_525 + 1_013_904_223) % 2 ** 32
    return ((current / 2 ** 32) * 2 - 1) ** 3 * 8
  })
}

const WIDTH = 96
const ROWS = 32
const model = { hash: `0x${'11'.repeat(32)}`, profile: 'fp32' } as const
const tokens = Array.from({ length: ROWS }, (_, index) => 7 * index)
const keyOf = (change: Partial<ResidueKey> = {}): ResidueKey => ({
  binding: new Uint8Array(32),
  model,
  tokens,
  ...change,
})
const rows = activations(9, ROWS * WIDTH)
const own = openResidues(keyOf(), WIDTH)
const proof = own.prove(0, rows)
/** Adds noise of so many steps of a row's root mean square, of either sign. */
const noisy = (steps: number): Float32Array => {
  const noise = activations(77, rows.length)
  const rms = Math.sqrt(rows.reduce((sum, value) => sum + value * value, 0) / rows.length)
  return rows.map((value, index) => value + ((noise[index] ?? 0) / 3) * steps * RESIDUE_STEP.fp32 * rms)
}

describe('residues', () => {
  test.each(
    vectors,
  )('bytes equal those of a second implementation for $tokens.length tokens of width $width', (vector) => {
    const { state, width, profile, hash, binding, proofs } = vector
    const request = { proof: 'residue', binding: fromHex(binding, 32) } as const
    const hidden = activations(state, vector.tokens.length * width)
    const made = proveAnswer({ request, model: { hash, profile }, tokens: vector.tokens, hidden, width })
    expect(made.map((each) => Buffer.from(each, 'base64').toString('hex'))).toEqual(proofs)
  })

  test('one byte a token is proven, and 16 at least', () => {
    const lengths = [1, 15, 16, 17, 32].map((count) => own.prove(0, rows.subarray(0, count * WIDTH)).length)
    expect(lengths).toEqual([16, 16, 16, 17, 32])
  })

  test('the error is 0 for the same states and grows with the noise', () => {
    const errors = [0, 0.01, 0.3, 1, 3].map((steps) => own.compare(0, noisy(steps), proof) ?? Number.NaN)
    expect(errors[0]).toBe(0)
    expect(errors[1]).toBeLessThan(0.005)
    expect(errors.slice(1)).toEqual(errors.slice(1).sort((first, second) => first - second))
    expect(errors[3]).toBeGreaterThan(0.1)
  })

  test('scaling the whole row changes nothing, which the logits then show', () => {
    expect(
      own.compare(
        0,
        rows.map((value) => value * 3),
        proof,
      ),
    ).toBeLessThan(1e-3)
  })

  test.each<[string, Partial<ResidueKey>, number]>([
    ['another binding', { binding: new Uint8Array(32).fill(1) }, 0],
    ['another model', { model: { ...model, hash: `0x${'12'.repeat(32)}` } }, 0],
    ['another token', { tokens: [...tokens.slice(0, 31), 1] }, 0],
    ['one token more', { tokens: [...tokens, 1] }, 0],
    ['another chunk', {}, 1],
  ])('a proof is worthless when it is moved to %s', (_, change, chunk) => {
    expect(openResidues(keyOf(change), WIDTH).compare(chunk, rows, proof)).toBeGreaterThan(30)
  })

  test.each([
    ['random bytes', Uint8Array.from(activations(3, 32), (value) => Math.abs(value * 1e6) % 256)],
    ['zeros', new Uint8Array(32)],
    ['one byte over and over', new Uint8Array(32).fill(128)],
  ])('%s are far from any states', (_, forged) => {
    expect(own.compare(0, rows, forged)).toBeGreaterThan(30)
  })

  test('a proof of another length is none', () => {
    for (const length of [0, 16, 31, 33]) expect(own.compare(0, rows, new Uint8Array(length))).toBeNull()
  })

  test('rows of zeros or of almost nothing prove and compare, and still differ from others', () => {
    const zeros = new Float32Array(rows.length)
    expect(own.compare(0, zeros, own.prove(0, zeros))).toBe(0)
    expect([...own.prove(0, zeros)]).toEqual(Array.from({ length: 32 }, () => 0))
    expect(own.compare(0, rows, own.prove(0, zeros))).toBeGreaterThan(30)
    const tiny = rows.map((value) => value * 1e-20)
    expect(own.compare(0, tiny, own.prove(0, tiny))).toBe(0)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('states are refused when one is %s', (bad) => {
    const broken = rows.map((value, index) => (index % WIDTH === 3 ? bad : value))
    expect(() => own.prove(0, broken)).toThrowError(expect.objectContaining({ code: 'ENGINE_BAD_LOGITS' }))
    expect(() => own.compare(0, broken, proof)).toThrowError(expect.objectContaining({ code: 'ENGINE_BAD_LOGITS' }))
  })
})
