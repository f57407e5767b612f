import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blobName } from '@arbor/shared/blob'
import { bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import { afterAll, describe, expect, test } from 'vitest'
import { stepAdamW } from '../src/train/adamw.ts'
import { readTrainingFolder, trainingFolderOf } from '../src/train/folder.ts'
import { trainLocally, zeroMoments } from '../src/train/local.ts'
import { openTrainer } from '../src/train/trainer.ts'
import type { LocalState, Trainer, Windows } from '../src/train/types.ts'

interface Run {
  readonly model: string
  readonly folder: string
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  readonly stride: number
  readonly after: readonly number[]
  readonly vocabulary: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const vectors = JSON.parse(readFileSync(join(root, 'test/vectors/training/steps.json'), 'utf8'))
const { batch, length, stream } = vectors as { batch: number; length: number; stream: number }
const adamw = vectors.terms
const terms = { steps: 8, batch, length, accumulate: 1, adamw }
const model = join(root, 'models/arbor-tiny')
const tokensFor = (vocabulary: number): Uint16Array =>
  Uint16Array.from({ length: stream }, (_, index) => (index * 7919 + Math.floor(index / 8)) % vocabulary)
const tokens = tokensFor(1024)
const startsOf = (pass: number): number[] =>
  Array.from({ length: batch }, (_, row) => (row * 100 + pass * 37) % (stream - length - 1))
const windowsOf = (pass: number): Windows => ({ tokens, starts: startsOf(pass) })
const { signal } = new AbortController()

const trainers = new Map<string, Promise<Trainer>>()
const trainerOf = (folder: string, of = model): Promise<Trainer> => {
  const opened = trainers.get(folder) ?? openTrainer({ folder: join(root, folder), model: of, batch, length })
  trainers.set(folder, opened)
  return opened
}
const folders: string[] = []
afterAll(async () => {
  for (const opened of trainers.values()) await (await opened).close()
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

const start = (trainer: Trainer) => ({ step: 0, params: trainer.initial(), moments: zeroMoments(trainer.layout.size) })
const bitsOf = (values: Float32Array): string => blobName(floatsToBytes(values))
const stateBits = ({ step, params, moments }: LocalState): unknown[] => [
  ...[step, moments.steps, bitsOf(params), bitsOf(moments.first), bitsOf(moments.second)],
]
const worst = (found: ArrayLike<number>, expected: readonly number[]): number =>
  expected.reduce((most, value, index) => Math.max(most, Math.abs(value - (found[index] ?? Number.NaN))), 0)

test('AdamW takes the steps that torch takes, clipped gradients among them', () => {
  const params = Float32Array.from(vectors.short.start)
  let moments = zeroMoments(params.length)
  for (const [index, gradient] of vectors.short.gradients.entries()) {
    moments = stepAdamW({ terms: adamw, params, gradient: Float32Array.from(gradient), moments })
    expect(worst(params, vectors.short.after[index])).toBeLessThan(5e-7)
  }
  expect(moments.steps).toBe(8)
})

test('AdamW refuses a gradient that is not finite and changes nothing', () => {
  const params = Float32Array.of(1, 2)
  const moments = zeroMoments(2)
  const gradient = Float32Array.of(1, Number.NaN)
  expect(() => stepAdamW({ terms: adamw, params, gradient, moments })).toThrow(/norm at step 1 is not finite/)
  expect([...params, ...moments.first, ...moments.second]).toEqual([1, 2, 0, 0, 0, 0])
})

describe.each(vectors.runs as readonly Run[])('step graphs of $folder', (run) => {
  const { folder, losses, norms, stride, after } = run
  const stretch = tokensFor(run.vocabulary)
  const windowsOf = (pass: number): Windows => ({ tokens: stretch, starts: startsOf(pass) })
  const open = (): Promise<Trainer> => trainerOf(folder, join(root, run.model))

  test('give the gradients of torch', async () => {
    const trainer = await open()
    const gradient = new Float32Array(trainer.layout.size).fill(7)
    const params = trainer.initial()
    const loss = await trainer.gradient({ params, windows: windowsOf(0), into: gradient })
    expect(loss).toBeCloseTo(losses[0] ?? 0, 5)
    const found = trainer.layout.tensors.map(({ offset, length: count }) =>
      Math.sqrt(gradient.subarray(offset, offset + count).reduce((sum, value) => sum + value * value, 0)),
    )
    const relative = found.map((value, index) => value / (1 + (norms[index] ?? 0)))
    expect(
      worst(
        relative,
        norms.map((value) => value / (1 + value)),
      ),
    ).toBeLessThan(1e-5)
    expect(bitsOf(params)).toBe(bitsOf(trainer.initial()))
  })

  test('lead with AdamW in eight steps to where torch gets', async () => {
    const trainer = await open()
    const seen: number[] = []
    const onStep = (of: { readonly loss: number }): void => void seen.push(of.loss)
    const end = await trainLocally({ trainer, terms, start: start(trainer), to: 8, windowsOf, onStep, signal })
    expect(worst(seen, losses)).toBeLessThan(2e-5)
    expect(
      worst(
        end.params.filter((_, index) => index % stride === 0),
        after,
      ),
    ).toBeLessThan(1e-5)
  })
})

test('a trainer measures the loss that its gradient is of', async () => {
  const trainer = await trainerOf('models/arbor-tiny-train')
  const params = trainer.initial()
  const into = new Float32Array(params.length)
  const both = [windowsOf(0), windowsOf(1)]
  const each = [] as number[]
  for (const windows of both) each.push(await trainer.gradient({ params, windows, into }))
  expect(await trainer.loss({ params, windows: both })).toBeCloseTo(((each[0] ?? 0) + (each[1] ?? 0)) / 2, 6)
})

test('training in two stretches gives the bits of one', async () => {
  const trainer = await trainerOf('models/arbor-tiny-train')
  const whole = await trainLocally({ trainer, terms, start: start(trainer), to: 4, windowsOf, signal })
  const half = await trainLocally({ trainer, terms, start: start(trainer), to: 2, windowsOf, signal })
  const saved = (values: Float32Array): Float32Array => bytesToFloats(floatsToBytes(values))
  const { first, second, steps } = half.moments
  const state = { step: 2, params: saved(half.params), moments: { first: saved(first), second: saved(second), steps } }
  const again = await trainLocally({ trainer, terms, start: state, to: 4, windowsOf, signal })
  expect(stateBits(again)).toEqual(stateBits(whole))
})

test('two threads give the bits of one', async () => {
  const one = await trainerOf('models/arbor-tiny-train')
  const folder = join(root, 'models/arbor-tiny-train')
  const two = await openTrainer({ folder, model, batch, length, threads: 2 })
  const bits = async (trainer: Trainer): Promise<string> => {
    const into = new Float32Array(trainer.layout.size)
    await trainer.gradient({ params: trainer.initial(), windows: windowsOf(0), into })
    return bitsOf(into)
  }
  expect(await bits(two)).toBe(await bits(one))
  await two.close()
})

test('a step of mixed precision gives the loss and nearly the gradient of fp32', async () => {
  const exact = await trainerOf('models/arbor-tiny-train')
  const mixed = await openTrainer({ folder: trainingFolderOf(model), model, batch, length, precision: 'mixed' })
  const into = [exact, mixed].map(({ layout }) => new Float32Array(layout.size)) as [Float32Array, Float32Array]
  const of = { params: exact.initial(), windows: windowsOf(0) }
  const loss = await exact.gradient({ ...of, into: into[0] })
  expect(Math.abs((await mixed.gradient({ ...of, into: into[1] })) - loss)).toBeLessThan(0.01)
  expect(worst(into[1], [...into[0]])).toBeLessThan(0.01)
  await mixed.close()
})

test('accumulated passes give the gradient of one pass over all their windows', async () => {
  const trainer = await trainerOf('models/arbor-tiny-train')
  const folder = join(root, 'models/arbor-tiny-train')
  const wide = await openTrainer({ folder, model, batch: batch * 2, length })
  const joined = (): Windows => ({ tokens, starts: [...windowsOf(0).starts, ...windowsOf(1).starts] })
  const options = { start: start(trainer), to: 1, signal }
  const one = await trainLocally({
    ...options,
    trainer: wide,
    terms: { ...terms, batch: batch * 2 },
    windowsOf: joined,
  })
  const two = await trainLocally({ ...options, trainer, terms: { ...terms, accumulate: 2 }, windowsOf })
  await wide.close()
  expect(worst(two.moments.first, [...one.moments.first])).toBeLessThan(1e-6)
})

test('training stops between two passes when its signal aborts', async () => {
  const trainer = await trainerOf('models/arbor-tiny-train')
  const stop = new AbortController()
  const onStep = (): void => stop.abort(new Error('enough'))
  const options = { trainer, terms, start: start(trainer), to: 8, windowsOf, onStep, signal: stop.signal }
  await expect(trainLocally(options)).rejects.toThrow('enough')
})

describe('a trainer refuses', () => {
  const trainer = trainerOf('models/arbor-tiny-train')
  const measure = async (params: Float32Array, windows: Windows): Promise<number> =>
    (await trainer).loss({ params, windows: [windows] })

  test('parameters of another model', async () => {
    await expect(measure(new Float32Array(3), windowsOf(0))).rejects.toMatchObject({ code: 'TRAIN_SIZE_INVALID' })
  })

  test('parameters that lead to no number', async () => {
    const params = (await trainer).initial().fill(Number.NaN, 0, 100_000)
    await expect(measure(params, windowsOf(0))).rejects.toMatchObject({ code: 'TRAIN_NOT_FINITE' })
  })

  test.each([
    ['too few windows', { tokens, starts: [0] }],
    ['a window past the end', { tokens, starts: [0, 0, 0, stream - length] }],
    ['a window that starts nowhere', { tokens, starts: [0, 0, 0, Number.NaN] }],
    ['a token that it does not know', { tokens: new Uint16Array(stream).fill(1024), starts: [0, 0, 0, 0] }],
  ])('%s', async (_, windows) => {
    await expect(measure((await trainer).initial(), windows)).rejects.toMatchObject({ code: 'TRAIN_WINDOW_INVALID' })
  })
})

describe('a training folder is refused', () => {
  const folder = trainingFolderOf(model)
  const copy = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), 'arbor-train-'))
    folders.push(made)
    await cp(folder, made, { recursive: true })
    return made
  }
  const card = JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8'))

  test('when a graph was changed', async () => {
    const made = await copy()
    await writeFile(join(made, 'step.onnx'), 'other')
    await expect(readTrainingFolder({ folder: made, model })).rejects.toMatchObject({ code: 'TRAIN_FOLDER_INVALID' })
  })

  test('when its card is none', async () => {
    await expect(readTrainingFolder({ folder: tmpdir(), model })).rejects.toMatchObject({
      code: 'TRAIN_FOLDER_INVALID',
    })
  })

  test('when it belongs to another model', async () => {
    const other = join(root, 'models/arbor-2m')
    await expect(readTrainingFolder({ folder, model: other })).rejects.toMatchObject({ code: 'TRAIN_MODEL_MISMATCH' })
  })

  test('when mixed precision is asked for and it has none', async () => {
    const made = await copy()
    const graphs = { step: card.graphs.step, loss: card.graphs.loss }
    await writeFile(join(made, 'training.json'), JSON.stringify({ ...card, graphs }))
    const opening = openTrainer({ folder: made, model, batch, length, precision: 'mixed' })
    await expect(opening).rejects.toMatchObject({ code: 'TRAIN_FOLDER_INVALID' })
  })

  test.each([
    ['is missing', { initializer: 'nothing' }],
    ['has another shape', { shape: [2, 2] }],
  ])('when a tensor %s', async (_, change) => {
    const made = await copy()
    const tensors = card.tensors.map((each: object, index: number) => (index === 2 ? { ...each, ...change } : each))
    await writeFile(join(made, 'training.json'), JSON.stringify({ ...card, tensors }))
    const opening = openTrainer({ folder: made, model, batch, length })
    await expect(opening).rejects.toMatchObject({ code: 'TRAIN_TENSOR_UNFIT' })
  })

  test.each([
    ['batch', { batch: 0, length }],
    ['length', { batch, length: 513 }],
  ])('with a %s that the graph does not take', async (_, shape) => {
    await expect(openTrainer({ folder, model, ...shape })).rejects.toMatchObject({ code: 'TRAIN_BATCH_INVALID' })
  })
})
