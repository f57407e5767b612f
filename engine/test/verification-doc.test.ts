import { readFileSync } from 'node:fs'
import { fromHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { FLOORS } from '../src/calibrate/floors.ts'
import { gumbelOf } from '../src/noise.ts'
import { openResidues, RESIDUE_STEP } from '../src/proof/residue.ts'
import { CELL_WIDTH, createDraws, openNoise, samplerSeed } from '../src/sampler.ts'
import { mismatchesAllowed } from '../src/statistics.ts'

interface Example {
  readonly seed: Hex
  readonly binding: Hex
  readonly hash: Hex
  readonly profile: 'fp32'
  readonly key: string
  readonly position: number
  readonly temperature: number
  readonly logits: readonly number[]
  readonly cell: number
  readonly noise: readonly number[]
  readonly scores: readonly number[]
  readonly token: number
  readonly marginOfToken1: number
  readonly tokens: readonly number[]
  readonly hidden: readonly (readonly number[])[]
  readonly residues: string
}

const doc = readFileSync(new URL('../../docs/verification.md', import.meta.url), 'utf8')
const example: Example = JSON.parse(/```json\n(.*?)```/s.exec(doc)?.[1] ?? '')
const { seed, binding, hash, profile, position, temperature } = example
const model = { hash, profile } as const
const request = { seed: fromHex(seed, 32), binding: fromHex(binding, 32), temperature, topK: null, topP: null }

describe('the example of docs/verification.md', () => {
  test('its key, cell, noise and scores are those of the sampler', () => {
    const key = samplerSeed({ ...request, model })
    expect(key.toString('hex')).toBe(example.key)
    const noise = openNoise({ seed: key, profile })
    expect(noise.cellOf(Math.max(...example.logits), position).cell).toBe(example.cell)
    const values = [...noise.outputs(position, example.cell, example.logits.length)].map(gumbelOf)
    for (const [id, value] of values.entries()) {
      expect(value).toBeCloseTo(example.noise[id] ?? Number.NaN, 5)
      expect((example.logits[id] ?? 0) / temperature + value).toBeCloseTo(example.scores[id] ?? Number.NaN, 5)
    }
  })

  test('its token is drawn, and the other has the margin that it says', () => {
    const draws = createDraws({ request, model })
    const logits = Float32Array.from(example.logits)
    expect(draws.choose(logits, position)).toBe(example.token)
    expect(draws.margin({ logits, position, token: 1, tolerance: 0 })).toBeCloseTo(example.marginOfToken1, 5)
  })

  test('its residues are those of its hidden states', () => {
    const rows = Float32Array.from(example.hidden.flat())
    const residues = openResidues({ binding: request.binding, model, tokens: example.tokens }, rows.length / 2)
    expect(Buffer.from(residues.prove(0, rows)).toString('hex')).toBe(example.residues)
  })
})

describe('the numbers of docs/verification.md', () => {
  test('widths, steps and floors are those of the code', () => {
    expect(CELL_WIDTH).toEqual({ fp32: 1 / 32, fp16: 1 / 8, int8: 1 })
    expect(doc).toContain('width: 1/32 for fp32, 1/8 for fp16, 1 for int8')
    expect(RESIDUE_STEP).toEqual({ fp32: 1 / 1024, fp16: 1 / 64, int8: 1 / 16 })
    expect(doc).toContain('step: 1/1024, 1/64, 1/16')
    expect(Object.values(FLOORS.fp32)).toEqual([0.05, 2, 0.1, 1e-5, 1e-3, 0.01])
    expect(doc).toContain('| fp32 | 0.05 | 2 | 0.1 | 10⁻⁵ | 10⁻³ | 1 % |')
    expect(Object.values(FLOORS.fp16)).toEqual([0.1, 4, 0.3, 2e-4, 8e-3, 0.03])
    expect(doc).toContain('| fp16 | 0.1 | 4 | 0.3 | 2·10⁻⁴ | 8·10⁻³ | 3 % |')
    expect(mismatchesAllowed(48, 0.01)).toBe(9)
    expect(doc).toContain('9 of 48 at 1 %')
  })
})
