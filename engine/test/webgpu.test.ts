import type { GenerateRequest } from '@arbor/shared/inference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenedEngine, openEngine } from '../src/open.ts'
import { request, seedOf, TINY } from './support/models.ts'

/** Where a device is found (a GPU, or software Vulkan of Mesa 23.1 or later). */
const gpu: OpenedEngine | null = await openEngine({ folder: TINY, providers: ['webgpu'], batch: 3 }).catch((error) => {
  if (error.code !== 'ENGINE_NO_PROVIDER') throw error
  return null
})

describe.skipIf(gpu === null)('engine on WebGPU', () => {
  let cpu: OpenedEngine
  beforeAll(async () => {
    cpu = await openEngine({ folder: TINY })
  })
  afterAll(() => Promise.all([cpu.close(), gpu?.close()]))

  test('answers of a batch whose cache stays on the device are believed when the CPU checks them', async () => {
    const requests: GenerateRequest[] = Array.from({ length: 4 }, (_, index) =>
      request({ prompt: 'Lifetimes and ownership. '.repeat(1 + 3 * index), seed: seedOf(index), maxTokens: 6 + index }),
    )
    const answers = await Promise.all(requests.map((each) => gpu?.generate(each)))
    expect(gpu?.stats()).toMatchObject({ provider: 'webgpu', cache: { place: 'device' }, limits: { rows: 3 } })
    for (const [index, each] of requests.entries()) {
      const answer = answers[index]
      if (answer === undefined) throw new Error('an answer is missing')
      expect((await cpu.check(each, answer)).reason).toBe('ok')
    }
  })
})

describe('execution providers', () => {
  test('the CPU computes and the reasons are told when none before it works', async () => {
    const engine = await openEngine({ folder: TINY, providers: ['cuda', 'cpu'] })
    const { provider, refusedProviders, cache } = engine.stats()
    if (provider === 'cpu') {
      expect(refusedProviders).toMatchObject([{ provider: 'cuda', reason: expect.stringMatching(/./) }])
    }
    expect(cache.place).toBe('host')
    await engine.close()
  })

  test('opening is refused with every reason when no provider works', async () => {
    const opening = openEngine({ folder: TINY, providers: [] })
    await expect(opening).rejects.toMatchObject({ code: 'ENGINE_NO_PROVIDER' })
  })
})
