import type { Hex } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { defineTraining, rewardOfRating } from '../finetune/define-training.ts'
import { faultOfTraining } from '../finetune/fault-of-training.ts'
import { pieceTask } from '../finetune/piece-task.ts'
import { replayDistance } from '../finetune/replay-distance.ts'
import { FINETUNE_TERMS } from '../finetune/terms.ts'
import type { TrainingTerms } from '../finetune/types.ts'
import { loadSpec } from '../src/load.ts'

const hash: Hex = `0x${'5a'.repeat(32)}`
const terms: TrainingTerms = { data: { name: 'text', hash }, ...FINETUNE_TERMS }
const { local, gauntlet, rating, phases, limits } = terms
const outer = { learningRate: 0.7, momentum: 0.9 }
const sparse = { kind: 'sparseloco', outer, chunk: 64, k: 8, feedback: 1 } as const
const demo = { kind: 'demo', learningRate: 1e-3, decay: 0.9, chunk: 64, k: 8 } as const

describe('terms of training', () => {
  test.each([
    ['default', {}],
    ['diloco', { optimiser: { kind: 'diloco', outer } }],
    ['demo', { optimiser: demo }],
  ] as const)('are usable as %s', (_, over) => {
    expect(faultOfTraining({ ...terms, ...over })).toBeNull()
  })

  test.each<readonly [string, Partial<TrainingTerms>]>([
    ['data is', { data: { name: 'text', hash: '0x5a' } }],
    ['data is', { data: { name: '', hash } }],
    ['local.steps', { local: { ...local, steps: 0 } }],
    ['local.batch', { local: { ...local, batch: 1.5 } }],
    ['local.length', { local: { ...local, length: Number.NaN } }],
    ['local.accumulate', { local: { ...local, accumulate: 0 } }],
    ['local.adamw.learningRate', { local: { ...local, adamw: { ...local.adamw, learningRate: 0 } } }],
    ['local.adamw.beta2', { local: { ...local, adamw: { ...local.adamw, beta2: 1 } } }],
    ['local.adamw.epsilon', { local: { ...local, adamw: { ...local.adamw, epsilon: 0 } } }],
    ['optimiser.k', { optimiser: { ...sparse, k: 65 } }],
    ['optimiser.feedback', { optimiser: { ...sparse, feedback: 1.1 } }],
    ['optimiser.outer.momentum', { optimiser: { ...sparse, outer: { ...outer, momentum: 1 } } }],
    ['optimiser.decay', { optimiser: { ...demo, decay: 1 } }],
    ['phases', { phases: { publish: 0.5, vote: 0.5 } }],
    ['phases', { phases: { publish: 0.5, vote: 0.97 } }],
    ['phases', { phases: { publish: 0, vote: 0.5 } }],
    ['phases', { phases: { publish: Number.NaN, vote: 0.5 } }],
    ['gauntlet.batches', { gauntlet: { ...gauntlet, batches: 1 } }],
    ['gauntlet.margin', { gauntlet: { ...gauntlet, margin: 1 } }],
    ['gauntlet.copyCosine', { gauntlet: { ...gauntlet, copyCosine: 0 } }],
    ['gauntlet.segments', { gauntlet: { ...gauntlet, segments: local.steps + 1 } }],
    ['gauntlet.replayShare', { gauntlet: { ...gauntlet, replayShare: 1.1 } }],
    ['gauntlet.tolerance', { gauntlet: { ...gauntlet, tolerance: 0 } }],
    ['gauntlet.noise', { gauntlet: { ...gauntlet, noise: -1 } }],
    ['gauntlet.normRange', { gauntlet: { ...gauntlet, normRange: 1 } }],
    ['rating.mu', { rating: { ...rating, mu: 51 } }],
    ['rating.sigma', { rating: { ...rating, sigma: 0 } }],
    ['rating.bar', { rating: { ...rating, bar: 0 } }],
    ['limits.updateBytes', { limits: { ...limits, updateBytes: 0 } }],
    ['limits.checkpointEvery', { limits: { ...limits, checkpointEvery: 0.5 } }],
  ])('are refused where %s', (path, over) => {
    expect(faultOfTraining({ ...terms, ...over })).toContain(path)
    const spec = { name: 'mine', version: 1, model: { name: 'm', hash }, training: { ...terms, ...over } }
    expect(() => defineTraining(spec)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }))
  })

  test('leave room for all phases of the built-in subnets', async () => {
    expect(phases.publish).toBeGreaterThan(0.3)
    for (const name of ['finetune', 'finetune-tiny']) {
      const spec = await loadSpec(name)
      expect(spec).toMatchObject({ name, roundsPerEpoch: 1, model: { name: 'arbor-tiny' } })
      expect(spec.audit?.forfeits).toEqual(['malformed', 'not-finite', 'copy', 'untrained'])
    }
  })
})

test('a rating is paid from above the bar on, in full from there a little further', () => {
  expect([0, 0.3, 0.5, 0.52].map(rewardOfRating)).toEqual([0, 0, 0, 0])
  expect(rewardOfRating(0.68)).toBeCloseTo(0.25)
  expect([0.84, 0.9, 1].map(rewardOfRating)).toEqual([1, 1, 1])
})

describe('the task piece', () => {
  const signal = new AbortController().signal
  const asked = { request: { name: hash, index: 3 }, binding: hash, engine: {} as never, signal }

  test('hands out what the miner serves', async () => {
    const pieces = { piece: async ({ index }: { index: number }) => ({ bytes: `piece ${index}`, proof: [hash] }) }
    const response = await pieceTask.solve({ ...asked, pieces })
    expect(response).toEqual({ bytes: 'piece 3', proof: [hash] })
    expect(pieceTask.response.safeParse(response).success).toBe(true)
  })

  test('is refused where nothing is served', async () => {
    await expect(pieceTask.solve(asked)).rejects.toThrow(expect.objectContaining({ code: 'SPEC_NO_PIECES' }))
  })

  test.each([
    { name: '0x12', index: 0 },
    { name: hash, index: -1 },
    { name: hash, index: 0.5 },
    { name: hash, index: 0, more: 1 },
  ])('refuses the request %o', (request) => {
    expect(pieceTask.request.safeParse(request).success).toBe(false)
  })
})

describe('the distance of a replay', () => {
  const of = (...values: number[]) => Float32Array.from(values)

  test('is a share of the way that was gone, the largest of all parts', () => {
    const near = { start: of(0, 0), claimed: of(3, 4), replayed: of(3, 4.5) }
    expect(replayDistance([near])).toBeCloseTo(0.1)
    expect(replayDistance([near, { start: of(0, 0), claimed: of(0, 1), replayed: of(0, 2) }])).toBeCloseTo(1)
  })

  test('is nothing where nothing differs, and infinite where a claim stood still, has another length or is no number', () => {
    expect(replayDistance([{ start: of(1), claimed: of(1), replayed: of(1) }])).toBe(0)
    expect(replayDistance([{ start: of(1), claimed: of(1), replayed: of(2) }])).toBe(Number.POSITIVE_INFINITY)
    expect(replayDistance([{ start: of(1), claimed: of(1, 2), replayed: of(2) }])).toBe(Number.POSITIVE_INFINITY)
    expect(replayDistance([{ start: of(1), claimed: of(Number.NaN), replayed: of(2) }])).toBe(Number.POSITIVE_INFINITY)
  })
})
