import { fileURLToPath } from 'node:url'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { type Block, type Hex, type Ms, netUid, type Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '../../validator/src/dendrite/answer.ts'
import { ASK_LIMITS } from '../../validator/src/dendrite/ask.ts'
import { type Dendrite, openDendrite } from '../../validator/src/dendrite/open.ts'
import { addressOf, keyOf, type Miners, startMiners } from './support/fanout.ts'
import spec from './support/fanout-spec.ts'
import { fileLimit } from './support/usage.ts'

/** The largest fan-out that `arbor validator` takes; docs/dendrite.md. */
const FANOUT = 4_096
/** File descriptors that this process needs for everything else. */
const RESERVED = 512
/** Each question in flight is a socket: a machine whose hard limit of open files is lower asks as many as it may. */
const MINERS = Math.min(FANOUT, fileLimit('self') - RESERVED)
/** Questions beyond the fan-out, second ones to the first miners, which have to wait. */
const MORE = 64
const SERVERS = 2

const never = new AbortController().signal
const logged: Record<string, unknown>[] = []
const servers: Miners[] = []
let dendrite: Dendrite

beforeAll(async () => {
  const share = Math.ceil(MINERS / SERVERS)
  const starting = Array.from({ length: SERVERS }, (_, nth) =>
    startMiners(nth * share, Math.min(MINERS, (nth + 1) * share)),
  )
  servers.push(...(await Promise.all(starting)))
  dendrite = openDendrite({
    spec,
    specifier: fileURLToPath(new URL('./support/fanout-spec.ts', import.meta.url)),
    signer: keypairFromUri('//Alice'),
    netuid: netUid(1),
    genesisHash: `0x${'ab'.repeat(32)}` as Hex,
    clock: systemClock,
    log: createLogger({
      name: 'test',
      level: 'warn',
      destination: { write: (line: string) => void logged.push(JSON.parse(line)) },
    }),
    limits: { ...ASK_LIMITS, inFlight: MINERS },
    isSealed: true,
    proof: 'mac',
    privateAllowed: true,
    speaksBittensor: false,
    sessionMs: 3_600_000 as Ms,
  })
  dendrite.registered(5 as Block)
})
afterAll(async () => {
  await dendrite?.close()
  for (const server of servers) server.stop()
})

const ask = (index: number, word: string): Promise<Answer> => {
  const port = servers[Math.floor(index / Math.ceil(MINERS / SERVERS))]?.port ?? 0
  const axon = { ip: addressOf(index), port, version: 2, protocol: 4 }
  const identity = { hotkey: keyOf(index).address, uid: index as Uid, registeredAt: 7 as Block }
  return dendrite.ask({ ...identity, axon, task: 'echo', seed: '0x00', request: { word } }, never)
}

/** Questions that the miners were asked and have not answered. */
const held = async (): Promise<number> => {
  const states = await Promise.all(servers.map((server) => server.state()))
  expect(states.flatMap(({ failures }) => failures)).toEqual([])
  return states.reduce((sum, state) => sum + state.held, 0)
}

const saidBy = (answer: Answer): string =>
  answer.kind === 'answered' ? Buffer.from(answer.body).toString() : `${answer.kind} ${answer.reason}: ${answer.why}`

test(`dendrite asks ${MINERS} miners at once, no more, and has an answer of each`, async () => {
  expect(MINERS).toBeGreaterThan(1_024) // or nothing is shown
  const words = Array.from({ length: MINERS + MORE }, (_, nth) => `word ${nth}`)
  const asking = Promise.all(words.map((word, nth) => ask(nth % MINERS, word)))
  // Nobody answers before all have been asked: so all these questions are in flight together.
  await expect.poll(held, { timeout: 50_000, interval: 200 }).toBe(MINERS)
  await systemClock.sleep(500 as Ms, never) // for those that should wait, if they did not
  expect(await held()).toBe(MINERS)
  await Promise.all(servers.map((server) => server.give()))
  const answers = await asking
  expect(answers.map(saidBy).filter((said, nth) => said !== JSON.stringify({ word: words[nth] }))).toEqual([])
  expect(logged).toEqual([])
  expect(saidBy(await ask(0, 'after'))).toBe('{"word":"after"}')
})
