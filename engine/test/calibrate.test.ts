import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Check, GenerateRequest } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { calibrate } from '../src/calibrate/calibrate.ts'
import { FLOORS, floorThresholds } from '../src/calibrate/floors.ts'
import { limitsOf, mustSeparate, type Seen } from '../src/calibrate/limits.ts'
import type { Measured } from '../src/calibrate/measure.ts'
import { calibrationRequests } from '../src/calibrate/requests.ts'
import { parseThresholds } from '../src/thresholds.ts'
import { seedOf, TINY } from './support/models.ts'

const compose = (seed: Hex): string => `The compiler checks ${seed.slice(2, 12)}`
const request: GenerateRequest = { prompt: 'a', maxTokens: 48, temperature: 0.8, seed: seedOf(1) }
const measured = (change: Partial<Check>): Measured => ({
  request,
  tokens: 48,
  provider: 'cpu',
  check: {
    reason: 'ok',
    residueError: 0,
    exponentMismatches: null,
    mantissaError: null,
    marginMean: 0,
    marginMax: 0,
    mismatches: 0,
    prefilled: 60,
    ...change,
  },
})
const seen = (honest: readonly Measured[], int8: readonly Measured[]): Seen => ({
  profile: 'fp32',
  provider: 'cpu',
  proof: 'residue',
  variations: ['alone'],
  honest,
  copies: [{ name: 'int8', measured: int8 }],
})
const caught = measured({ residueError: 20, marginMean: 0.2, marginMax: 3, mismatches: 20 })

describe('limits', () => {
  test('are the floors when honest answers differ by less than a quarter of them', () => {
    const limits = limitsOf(seen([measured({}), measured({ residueError: 0.01, marginMax: 1e-4 })], [caught]))
    expect(limits).toMatchObject({ residueError: 0.05, exponentMismatches: null, marginMax: 1e-3, mismatchRate: 0.01 })
    expect(limits.calibration.worst).toMatchObject({ residueError: 0.01, marginMax: 1e-4 })
    expect(() => mustSeparate(limits, ['int8'])).not.toThrow()
    expect(parseThresholds(JSON.parse(JSON.stringify([limits])))).toEqual([limits])
  })

  test('are four times the worst honest value when that is more, and honest answers pass them', () => {
    const worst = measured({ residueError: 1, marginMean: 1e-4, marginMax: 0.004, mismatches: 2 })
    const limits = limitsOf(seen([worst, measured({})], [caught]))
    expect(limits).toMatchObject({ residueError: 4, marginMean: 4e-4, marginMax: 0.016 })
    expect(limits.mismatchRate).toBeCloseTo((4 * 2) / 96, 12)
    expect(limits.calibration.honest).toMatchObject({ answers: 2, tokens: 96, refused: 0 })
  })

  test('are refused when an answer of the weakest copy would pass', () => {
    const limits = limitsOf(
      seen([measured({ residueError: 10, marginMax: 1, marginMean: 0.1, mismatches: 30 })], [caught]),
    )
    expect(() => mustSeparate(limits, ['int8'])).toThrowError(
      expect.objectContaining({
        code: 'MODEL_NOT_SEPARABLE',
        message: expect.stringContaining('1 of 1 answers of int8 pass'),
      }),
    )
    expect(() => mustSeparate(limits, [])).not.toThrow()
  })

  test('are not made when an honest answer is refused for its form, or there is none', () => {
    const text = measured({ reason: 'text', marginMean: null, marginMax: null, mismatches: null })
    for (const honest of [[measured({}), text], []]) {
      expect(() => limitsOf(seen(honest, [caught]))).toThrowError(
        expect.objectContaining({ code: 'MODEL_CALIBRATION_FAILED' }),
      )
    }
  })
})

describe('calibration requests', () => {
  const of = { kind: 'honest', count: 24, proof: 'residue', compose, chats: true, plain: false } as const

  test('repeat, differ from each other and from those of another kind or proof, and cover every filter', () => {
    const requests = calibrationRequests(of)
    expect(calibrationRequests(of)).toEqual(requests)
    const all = [
      ...requests,
      ...calibrationRequests({ ...of, kind: 'int8' }),
      ...calibrationRequests({ ...of, proof: 'toploc' }),
    ]
    for (const key of ['prompt', 'seed', 'binding'] as const) {
      expect(new Set(all.map((each) => JSON.stringify(each[key]))).size).toBe(72)
    }
    expect(requests.some(({ topK }) => topK !== undefined)).toBe(true)
    expect(requests.some(({ topP }) => topP !== undefined)).toBe(true)
    expect(requests.some(({ temperature }) => temperature === 0)).toBe(true)
    expect(requests.filter(({ prompt }) => typeof prompt !== 'string')).toHaveLength(12)
  })

  test('are greedy without a proof', () => {
    const requests = calibrationRequests({ ...of, proof: 'none' })
    expect(
      requests.every(({ temperature, topK, topP }) => temperature === 0 && topK === undefined && topP === undefined),
    ).toBe(true)
  })
})

describe('calibration', () => {
  let into = ''
  beforeAll(async () => {
    into = await mkdtemp(join(tmpdir(), 'arbor-calibrate-'))
  })
  afterAll(() => rm(into, { recursive: true, force: true }))

  test('of the tiny model refuses no honest answer and every answer of the int8 copy', async () => {
    const lines: string[] = []
    const thresholds = await calibrate({
      folder: TINY,
      answers: 16,
      providers: ['cpu'],
      compose,
      chats: false,
      into,
      signal: new AbortController().signal,
      say: (line) => lines.push(line),
    })
    expect(thresholds.map(({ proof }) => proof)).toEqual(['residue', 'toploc', 'none'])
    for (const { calibration } of thresholds) expect(calibration.honest.refused).toBe(0)
    const [residue] = thresholds
    expect(residue).toMatchObject({ residueError: FLOORS.fp32.residueError, marginMax: FLOORS.fp32.marginMax })
    expect(residue?.calibration.honest).toMatchObject({ answers: 16, refused: 0 })
    const int8 = residue?.calibration.copies.find(({ name }) => name === 'int8, its own proofs')
    expect(int8).toMatchObject({ answers: 4, refused: 4 })
    expect(lines.some((line) => line.includes('batches of up to 16'))).toBe(true)
  }, 120_000)

  test('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('stop'))
    const say = (): void => undefined
    const run = calibrate({ folder: TINY, answers: 16, providers: ['cpu'], compose, chats: false, into, signal, say })
    await expect(run).rejects.toThrow()
  })
})

test('floors cover each proof once and name no limit that it has not', () => {
  expect(
    parseThresholds(JSON.parse(JSON.stringify(floorThresholds({ profile: 'fp16', provider: 'cuda' })))),
  ).toHaveLength(3)
})
