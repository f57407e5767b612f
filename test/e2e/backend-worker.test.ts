import { startContained } from '@arbor/engine/contained/start'
import type { Contained } from '@arbor/engine/contained/types'
import { readModelFolder } from '@arbor/engine/folder'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { openTokenizer } from '@arbor/engine/tokenizer'
import { systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ModelServer, openModelServer } from '../../engine/test/support/model-server.ts'
import { seedOf, TINY } from '../../engine/test/support/models.ts'
import type { MinerJob, MinerResult, MinerWorkerData } from '../../miner/src/worker.ts'
import { inferenceSpecifier } from '../../subnet-spec/inference/specifier.ts'

let engine: OpenedEngine
let server: ModelServer
let worker: Contained<MinerJob, MinerResult, string>
let specifier: string

beforeAll(async () => {
  engine = await openEngine({ folder: TINY })
  const { id, config, tokenizer: files } = await readModelFolder({ folder: TINY })
  const end = config.ends[0] ?? -1
  server = await openModelServer({ manner: 'vllm', engine, tokenizer: openTokenizer(files), start: config.start, end })
  const speed = { tokensPerSecond: 200, context: config.context }
  specifier = inferenceSpecifier({ model: { name: id.name, hash: id.hash }, speed, proof: 'none' })
  const workerData: MinerWorkerData = {
    spec: specifier,
    model: TINY,
    batch: 4,
    providers: ['cpu'],
    cacheTokens: null,
    cheat: null,
    backend: { kind: 'openai', url: server.url, model: undefined, keyFile: undefined },
  }
  worker = startContained<MinerJob, MinerResult, string>({
    worker: new URL('../../miner/src/worker.ts', import.meta.url),
    workerData,
    threads: 1,
    jobsPerThread: 4,
    maxQueue: 8,
    log: createLogger({ name: 'test', level: 'fatal' }),
    clock: systemClock,
    signal: new AbortController().signal,
  })
})
afterAll(async () => {
  await worker.close()
  await server.close()
  await engine.close()
})

test('a worker whose model server is not ready says so, and opens it when it is', async () => {
  server.fault = { times: 1, status: 503, body: '{"error":{"message":"Loading model"}}' }
  await expect(worker.run({ kind: 'open' })).rejects.toMatchObject({ code: 'ENGINE_BACKEND_BUSY', retryable: true })
  expect(await worker.run({ kind: 'open' })).toMatchObject({
    kind: 'opened',
    model: engine.model,
    own: null,
    backend: { kind: 'openai', proofs: ['none'], about: expect.stringContaining('token ids') },
  })
})

test('its planned and streamed answers are those that the subnet believes', async () => {
  const spec = await loadSpec(specifier)
  const chat = spec.tasks.chat
  if (chat === undefined) throw new Error('the subnet has no chat')
  const binding = seedOf(3)
  const requests = [1, 2, 3, 4, 5].map((byte) => chat.request.parse(chat.plan({ seed: seedOf(byte) })))
  const jobs = requests.map(async (request) => {
    const pieces: string[] = []
    const job: MinerJob = { kind: 'solve', task: 'chat', request, binding, stream: true }
    const solved = await worker.run(job, { onProgress: (piece) => pieces.push(piece) })
    if (solved.kind !== 'solved') throw new Error('the worker mistook a request')
    const response = chat.response.parse(solved.response)
    expect(pieces.join('')).toBe((response as { text: string }).text)
    return chat.score({ request, response, binding, engine, timing: { class: 0 } })
  })
  for (const verdict of await Promise.all(jobs)) expect(verdict).toMatchObject({ reason: 'ok', value: 1 })
})

test('its failures carry their codes through the process, and a request that the subnet does not allow is none of its', async () => {
  const binding = seedOf(3)
  const request = { prompt: 'fn main', maxTokens: 8, temperature: 0, seed: seedOf(1) }
  const solve = (change: object): Promise<MinerResult> =>
    worker.run({ kind: 'solve', task: 'chat', request: { ...request, ...change }, binding })
  await expect(solve({ temperature: 0.8 })).rejects.toMatchObject({ code: 'ENGINE_BACKEND_GREEDY' })
  server.fault = { times: 1, status: 400, body: '{"error":{"message":"too long"}}' }
  await expect(solve({})).rejects.toMatchObject({ code: 'ENGINE_BACKEND_REFUSED' })
  server.fault = { times: 1, cutAfter: 3 }
  await expect(solve({})).rejects.toMatchObject({ code: 'ENGINE_BACKEND_CUT', retryable: true })
  await expect(solve({})).resolves.toMatchObject({ kind: 'solved' })
})
