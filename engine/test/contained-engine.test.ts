import type { GenerateRequest, Generation } from '@arbor/shared/inference'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startContained } from '../src/contained/start.ts'
import type { Contained } from '../src/contained/types.ts'
import { openEngine } from '../src/open.ts'
import { request, seedOf, TINY } from './support/models.ts'

let contained: Contained<GenerateRequest, Generation, string>
let warnings: string[]

beforeEach(() => {
  warnings = []
  contained = startContained({
    worker: new URL('./workers/generate.ts', import.meta.url),
    workerData: { folder: TINY },
    threads: 2,
    maxQueue: 8,
    log: { info: () => undefined, warn: (_, message) => warnings.push(message) },
    signal: new AbortController().signal,
  })
})
afterEach(() => contained.close())

describe('contained engine', () => {
  test('answers equal those of this process when two workers share the jobs', async () => {
    const requests = Array.from({ length: 6 }, (_, byte) => request({ seed: seedOf(byte) }))
    const answers = await Promise.all(requests.map((each) => contained.run(each)))
    const engine = await openEngine({ folder: TINY })
    for (const [index, each] of requests.entries()) expect(answers[index]).toEqual(await engine.generate(each))
    await engine.close()
  })

  test('streamed text joins to the answer when it crosses both boundaries', async () => {
    const pieces: string[] = []
    const { text } = await contained.run(request(), { onProgress: (piece) => pieces.push(piece) })
    expect(pieces.join('')).toBe(text)
    expect(pieces).toHaveLength(40)
  })

  test('answers of one thread share a batch and are believed when it runs several jobs', async () => {
    const batched = startContained<GenerateRequest, Generation, string>({
      worker: new URL('./workers/generate.ts', import.meta.url),
      workerData: { folder: TINY, batch: 4 },
      threads: 1,
      jobsPerThread: 4,
      maxQueue: 8,
      log: { info: () => undefined, warn: (_, message) => warnings.push(message) },
      signal: new AbortController().signal,
    })
    const giveUp = new AbortController()
    const requests = Array.from({ length: 8 }, (_, byte) => request({ seed: seedOf(byte), maxTokens: 20 + byte }))
    const answers = requests.map((each) => batched.run(each))
    const lost = batched.run(request({ maxTokens: 400 }), { signal: giveUp.signal, onProgress: () => giveUp.abort() })
    await expect(lost).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    const engine = await openEngine({ folder: TINY })
    for (const [index, each] of requests.entries()) {
      const answer = await answers[index]
      if (answer === undefined) throw new Error('an answer is missing')
      expect(answer.tokens).toEqual((await engine.generate(each)).tokens)
      expect((await engine.check(each, answer)).reason).toBe('ok')
    }
    await engine.close()
    await batched.close()
    expect(warnings).toEqual([])
  })

  test('a typed error of the engine arrives when a request is too long', async () => {
    await expect(contained.run(request({ maxTokens: 512 }))).rejects.toMatchObject({
      code: 'ENGINE_PROMPT_TOO_LONG',
      details: { context: 512 },
    })
  })

  test('the process ends without a crash when it is closed while an aborted inference still computes', async () => {
    const controller = new AbortController()
    const started = Promise.withResolvers<void>()
    const long = contained.run(request({ maxTokens: 400 }), {
      signal: controller.signal,
      onProgress: () => started.resolve(),
    })
    await Promise.race([started.promise, long])
    controller.abort()
    await expect(long).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    await contained.close()
    expect(contained.stats()).toMatchObject({ state: 'closed', crashes: 0 })
    expect(warnings).toEqual([])
  })
})
