import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import type { Ms } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '../../validator/src/dendrite/answer.ts'
import { ASK_LIMITS } from '../../validator/src/dendrite/ask.ts'
import { type Dendrite, openDendrite } from '../../validator/src/dendrite/open.ts'
import { planRound } from '../../validator/src/plan.ts'
import { type Net, netuid, startNet } from './support/net.ts'
import type { Running } from './support/process.ts'

const never = new AbortController().signal
/** The owner's hotkey, whose first epoch gives it stake and a permit. */
const validator = keypairFromUri('//Alice//default')
let net: Net
let spec: SubnetSpec
let miner: Running
let dendrite: Dendrite
let said: readonly unknown[]

beforeAll(async () => {
  spec = await loadSpec('inference-tiny')
  net = await startNet({ honest: 1, validators: 0, address: 121 })
  await net.until((metagraph) => net.neuron(validator.address, metagraph).validatorPermit || undefined)
  miner = net.start('miner-1')
  await miner.event('miner.ready')
  await net.until((metagraph) => net.neuron(net.member('miner-1').hotkey, metagraph).axon ?? undefined)
  const lines: unknown[] = []
  said = lines
  dendrite = openDendrite({
    spec,
    specifier: 'inference-tiny',
    signer: validator,
    netuid,
    genesisHash: net.client.genesisHash,
    clock: systemClock,
    log: createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
    }),
    limits: { ...ASK_LIMITS, inFlight: 8 },
    isSealed: true,
    proof: 'mac',
    privateAllowed: true,
    speaksBittensor: false,
    sessionMs: 3_600_000 as Ms,
  })
  dendrite.registered(net.neuron(validator.address, await net.client.metagraph(netuid)).registeredAt)
}, 120_000)
afterAll(async () => {
  await dendrite?.close()
  await net?.close()
})

let round = 0
/** Asks the miner what it would be asked in another round. */
const ask = async (onChunk?: (text: Uint8Array) => void): Promise<Answer> => {
  const metagraph = await net.client.metagraph(netuid)
  const { tasks } = planRound({ spec, metagraph, round: round++, self: validator.address })
  const task = tasks.find(({ hotkey }) => hotkey === net.member('miner-1').hotkey)
  if (task === undefined) throw new Error('the miner serves nothing')
  return dendrite.ask(task, never, onChunk)
}
const textOf = (answer: Answer): string => {
  if (answer.kind !== 'answered') throw new Error(`no answer: ${answer.reason}, ${answer.why}`)
  return (JSON.parse(Buffer.from(answer.body).toString()) as { text: string }).text
}

test('a real miner answers whole, and as a stream whose text is the answer’s', async () => {
  expect(textOf(await ask())).not.toBe('')
  const heard: string[] = []
  const answer = await ask((text) => void heard.push(Buffer.from(text).toString()))
  expect(heard.length).toBeGreaterThan(1)
  expect(heard.join('')).toBe(textOf(answer))
})

test('a real miner that was killed has the verdict connect-refused, and answers the next question after its restart', async () => {
  const { url } = await miner.event('miner.ready')
  await miner.kill9()
  expect(await ask()).toMatchObject({ kind: 'fault', reason: 'connect-refused' })
  miner = net.start('miner-1', '--port', new URL(String(url)).port)
  await miner.event('miner.ready')
  expect(textOf(await ask())).not.toBe('')
  // it knew neither our session nor the one that it had itself
  const mends = said.filter((line) => (line as { event?: string }).event === 'ask.again')
  expect(mends.map((line) => (line as { mend: string }).mend)).toEqual(['certificate', 'session', 'keys'])
})
