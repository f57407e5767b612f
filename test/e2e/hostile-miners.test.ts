import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openHotkey } from '@arbor/chain/wallet/open'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import { systemClock } from '@arbor/shared/clock'
import type { GenerateRequest } from '@arbor/shared/inference'
import { keypairFromUri } from '@arbor/shared/keys'
import { refusalBody } from '@arbor/shared/protocol/refusal'
import type { Ms, UnixMs } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Asked } from './support/answering.ts'
import { type Behaviour, type HostileMiner, startHostile } from './support/hostile.ts'
import { must, type Net, netuid, startNet, tinyModel } from './support/net.ts'
import { peakBytes, type Running, type Said } from './support/process.ts'

type Verdicts = readonly { readonly hotkey: string; readonly reason: string; readonly value: number }[]

const rounds = 3
const gigabyte = 2 ** 30
let net: Net
let engine: OpenedEngine
let validator: Running
const miners = new Map<string, HostileMiner>()
/** An answer signed by one hostile miner, for another to steal. */
let loot: ReturnType<Asked['sign']> | null = null

const reply = (response: ServerResponse, { headers, body }: ReturnType<Asked['sign']>, status = 200): void =>
  void response.writeHead(status, headers).end(body)
const send = ({ response, sign }: Asked, body: string): void => reply(response, sign(body))
const refuse = ({ response, sign }: Asked, code: string, status: number): void =>
  reply(response, sign(refusalBody(code), { status }), status)
const generate = async ({ request, binding }: Asked, over: Partial<GenerateRequest> = {}) => {
  const asked = { ...(request as GenerateRequest), binding, ...over }
  const { text, tokens, finish, fingerprint } = await engine.generate(asked)
  return { text, tokens: [...tokens], finish, fingerprint: [...fingerprint] }
}
const honest = async (asked: Asked): Promise<void> => send(asked, JSON.stringify(await generate(asked)))

/**
 * How each hostile miner behaves, and the verdicts that may come of it. Each registration costs more than the one before, so these
 * are the ones that matter to a whole validator; dendrite.test.ts has every word.
 */
const behaviours: Readonly<Record<string, Behaviour & { readonly reasons: readonly string[] }>> = {
  garbage: { reasons: ['malformed'], answer: (asked) => send(asked, '{"text": 7') },
  'no-proof': {
    reasons: ['malformed'], // the spec's own word: the schema allows an empty proof
    answer: async (asked) => send(asked, JSON.stringify({ ...(await generate(asked)), fingerprint: [] })),
  },
  silent: { reasons: ['timeout'], answer: () => undefined },
  late: {
    reasons: ['timeout'],
    answer: async (asked) => {
      const body = JSON.stringify(await generate(asked))
      await wait(10_500, undefined, { signal: net.signal })
      send(asked, body)
    },
  },
  dripping: {
    reasons: ['trickle'],
    answer: async ({ response }) => {
      response.writeHead(200)
      while (!response.destroyed) {
        response.write(' ')
        await wait(200, undefined, { signal: net.signal })
      }
    },
  },
  gigabyte: {
    reasons: ['oversized'],
    answer: ({ response }) => {
      response.writeHead(200, { 'content-length': String(gigabyte) })
      pour(response)
    },
  },
  endless: {
    reasons: ['oversized'],
    answer: ({ response }) => {
      response.writeHead(200)
      pour(response)
    },
  },
  bomb: {
    reasons: ['compressed'],
    answer: ({ response }) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(zeros),
  },
  redirect: {
    reasons: ['redirect'],
    answer: ({ response }) => response.writeHead(307, { location: net.url.replace('ws', 'http') }).end(),
  },
  'other-proof': {
    // the right words with the hidden states of another answer
    reasons: ['fingerprint'],
    answer: async (asked) => {
      const own = await generate(asked)
      const other = await generate(asked, { prompt: 'Once upon a time' })
      send(asked, JSON.stringify({ ...own, fingerprint: other.fingerprint.slice(0, own.fingerprint.length) }))
    },
  },
  'other-question': {
    // a flawless answer to a question that nobody asked
    reasons: ['fingerprint', 'sampling'],
    answer: async (asked) => send(asked, JSON.stringify(await generate(asked, { prompt: 'Once upon a time' }))),
  },
  victim: {
    // honest, but it lets another take what it signed
    reasons: ['ok'],
    answer: async (asked) => {
      loot = asked.sign(JSON.stringify(await generate(asked)))
      reply(asked.response, loot)
    },
  },
  thief: {
    reasons: ['forged'],
    answer: async ({ response }) => {
      while (loot === null) await wait(20, undefined, { signal: net.signal })
      reply(response, loot)
    },
  },
  'other-request': {
    // a flawless answer, signed for a request of another time
    reasons: ['wrong-request'],
    answer: async (asked) =>
      reply(asked.response, asked.sign(JSON.stringify(await generate(asked)), { requestHash: Buffer.alloc(32) })),
  },
  unsigned: { reasons: ['unsigned'], answer: ({ response }) => response.writeHead(200).end('{}') },
  busy: { reasons: ['busy'], answer: (asked) => refuse(asked, 'MINER_BUSY', 503) },
  rude: { reasons: ['rejected'], answer: ({ response }) => response.writeHead(403).end(refusalBody('MINER_DENIED')) },
  forgetful: {
    reasons: ['rejected'],
    answer: ({ response }) => response.writeHead(401).end(refusalBody('WIRE_SESSION_OLD')),
  },
  gone: { reasons: ['early-close'], answer: ({ response }) => response.destroy() },
  pretender: {
    // the certificate of another, whose answers it would like to sign
    reasons: ['certificate-stolen'],
    prepare: async (answering) => {
      answering.session = await answering.open({ signer: keypairFromUri('//Mallory') })
    },
    answer: honest,
  },
  expired: {
    reasons: ['certificate-expired'],
    prepare: async (answering) => {
      const issuedAt = (systemClock.now() - 60_000) as UnixMs
      answering.session = await answering.open({ issuedAt, lifetimeMs: 30_000 as Ms })
    },
    answer: honest,
  },
}
/** 64 MiB of zeros, packed. */
const zeros = gzipSync(Buffer.alloc(2 ** 26))

/** Writes as long as the other side takes it. */
const pour = (response: Asked['response']): void => {
  const chunk = Buffer.alloc(2 ** 16, '{')
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  more()
}

beforeAll(async () => {
  const names = Object.keys(behaviours)
  engine = await openEngine({ folder: tinyModel })
  net = await startNet({ honest: 1, validators: 1, address: 51, others: names })
  const honest = net.start('miner-1')
  await honest.event('miner.ready')
  for (const [index, name] of names.entries()) {
    const hotkey = await openHotkey({ wallets: net.wallets, wallet: name, hotkey: 'default' })
    const behaviour = must(behaviours[name])
    miners.set(name, await startHostile({ net, hotkey, ip: `127.0.0.${61 + index}`, behaviour }))
  }
  validator = net.start('validator-1')
  await validator.event('validator.ready')
}, 180_000)
afterAll(async () => {
  for (const miner of miners.values()) miner.close()
  await net?.close()
  await engine?.close()
})

/** Waits until so many rounds were recorded in which everybody was asked. */
const fullRounds = async (): Promise<readonly Verdicts[]> => {
  const everybody = miners.size + 1
  const isFull = (said: Said): boolean => (said.verdicts as Verdicts).length === everybody
  const full = (): readonly Said[] => validator.events.filter((said) => said.event === 'round.done' && isFull(said))
  while (full().length < rounds) {
    const known = full()
    await validator.event('round.done', (said) => isFull(said) && !known.includes(said))
  }
  return full().map((said) => said.verdicts as Verdicts)
}

test('hostile miners get their verdicts, and the honest one is believed in every round', async () => {
  const seen = await fullRounds()
  for (const verdicts of seen) {
    const reasonOf = (name: string): string | undefined =>
      verdicts.find(({ hotkey }) => hotkey === net.member(name).hotkey)?.reason
    expect(reasonOf('miner-1')).toBe('ok')
    for (const [name, { reasons }] of Object.entries(behaviours))
      expect([name, reasons.includes(String(reasonOf(name))) ? 'as it should be' : reasonOf(name)]).toEqual([
        name,
        'as it should be',
      ])
  }
  const paid = [net.member('miner-1').hotkey, net.member('victim').hotkey]
  const row = await net.until(async (metagraph) => {
    const { uid } = net.neuron(net.member('validator-1').hotkey, metagraph)
    const found = await net.client.weights(netuid, uid, metagraph.block.hash)
    return found.length > 0 ? found.map(([of]) => metagraph.neurons.find((n) => n.uid === of)?.hotkey) : undefined
  })
  expect(row.sort()).toEqual(paid.sort())
}, 240_000)

test('validator lives, takes no gigabyte, and asked everybody in every round', () => {
  expect(validator.child.exitCode).toBeNull()
  for (const name of ['gigabyte', 'endless', 'bomb']) expect(must(miners.get(name)).sent).toBeLessThan(64 * 2 ** 20)
  expect(peakBytes(validator.pid)).toBeLessThan(gigabyte)
  for (const [name, miner] of miners) expect([name, miner.asked >= rounds]).toEqual([name, true])
})
