import { existsSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDecoder } from '../src/decoder.ts'
import { readModelFolder } from '../src/folder.ts'
import { openSession } from '../src/session.ts'
import { exportParams } from '../src/train/export-params.ts'
import { openTrainer } from '../src/train/trainer.ts'

const models = fileURLToPath(new URL('../../models', import.meta.url))
const model = join(models, 'arbor-tiny')
const shape = { batch: 1, length: 24 }
const tokens = Uint16Array.from({ length: 25 }, (_, index) => (index * 7919) % 1024)
const windows = [{ tokens, starts: [0] }]

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'arbor-export-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Mean loss by the decoder that serves: nothing of training's graphs. */
const served = async (folder: string): Promise<number> => {
  const { graph } = await readModelFolder({ folder })
  const { session } = await openSession({ graph, providers: ['cpu'], threads: 1 })
  const decoder = openDecoder(session)
  const { logits, vocabulary } = await decoder.prefill([...tokens.subarray(0, shape.length)])
  await session.release()
  let loss = 0
  for (let row = 0; row < shape.length; row += 1) {
    const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary)
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0)
    loss += Math.log(sum) - (scores[tokens[row + 1] ?? 0] ?? 0)
  }
  return loss / shape.length
}

test.each(['arbor-tiny-train', 'arbor-tiny-lora'])('a model exported from %s serves what was trained', async (kind) => {
  const folder = join(models, kind)
  const trainer = await openTrainer({ folder, model, ...shape })
  const into = new Float32Array(trainer.layout.size)
  const params = trainer.initial().map((value, index) => value + 0.02 * Math.sin(index))
  const before = await trainer.loss({ params: trainer.initial(), windows })
  const expected = await trainer.gradient({ params, windows: windows[0] ?? { tokens, starts: [] }, into })
  await trainer.close()
  expect(await served(model)).toBeCloseTo(before, 4)
  expect(Math.abs(expected - before)).toBeGreaterThan(0.01)

  const out = join(root, kind, 'mine')
  const made = await exportParams({ model, folder, params, out, name: 'mine', origin: 'a test' })
  expect(await served(out)).toBeCloseTo(expected, 4)
  expect((await readModelFolder({ folder: out })).id).toEqual({ name: 'mine', hash: made.hash, profile: 'fp32' })
  expect(await readdir(join(root, kind))).toEqual(['mine', 'mine-train'])

  const again = await openTrainer({ folder: made.trainingFolder, model: out, ...shape })
  expect(await again.loss({ params: again.initial(), windows })).toBeCloseTo(expected, 4)
  await again.close()
})

test('an export leaves nothing where it is refused', async () => {
  const folder = join(models, 'arbor-tiny-train')
  const out = join(root, 'refused')
  const make = (params: Float32Array, to = out) =>
    exportParams({ model, folder, params, out: to, name: 'mine', origin: '' })
  await expect(make(new Float32Array(1))).rejects.toMatchObject({ code: 'TRAIN_SIZE_INVALID' })
  await expect(make(new Float32Array(295_392).fill(Number.NaN))).rejects.toMatchObject({ code: 'TRAIN_NOT_FINITE' })
  expect(existsSync(out)).toBe(false)
  await cp(folder, join(root, 'taken'), { recursive: true })
  await expect(make(new Float32Array(295_392), join(root, 'taken'))).rejects.toMatchObject({
    code: 'TRAIN_EXPORT_EXISTS',
  })
})
