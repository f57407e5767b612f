import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readModelFolder } from '@arbor/engine/folder'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { openTokenizer } from '@arbor/engine/tokenizer'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ModelServer, openModelServer } from '../../engine/test/support/model-server.ts'
import { TINY } from '../../engine/test/support/models.ts'
import { inferenceSpecifier } from '../../subnet-spec/inference/specifier.ts'
import { ASK_LIMITS } from '../../validator/src/dendrite/ask.ts'
import { openDendrite } from '../../validator/src/dendrite/open.ts'
import { planRound } from '../../validator/src/plan.ts'
import { must, type Net, netuid, startNet } from './support/net.ts'

const KEY = 'sk-arbor-e2e-7hT0pQz4'
/** The owner's hotkey, whose first epoch gives it stake and a permit. */
const validator = keypairFromUri('//Alice//default')

let engine: OpenedEngine
let server: ModelServer
let specifier: string
let net: Net

beforeAll(async () => {
  engine = await openEngine({ folder: TINY })
  const { id, config, tokenizer } = await readModelFolder({ folder: TINY })
  server = await openModelServer({
    manner: 'llama.cpp',
    engine,
    tokenizer: openTokenizer(tokenizer),
    start: config.start,
    end: must(config.ends[0]),
    key: KEY,
  })
  const speed = { tokensPerSecond: 200, context: config.context }
  specifier = inferenceSpecifier({ model: { name: id.name, hash: id.hash }, speed, proof: 'none' })
  net = await startNet({ honest: 1, validators: 0, address: 201 })
  await net.until((metagraph) => net.neuron(validator.address, metagraph).validatorPermit || undefined)
}, 120_000)
afterAll(async () => {
  await net?.close()
  await server?.close()
  await engine?.close()
})

test('a miner that a model server computes for has its answers believed, and shows its key to nobody else', async () => {
  const keyFile = join(net.folder, 'key')
  writeFileSync(keyFile, KEY)
  const place = ['--backend', 'openai', '--backend-url', server.url, '--backend-key-file', keyFile]
  const miner = net.start('miner-1', '--spec', specifier, ...place)
  await miner.event('miner.ready')
  expect(await miner.event('miner.backend')).toMatchObject({ kind: 'openai', proofs: ['none'] })
  await net.until((metagraph) => net.neuron(net.member('miner-1').hotkey, metagraph).axon ?? undefined)

  const spec = await loadSpec(specifier)
  const metagraph = await net.client.metagraph(netuid)
  await using dendrite = openValidatorsDendrite(spec)
  dendrite.registered(net.neuron(validator.address, metagraph).registeredAt)
  for (const round of [1, 2, 3]) {
    const { tasks } = planRound({ spec, metagraph, round, self: validator.address })
    const task = must(tasks.find(({ hotkey }) => hotkey === net.member('miner-1').hotkey))
    const answer = await dendrite.ask(task, new AbortController().signal)
    if (answer.kind !== 'answered') throw new Error(`no answer: ${answer.reason}, ${answer.why}`)
    const { request, binding } = { request: task.request, binding: answer.binding }
    const response = JSON.parse(Buffer.from(answer.body).toString())
    const timing = { class: 0 }
    expect(await spec.tasks.chat?.score({ request, response, binding, engine, timing })).toMatchObject({ reason: 'ok' })
  }
  expect(server.seen.length).toBeGreaterThan(3)
  expect(server.seen.every(({ key }) => key === `Bearer ${KEY}`)).toBe(true)
  expect(await miner.stop()).toBe(0)
  expect(miner.text()).not.toContain(KEY)
  expect(JSON.stringify(miner.events)).not.toContain(KEY)
})

const openValidatorsDendrite = (spec: Awaited<ReturnType<typeof loadSpec>>) => {
  const dendrite = openDendrite({
    spec,
    specifier,
    signer: validator,
    netuid,
    genesisHash: net.client.genesisHash,
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'fatal' }),
    limits: { ...ASK_LIMITS, inFlight: 4 },
    isSealed: true,
    proof: 'mac',
    privateAllowed: true,
    speaksBittensor: false,
    sessionMs: 3_600_000 as Ms,
  })
  return { ...dendrite, [Symbol.asyncDispose]: () => dendrite.close() }
}
