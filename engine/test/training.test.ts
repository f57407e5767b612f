import { fileURLToPath } from 'node:url'
import { blobName } from '@arbor/shared/blob'
import { floatsToBytes } from '@arbor/shared/floats'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trainingFolderOf } from '../src/train/folder.ts'
import { zeroMoments } from '../src/train/local.ts'
import { openTraining, type Training } from '../src/train/training.ts'
import type { LocalState, Windows } from '../src/train/types.ts'

const model = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
const tokens = Uint16Array.from({ length: 2_000 }, (_, index) => (index * 7919 + Math.floor(index / 8)) % 1024)
const windowsOf = (pass: number): Windows => ({ tokens, starts: [pass * 11, 500 + pass * 7] })
const adamw = { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 }
const shape = { batch: 2, length: 16 }
const terms = { ...shape, steps: 4, accumulate: 2, adamw }
const stop = new AbortController()
const { signal } = stop
const log = { info: () => undefined, warn: () => undefined }

const bitsOf = (state: LocalState | undefined): unknown =>
  state && [
    state.step,
    state.moments.steps,
    ...[state.params, state.moments.first, state.moments.second].map((values) => blobName(floatsToBytes(values))),
  ]

let training: Training
let start: LocalState
beforeAll(async () => {
  training = await openTraining({ folder: trainingFolderOf(model), model, log, signal })
  start = { step: 0, params: await training.initial(signal), moments: zeroMoments(training.layout.size) }
})
afterAll(() => training.close())

test('a training process tells each step and each state asked for, and a replay between two gives the same bits', async () => {
  const steps: number[] = []
  const states: LocalState[] = []
  const end = await training.train({
    ...{ terms, start, to: 4, windowsOf, at: [2, 4], signal },
    onStep: ({ step }) => steps.push(step),
    onState: (state) => states.push(state),
  })
  expect(steps).toEqual([1, 2, 3, 4])
  expect(states.map(({ step }) => step)).toEqual([2, 4])
  expect(bitsOf(states[1])).toEqual(bitsOf(end))
  const [half = start] = states
  const again = await training.train({ terms, start: half, to: 4, windowsOf, signal })
  expect(bitsOf(again)).toEqual(bitsOf(end))
})

test('a training process measures losses, and gradients lead down them', async () => {
  const windows = [windowsOf(0), windowsOf(1)]
  const before = await training.measure({ shape, params: start.params, windows, signal })
  const { gradient, loss } = await training.gradient({
    ...{ shape, params: start.params, first: 0, passes: 2, windowsOf, signal },
  })
  expect(loss).toBeCloseTo(before, 5)
  const params = start.params.map((value, index) => value - 0.01 * (gradient[index] ?? 0))
  expect(await training.measure({ shape, params, windows, signal })).toBeLessThan(before)
})

test('a training process goes on after a job that was aborted between two steps', async () => {
  const enough = new AbortController()
  const long = training.train({
    ...{ terms, start, to: 50, windowsOf, signal: enough.signal },
    onStep: () => enough.abort(),
  })
  await expect(long).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
  const loss = await training.measure({ shape, params: start.params, windows: [windowsOf(0)], signal })
  expect(loss).toBeGreaterThan(0)
  expect(training.stats().crashes).toBe(0)
})

test('a training process refuses parameters that are not finite, and lives', async () => {
  const params = start.params.slice().fill(Number.POSITIVE_INFINITY)
  const measuring = training.measure({ shape, params, windows: [windowsOf(0)], signal })
  await expect(measuring).rejects.toMatchObject({ code: 'TRAIN_NOT_FINITE' })
})

test('a training process does not start on a folder of another model', async () => {
  const other = trainingFolderOf(model.replace('arbor-tiny', 'arbor-2m'))
  const opening = openTraining({ folder: other, model, log, signal })
  await expect(opening).rejects.toMatchObject({ code: 'TRAIN_MODEL_MISMATCH' })
})
