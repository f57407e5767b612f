import { createHash } from 'node:crypto'
import { canonicalJson } from '@arbor/shared/canonical-json'
import { describe, expect, test } from 'vitest'
import { findThresholds, parseThresholds, type Thresholds, thresholdsHash } from '../src/thresholds.ts'

const sample = { name: 'honest', answers: 48, tokens: 2_304, refused: 0, interval: [0, 0.074] } as const
const residue: Thresholds = {
  profile: 'fp32',
  provider: 'cpu',
  proof: 'residue',
  residueError: 0.05,
  exponentMismatches: null,
  mantissaError: null,
  marginMean: 1e-5,
  marginMax: 1e-3,
  mismatchRate: 0.01,
  calibration: {
    variations: ['1 thread'],
    honest: sample,
    worst: {
      residueError: 0,
      exponentMismatches: null,
      mantissaError: null,
      marginMean: 0,
      marginMax: 0,
      mismatchRate: 0,
    },
    copies: [{ ...sample, name: 'int8', refused: 48, interval: [0.926, 1] }],
  },
}

describe('thresholds', () => {
  test('are read back as they were written', () => {
    expect(parseThresholds(JSON.parse(JSON.stringify([residue])))).toEqual([residue])
  })

  test.each<[string, unknown]>([
    ['a list', {}],
    ['residueError', [{ ...residue, residueError: null }]],
    ['residueError', [{ ...residue, residueError: -1 }]],
    ['mantissaError', [{ ...residue, mantissaError: 0.1 }]],
    ['marginMax', [{ ...residue, marginMax: Number.POSITIVE_INFINITY }]],
    ['marginMaks', [{ ...residue, marginMaks: 1 }]],
    ['proof', [{ ...residue, proof: 'zk' }]],
    ['provider', [{ ...residue, provider: 'tpu' }]],
    ['profile', [{ ...residue, profile: 'bf16' }]],
    ['calibration', [{ ...residue, calibration: undefined }]],
    ['interval', [{ ...residue, calibration: { ...residue.calibration, honest: { ...sample, interval: [0] } } }]],
    ['fp32 cpu residue', [residue, residue]],
  ])('are refused with the field %s', (field, json) => {
    expect(() => parseThresholds(json)).toThrowError(
      expect.objectContaining({ code: 'MODEL_CARD_INVALID', message: expect.stringContaining(field) }),
    )
  })

  test('are found by profile, provider and proof, and by nothing less', () => {
    const of = { profile: 'fp32', provider: 'cpu', proof: 'residue' } as const
    expect(findThresholds([residue], of)).toBe(residue)
    expect(findThresholds([residue], { ...of, provider: 'cuda' })).toBeUndefined()
    expect(findThresholds([residue], { ...of, profile: 'fp16' })).toBeUndefined()
    expect(findThresholds([residue], { ...of, proof: 'toploc' })).toBeUndefined()
  })

  test('have one hash, whatever the order of their fields, and another for any other limit', () => {
    const { profile, ...rest } = residue
    expect(thresholdsHash([{ ...rest, profile }])).toBe(thresholdsHash([residue]))
    expect(thresholdsHash([{ ...residue, marginMax: 1.1e-3 }])).not.toBe(thresholdsHash([residue]))
    const text = '{"a":[1,null,"é"],"b":{"c":1e-7,"d":true}}'
    expect(canonicalJson({ b: { d: true, c: 1e-7 }, a: [1, null, 'é'] })).toBe(text)
    expect(thresholdsHash([])).toBe(`0x${createHash('sha256').update('[]').digest('hex')}`)
  })
})
