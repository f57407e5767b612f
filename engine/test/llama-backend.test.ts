import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadLibrary } from '../src/backends/llama/library.ts'
import { openLlamaBackend } from '../src/backends/llama/open.ts'
import { openBackend } from '../src/backends/open.ts'
import type { Backend, LlamaBackendOptions } from '../src/backends/types.ts'
import { engineOf, type OpenedEngine, type OpenedModel, openModel } from '../src/open.ts'
import { createLlamaLibrary, type LlamaHabits } from './support/llama-library.ts'
import { request, seedOf, TINY } from './support/models.ts'

const WEIGHTS = fileURLToPath(import.meta.url) // any file: what stands for the library reads none

let model: OpenedModel
let engine: OpenedEngine
const opened: Backend[] = []

beforeAll(async () => {
  model = await openModel({ folder: TINY })
  engine = await engineOf(model)
})
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})
afterAll(() => engine.close())

const open = async (habits: LlamaHabits, change: Partial<LlamaBackendOptions> = {}) => {
  const { library, trace } = createLlamaLibrary(model, habits)
  const at = { kind: 'llama', folder: TINY, gguf: WEIGHTS, ...change } as const
  const backend = await openLlamaBackend(at, { load: async () => library })
  opened.push(backend)
  return { backend, trace }
}

test.each([
  ['at a temperature', {}],
  ['greedily', { temperature: 0 }],
  ['among the likeliest tokens', { topK: 20, topP: 0.9 }],
  ['with a proof of TOPLOC', { proof: 'toploc' }],
  ['without a proof', { proof: 'none', temperature: 0 }],
  ['to a stop text', { stop: ['the'] }],
] as const)('an answer by its logits %s is that of our own sessions, and believed', async (_how, change) => {
  const { backend } = await open({ hidden: true })
  const asked = request({ ...change, binding: seedOf(9) })
  const pieces: string[] = []
  const answer = await backend.generate(asked, { onToken: (_token, text) => pieces.push(text) })
  expect(pieces.join('')).toBe(answer.text)
  expect(answer.tokens).toEqual((await engine.generate(asked)).tokens)
  const verdict = await engine.check(asked, answer)
  expect(verdict.reason).toBe('ok')
})

test('answers at once have a context each, so that their hidden states are their own', async () => {
  const { backend, trace } = await open({ hidden: true }, { batch: 3 })
  expect(trace.sequences).toEqual([1, 1, 1])
  const asked = [1, 2, 3, 4, 5].map((byte) => request({ seed: seedOf(byte), binding: seedOf(byte + 1), maxTokens: 33 }))
  const answers = asked.map((each) => backend.generate(each))
  expect(backend.stats()).toMatchObject({ running: 3, waiting: 2 })
  for (const [index, each] of asked.entries()) {
    expect((await engine.check(each, (await answers[index]) ?? Object.create(null))).reason).toBe('ok')
  }
  await backend.close()
  expect(trace.disposed).toBe(3 + 2)
  expect(backend.stats()).toMatchObject({ running: 0, waiting: 0, answered: 5, failed: 0, tokens: 165 })
})

test('a library that shows no hidden states shares one context, and gives no proofs', async () => {
  const { backend, trace } = await open({ hidden: false }, { batch: 2 })
  expect(trace.sequences).toEqual([1, 2])
  expect(backend.proofs).toEqual(['none'])
  await expect(backend.generate(request())).rejects.toMatchObject({ code: 'ENGINE_BACKEND_HIDDEN' })
  const asked = [3, 4].map((byte) => request({ proof: 'none', temperature: 0, prompt: 'x'.repeat(byte) }))
  const answers = await Promise.all(asked.map((each) => backend.generate(each)))
  for (const [index, each] of asked.entries()) {
    expect(answers[index]?.tokens).toEqual((await engine.generate(each)).tokens)
  }
})

test('a caller who gives up ends the answer at a token, and its place serves the next', async () => {
  const { backend } = await open({ hidden: true })
  const stop = new AbortController()
  let tokens = 0
  const onToken = (): void => {
    tokens += 1
    if (tokens === 5) stop.abort()
  }
  await expect(backend.generate(request(), { signal: stop.signal, onToken })).rejects.toMatchObject({
    code: 'ENGINE_ABORTED',
  })
  expect(tokens).toBe(5)
  expect((await engine.check(request(), await backend.generate(request()))).reason).toBe('ok')
})

test('a closed backend ends its answers and gives none', async () => {
  const { backend } = await open({ hidden: true })
  const late = backend.generate(request({ maxTokens: 400 }))
  const closing = backend.close()
  await expect(late).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  await closing
  await expect(backend.generate(request())).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
})

describe('opening refuses', () => {
  test.each([
    ['weights with another vocabulary', { extra: 1 }, 'ENGINE_BACKEND_MODEL', 3],
    ['weights that do not load', { broken: true }, 'ENGINE_BACKEND_OPTION', 1],
    ['a library without a binary', { absent: true }, 'ENGINE_BACKEND_MISSING', 0],
    ['more answers at once than fit', { room: 2 }, 'ENGINE_BACKEND_OPTION', 4],
  ] as const)('%s, and leaves nothing open', async (_what, habits, code, disposed) => {
    const { library, trace } = createLlamaLibrary(model, { hidden: true, ...habits })
    const at = { kind: 'llama', folder: TINY, gguf: WEIGHTS, batch: 3 } as const
    await expect(openLlamaBackend(at, { load: async () => library })).rejects.toMatchObject({ code })
    expect(trace.disposed).toBe(disposed)
  })

  test('a device that is not there, where it would compute on the processor', async () => {
    await expect(open({ hidden: true }, { gpu: 'vulkan' })).rejects.toMatchObject({ code: 'ENGINE_BACKEND_OPTION' })
  })

  test('weights of another tokenizer', async () => {
    const other = { ...model, tokenizer: { ...model.tokenizer, encode: () => [1, 2, 3] } }
    const { library } = createLlamaLibrary(other, { hidden: true })
    const opening = openLlamaBackend({ kind: 'llama', folder: TINY, gguf: WEIGHTS }, { load: async () => library })
    await expect(opening).rejects.toMatchObject({ code: 'ENGINE_BACKEND_MODEL' })
  })

  test('weights that are not there', async () => {
    const opening = openBackend({ kind: 'llama', folder: TINY, gguf: '/nowhere.gguf' })
    await expect(opening).rejects.toMatchObject({ code: 'ENGINE_BACKEND_OPTION' })
  })
})

test('a request beyond its context is refused before it runs', async () => {
  const { backend } = await open({ hidden: true }, { contextTokens: 32 })
  await expect(backend.generate(request())).rejects.toMatchObject({ code: 'ENGINE_PROMPT_TOO_LONG' })
})

const installed = await loadLibrary(process.cwd()).then(
  () => true,
  () => false,
)

test.skipIf(installed)('without node-llama-cpp the refusal says what to install', async () => {
  await expect(openBackend({ kind: 'llama', folder: TINY, gguf: WEIGHTS })).rejects.toMatchObject({
    code: 'ENGINE_BACKEND_MISSING',
    message: expect.stringContaining('npm install node-llama-cpp@3.22.1'),
  })
})

/**
 * With the package itself: npm install --no-save node-llama-cpp@3.22.1, `arbor model add --recipe smollm2`, and the same weights as
 * GGUF in F32 at .arbor/models/smollm2.gguf.
 */
const FOLDER = '.arbor/models/smollm2'
const GGUF = '.arbor/models/smollm2.gguf'
test.runIf(installed && existsSync(FOLDER) && existsSync(GGUF))(
  'a real model in GGUF is believed where its weights are the same',
  { timeout: 300_000 },
  async () => {
    const backend = await openBackend({ kind: 'llama', folder: FOLDER, gguf: GGUF, from: process.cwd() })
    opened.push(backend)
    const validator = await engineOf(await openModel({ folder: FOLDER }))
    for (const byte of [1, 2, 3]) {
      const asked = request({ prompt: [{ role: 'user', content: 'What is a tree?' }], seed: seedOf(byte) })
      expect((await validator.check(asked, await backend.generate(asked))).reason).toBe('ok')
    }
    await validator.close()
  },
)
