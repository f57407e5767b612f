import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTrainer } from '../src/train/trainer.ts'
import type { Trainer } from '../src/train/types.ts'

const models = fileURLToPath(new URL('../../models', import.meta.url))
const of = { folder: join(models, 'arbor-tiny-train'), model: join(models, 'arbor-tiny'), batch: 2, length: 16 }
const tokens = Uint16Array.from({ length: 34 }, (_, index) => (index * 7919) % 1024)
const windows = { tokens, starts: [0, 17] }

/** Where a device is found (a GPU, or software Vulkan of Mesa 23.1 or later). */
const gpu: Trainer | null = await openTrainer({ ...of, providers: ['webgpu'] }).catch((error) => {
  if (error.code !== 'ENGINE_NO_PROVIDER') throw error
  return null
})

describe.skipIf(gpu === null)('step graphs on WebGPU', () => {
  let cpu: Trainer
  beforeAll(async () => {
    cpu = await openTrainer(of)
  })
  afterAll(() => Promise.all([cpu.close(), gpu?.close()]))

  test('give the gradients of the CPU', async () => {
    const params = cpu.initial()
    const expected = new Float32Array(params.length)
    const into = new Float32Array(params.length)
    const loss = await cpu.gradient({ params, windows, into: expected })
    expect(await gpu?.gradient({ params, windows, into })).toBeCloseTo(loss, 4)
    const most = expected.reduce((norm, value) => Math.max(norm, Math.abs(value)), 0)
    const apart = expected.reduce((worst, value, index) => Math.max(worst, Math.abs(value - (into[index] ?? 0))), 0)
    expect(apart / most).toBeLessThan(1e-4)
  })
})
