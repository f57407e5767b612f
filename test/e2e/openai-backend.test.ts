import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBackend } from '@arbor/engine/backends/open'
import { openOpenAiBackend } from '@arbor/engine/backends/openai/open'
import type { Backend } from '@arbor/engine/backends/types'
import { readModelFolder } from '@arbor/engine/folder'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { openTokenizer } from '@arbor/engine/tokenizer'
import { type Clock, systemClock } from '@arbor/shared/clock'
import type { GenerateRequest } from '@arbor/shared/inference'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Ms } from '@arbor/shared/units'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Manner,
  type ModelServer,
  type ModelServerOptions,
  openModelServer,
} from '../../engine/test/support/model-server.ts'
import { request, TINY } from '../../engine/test/support/models.ts'

const greedy = (change: Partial<GenerateRequest> = {}): GenerateRequest =>
  request({ temperature: 0, proof: 'none', maxTokens: 24, ...change })

let engine: OpenedEngine
let common: Omit<ModelServerOptions, 'manner'>
let folder: string
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  engine = await openEngine({ folder: TINY })
  const { config, tokenizer } = await readModelFolder({ folder: TINY })
  common = { engine, tokenizer: openTokenizer(tokenizer), start: config.start, end: config.ends[0] ?? -1 }
  folder = await mkdtemp(join(tmpdir(), 'arbor-backend-'))
})
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

const serve = async (manner: Manner, change: Partial<ModelServerOptions> = {}): Promise<ModelServer> => {
  const server = await openModelServer({ ...common, manner, ...change })
  opened.push(server)
  return server
}
/** Waits between two attempts for no time at all. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep((ms < 2_000 ? 0 : ms) as Ms, signal) }
const connect = async (server: Pick<ModelServer, 'url'>, clock: Clock = hasty): Promise<Backend> => {
  const backend = await openOpenAiBackend({ kind: 'openai', folder: TINY, url: server.url }, { clock })
  opened.push(backend)
  return backend
}
const open = async (manner: Manner, change: Partial<ModelServerOptions> = {}) => {
  const server = await serve(manner, change)
  return { server, backend: await connect(server) }
}

const ways: readonly (readonly [Manner, string])[] = [
  ['vllm', 'completions with token ids'],
  ['vllm-old', 'completions with token ids among log probabilities'],
  ['llama.cpp', "llama.cpp's completion"],
  ['sglang', "SGLang's generate"],
  ['sglang-parts', "SGLang's generate"],
  ['tgi', "Text Generation Inference's generate_stream"],
  ['ids', 'completions as text, prompt as ids'],
  ['text', 'completions as text, prompt as text'],
  ['openai', 'completions as text, prompt as ids'],
]

describe.each(ways)('a server like %s', (manner, way) => {
  test('gives the answers that the model itself gives, which its check believes', async () => {
    const { backend } = await open(manner)
    expect(backend.about).toContain(way)
    for (const prompt of ['The borrow checker ensures that', 'fn main() {', 'A `String` — naïve']) {
      const asked = greedy({ prompt })
      const pieces: string[] = []
      const answer = await backend.generate(asked, { onToken: (_token, text) => pieces.push(text) })
      expect(answer).toEqual(await engine.generate(asked))
      expect(pieces.join('')).toBe(answer.text)
      expect((await engine.check(asked, answer)).reason).toBe('ok')
    }
  })

  test('is read in pieces of any size', async () => {
    const { backend } = await open(manner, { pieceBytes: 7 })
    expect(await backend.generate(greedy())).toEqual(await engine.generate(greedy()))
  })

  test('loses no token of a character that several tokens make', async () => {
    const instead = common.tokenizer.encode(
      'It is “naïve” — 木 and 🌳🌲 grow “here”, says Zoë. Über alles — voilà, “naïve”.',
    )
    const { backend } = await open(manner, { instead })
    const answer = await backend.generate(greedy({ maxTokens: instead.length }))
    expect(answer.tokens).toEqual(instead)
    const cutWithin = await backend.generate(greedy({ maxTokens: 28 }))
    if (manner !== 'llama.cpp') expect(cutWithin.tokens).toEqual(instead.slice(0, 28))
  })

  test('is left when a stop text has ended the answer', async () => {
    const { backend, server } = await open(manner, { pieceBytes: 256 })
    const whole = await engine.generate(greedy({ maxTokens: 64 }))
    const stop = [whole.text.slice(20, 24)]
    const asked = greedy({ maxTokens: 64, stop })
    expect(await backend.generate(asked)).toEqual(await engine.generate(asked))
    expect(server.seen.at(-1)?.body).not.toHaveProperty('stop')
  })
})

test('an answer that the end token ends has it, whether the server tells it or not', async () => {
  const prompt = 'The end.\n'
  const long = await engine.generate(greedy({ prompt, maxTokens: 8 }))
  for (const manner of ['vllm', 'llama.cpp', 'openai'] as const) {
    const { backend, server } = await open(manner)
    server.fault = {
      times: 1,
      change: (event, index) => {
        const last = { finish_reason: 'stop', text: '', token_ids: [] }
        if (index < 3) return event
        return manner === 'llama.cpp'
          ? { content: '', tokens: [], stop: true, stop_type: 'eos' }
          : { choices: [{ index: 0, ...last }] }
      },
    }
    const answer = await backend.generate(greedy({ prompt, maxTokens: 8 }))
    expect(answer.finish).toBe('stop')
    expect(answer.tokens).toEqual([...long.tokens.slice(0, 3), common.end])
  }
})

test.each([
  ['a temperature', { temperature: 0.5 }],
  ['a proof of residues', { proof: 'residue' }],
  ['the proof that is the default', { proof: undefined }],
] as const)('a request with %s is refused, and the server is not asked', async (_what, change) => {
  const { backend, server } = await open('vllm')
  const before = server.seen.length
  await expect(backend.generate(greedy(change))).rejects.toMatchObject({
    code: 'ENGINE_BACKEND_GREEDY',
    retryable: false,
  })
  await expect(backend.check(greedy(), await engine.generate(greedy()))).rejects.toMatchObject({
    code: 'ENGINE_BACKEND_NO_CHECK',
  })
  expect(server.seen.length).toBe(before)
})

test.each([
  [429, 'ENGINE_BACKEND_BUSY', true],
  [503, 'ENGINE_BACKEND_BUSY', true],
  [500, 'ENGINE_BACKEND_FAILED', true],
  [400, 'ENGINE_BACKEND_REFUSED', false],
  [401, 'ENGINE_BACKEND_KEY', false],
  [404, 'ENGINE_BACKEND_REFUSED', false],
  [302, 'ENGINE_BACKEND_REFUSED', false],
])('status %i is %s', async (status, code, retryable) => {
  const { backend, server } = await open('vllm')
  const body = JSON.stringify({ error: { message: 'context length is 2048\u001b[2J' } })
  server.fault = { times: 9, status, body }
  const before = server.seen.length
  const failure = await backend.generate(greedy()).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code, retryable })
  expect(String(failure)).not.toContain('\u001b')
  expect(server.seen.length - before).toBe(retryable ? 3 : 1)
})

test('a busy server is asked again, and answers', async () => {
  const { backend, server } = await open('vllm')
  server.fault = { times: 2, status: 503, body: 'loading' }
  expect(await backend.generate(greedy())).toEqual(await engine.generate(greedy()))
  expect(backend.stats()).toMatchObject({ answered: 1, failed: 0, tokens: 24, running: 0, waiting: 0 })
})

test('an answer that breaks off is asked again only while nothing of it was passed on', async () => {
  const { backend, server } = await open('vllm')
  server.fault = { times: 1, cutAfter: 0 }
  expect(await backend.generate(greedy())).toEqual(await engine.generate(greedy()))
  server.fault = { times: 1, cutAfter: 5 }
  const before = server.seen.length
  await expect(backend.generate(greedy())).rejects.toMatchObject({ code: 'ENGINE_BACKEND_CUT', retryable: true })
  expect(server.seen.length - before).toBe(1)
})

describe('a server that lies', () => {
  const choice = (change: object) => ({
    choices: [{ index: 0, text: 'x', finish_reason: null, token_ids: [5], ...change }],
  })
  test.each([
    ['an id beyond the vocabulary', { change: () => choice({ token_ids: [1_024] }) }],
    ['a negative id', { change: () => choice({ token_ids: [-1] }) }],
    ['ids as text', { change: () => choice({ token_ids: ['5'] }) }],
    ['an id that is no integer', { change: () => choice({ token_ids: [1.5] }) }],
    ['several choices', { change: () => ({ choices: [{ text: '' }, { text: '' }] }) }],
    ['another end', { change: () => choice({ finish_reason: 'content_filter' }) }],
    ['a length that is not due', { change: () => choice({ finish_reason: 'length' }) }],
    ['another prompt', { change: () => ({ ...choice({}), usage: { prompt_tokens: 3, completion_tokens: 1 } }) }],
    ['events of another kind', { change: () => ({ hello: 'there' }) }],
    ['no JSON', { raw: 'data: {"choices"\n\n' }],
    ['a list', { raw: 'data: []\n\n' }],
    ['one huge event', { raw: `data: ${'x'.repeat(3_000_000)}` }],
    ['nothing but spaces', { raw: ' '.repeat(4_000_000) }],
    ['an error within the answer', { change: () => ({ error: { message: 'out of memory' } }) }],
  ] as const)('by %s gets a typed refusal', async (_what, fault) => {
    const { backend, server } = await open('vllm')
    server.fault = { times: 9, ...fault }
    await expect(backend.generate(greedy())).rejects.toMatchObject({
      code: expect.stringMatching(/^ENGINE_BACKEND_(ANSWER|FAILED|CUT)$/),
    })
    server.fault = null
    expect(await backend.generate(greedy())).toEqual(await engine.generate(greedy()))
  })

  test('by other tokens gives an answer that no check believes', async () => {
    const { backend, server } = await open('vllm')
    server.fault = { times: 1, change: (event, index) => (index === 4 ? choice({ token_ids: [77] }) : event) }
    const answer = await backend.generate(greedy())
    expect((await engine.check(greedy(), answer)).reason).toBe('sampling')
  })

  test('by tokens without an end is left at the length that was asked for', async () => {
    const { backend, server } = await open('vllm')
    server.fault = { times: 1, endless: true }
    const answer = await backend.generate(greedy())
    expect(answer.tokens.length).toBe(24)
    await expect.poll(() => server.left).toBe(1)
  })

  test('by events without tokens and without an end is left at a bound of bytes', async () => {
    const { backend, server } = await open('vllm')
    server.fault = { times: 1, endless: true, change: () => choice({ token_ids: [], text: 'x'.repeat(100_000) }) }
    await expect(backend.generate(greedy())).rejects.toMatchObject({ code: 'ENGINE_BACKEND_ANSWER' })
  })
})

test('a server that says nothing is given up after its time, or when the caller gives up', async () => {
  const clock = createManualClock()
  const server = await serve('vllm')
  const backend = await connect(server, clock)
  const silent = async (signal?: AbortSignal) => {
    server.fault = { times: 1, silent: true }
    const answer = backend.generate(greedy(), { signal })
    answer.catch(() => undefined)
    await expect.poll(() => server.fault).toBeNull()
    return answer
  }
  const stop = new AbortController()
  const unwanted = silent(stop.signal)
  await expect.poll(() => server.held).toBe(1)
  stop.abort()
  await expect(unwanted).rejects.toMatchObject({ code: 'ENGINE_ABORTED', retryable: true })
  const late = silent()
  await expect.poll(() => server.held).toBe(2)
  await expect
    .poll(async () => {
      await clock.advance(60_000 as Ms)
      return backend.stats().failed
    })
    .toBe(2)
  await expect(late).rejects.toMatchObject({ code: 'ENGINE_BACKEND_TIMEOUT', retryable: true })
  await expect.poll(() => server.left).toBe(2)
})

test('a caller who gives up between two tokens ends the answer there, and the server is left', async () => {
  const { backend, server } = await open('vllm', { pieceBytes: 64 })
  const stop = new AbortController()
  const tokens: number[] = []
  const onToken = (token: number): void => {
    tokens.push(token)
    if (tokens.length === 3) stop.abort()
  }
  const answer = backend.generate(greedy({ maxTokens: 400 }), { signal: stop.signal, onToken })
  await expect(answer).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
  expect(tokens.length).toBeLessThan(400)
  await expect.poll(() => server.left).toBe(1)
})

test('more answers at once than there are places wait their turn, and a closed backend gives none', async () => {
  const { backend } = await open('vllm')
  const answers = [1, 2, 3].map((lines) => backend.generate(greedy({ prompt: '\n'.repeat(lines) })))
  expect(backend.stats()).toMatchObject({ running: 1, waiting: 2 })
  await Promise.all(answers)
  const late = backend.generate(greedy())
  await backend.close()
  await expect(late).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  await expect(backend.generate(greedy())).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
})

describe('opening', () => {
  test('refuses a server that is not there', async () => {
    const server = await serve('vllm')
    await server.close()
    opened.pop()
    await expect(connect(server)).rejects.toMatchObject({ code: 'ENGINE_BACKEND_UNREACHABLE', retryable: true })
  })

  test('refuses a server of another model', async () => {
    const server = await serve('vllm', { tokenizer: { ...common.tokenizer } })
    server.fault = {
      times: 9,
      change: (event) => ({ ...event, choices: [{ text: 'Bonjour', token_ids: [9], finish_reason: 'length' }] }),
    }
    await expect(connect(server)).rejects.toMatchObject({ code: 'ENGINE_BACKEND_MODEL' })
  })

  test('asks for a name where there are several models, and uses it', async () => {
    const server = await serve('vllm', { models: ['a', 'b'] })
    await expect(connect(server)).rejects.toMatchObject({ code: 'ENGINE_BACKEND_MODEL' })
    const backend = await openBackend({ kind: 'openai', folder: TINY, url: server.url, model: 'b' })
    opened.push(backend)
    await backend.generate(greedy())
    expect(server.seen.at(-1)?.body.model).toBe('b')
  })

  test('tells each way that it tried where none works', async () => {
    const server = await serve('vllm')
    server.fault = { times: 99, status: 404, body: '' }
    await expect(connect(server)).rejects.toMatchObject({
      code: 'ENGINE_BACKEND_REFUSED',
      message: expect.stringContaining('SGLang'),
    })
  })

  test.each([
    'ftp://127.0.0.1/v1',
    'nonsense',
    'http://user:pass@127.0.0.1/v1',
    'http://127.0.0.1/v1?key=abc',
  ])('refuses the URL %s without repeating what may be a secret', async (url) => {
    const failure = await connect({ url }).catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'ENGINE_BACKEND_OPTION' })
    expect(String(failure)).not.toMatch(/pass|abc/)
  })
})

describe('a key', () => {
  const KEY = 'sk-arbor-0123456789abcdef'

  test('is sent, and no error shows it', async () => {
    const keyFile = join(folder, 'key')
    await writeFile(keyFile, `${KEY}\n`)
    const server = await serve('vllm', { key: KEY })
    const backend = await openBackend({ kind: 'openai', folder: TINY, url: server.url, keyFile })
    opened.push(backend)
    await backend.generate(greedy())
    for (const said of [KEY, KEY.slice(0, 9), `no ${KEY.slice(3, 12)}***`]) {
      server.fault = { times: 1, status: 400, body: JSON.stringify({ error: { message: `Bad: ${said}` } }) }
      const failure = await backend.generate(greedy()).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'ENGINE_BACKEND_REFUSED' })
      expect(JSON.stringify([failure, String(failure), (failure as Error).stack])).not.toContain(said)
    }
  })

  test('that the server does not take, or that no file holds, is told without it', async () => {
    const server = await serve('vllm', { key: 'another' })
    const keyFile = join(folder, 'wrong')
    await writeFile(keyFile, KEY)
    const at = { kind: 'openai', folder: TINY, url: server.url } as const
    const failure = await openBackend({ ...at, keyFile }).catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'ENGINE_BACKEND_KEY' })
    expect(String(failure)).not.toContain(KEY)
    await expect(openBackend({ ...at, keyFile: join(folder, 'none') })).rejects.toMatchObject({
      code: 'ENGINE_BACKEND_KEY',
    })
    await writeFile(keyFile, 'two keys\nhere')
    await expect(openBackend({ ...at, keyFile })).rejects.toMatchObject({ code: 'ENGINE_BACKEND_KEY' })
  })
})

test('a conversation whose text looks like control tokens is refused by a server that takes text alone', async () => {
  const { backend } = await open('text')
  const content = common.tokenizer.textOf([common.end])
  const asked = greedy({ prompt: [{ role: 'user', content: `ends ${content} here` }] })
  const failure = await backend.generate(asked).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: expect.stringMatching(/^ENGINE_(BACKEND_PROMPT|NO_CHAT)$/) })
})

test("docs/backends.md's example answers as the model does", async () => {
  const page = await readFile(fileURLToPath(new URL('../../docs/backends.md', import.meta.url)), 'utf8')
  const [, example = ''] = /^```ts run\n([\s\S]*?)^```/m.exec(page) ?? []
  // Node finds our packages from inside a package only.
  const file = fileURLToPath(new URL(`../../miner/.example-${process.pid}.ts`, import.meta.url))
  await writeFile(file, example)
  try {
    const { answer } = (await import(file)) as { answer: (folder: string, url: string) => Promise<string> }
    const asked = greedy({ prompt: 'fn main() {', maxTokens: 16 })
    expect(await answer(TINY, (await serve('vllm')).url)).toBe((await engine.generate(asked)).text)
  } finally {
    await rm(file)
  }
})
