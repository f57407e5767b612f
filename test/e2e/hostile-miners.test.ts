import { setTimeout as wait } from 'node:timers/promises'
import { openHotkey } from '@arbor/chain/wallet/open'
import { type OpenedEngine, openEngine } from '@arbor/engine/open'
import type { GenerateRequest } from '@arbor/shared/inference'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Asked, type HostileMiner, startHostile } from './support/hostile.ts'
import { must, type Net, netuid, startNet, tinyModel } from './support/net.ts'
import { peakBytes, type Running, type Said } from './support/process.ts'

type Verdicts = readonly { readonly hotkey: string; readonly reason: string; readonly value: number }[]

const rounds = 3
const gigabyte = 2 ** 30
let net: Net
let engine: OpenedEngine
let validator: Running
const miners = new Map<string, HostileMiner>()
/** Answers signed by one hostile miner, for another to steal. */
let loot: { readonly headers: Record<string, string>; readonly body: string } | null = null

const send = ({ response, sign }: Asked, body: string): void =>
  void response.writeHead(200, { ...sign(body), 'content-type': 'application/json' }).end(body)
const generate = async (request: unknown) => {
  const { text, tokens, finish, fingerprint } = await engine.generate(request as GenerateRequest)
  return { text, tokens: [...tokens], finish, fingerprint: [...fingerprint] }
}

/** How each hostile miner answers, and the verdicts that may come of it. */
const behaviours: Readonly<Record<string, { readonly reasons: readonly string[]; answer(asked: Asked): unknown }>> = {
  garbage: { reasons: ['malformed'], answer: (asked) => send(asked, '{"text": 7') },
  'wrong-schema': { reasons: ['malformed'], answer: (asked) => send(asked, '{"tokens":"all"}') },
  silent: { reasons: ['timeout'], answer: () => undefined },
  late: {
    reasons: ['timeout'],
    answer: async (asked) => {
      const body = JSON.stringify(await generate(asked.request))
      await wait(10_500, undefined, { signal: net.signal })
      send(asked, body)
    },
  },
  gigabyte: {
    reasons: ['oversized'],
    answer: ({ response, sign }) => {
      response.writeHead(200, { ...sign(''), 'content-length': String(gigabyte) })
      pour(response)
    },
  },
  endless: {
    reasons: ['oversized'],
    answer: ({ response, sign }) => {
      response.writeHead(200, sign(''))
      pour(response)
    },
  },
  'no-proof': {
    reasons: ['malformed'],
    answer: async (asked) => send(asked, JSON.stringify({ ...(await generate(asked.request)), fingerprint: [] })),
  },
  'other-proof': {
    // the right words with the hidden states of another answer
    reasons: ['fingerprint'],
    answer: async (asked) => {
      const own = await generate(asked.request)
      const other = await generate({ ...(asked.request as object), prompt: 'Once upon a time' })
      send(asked, JSON.stringify({ ...own, fingerprint: other.fingerprint.slice(0, own.fingerprint.length) }))
    },
  },
  'other-question': {
    // a flawless answer to a question that nobody asked
    reasons: ['fingerprint', 'sampling'],
    answer: async (asked) =>
      send(asked, JSON.stringify(await generate({ ...(asked.request as object), prompt: 'Once upon a time' }))),
  },
  victim: {
    // honest, but it lets another take what it signed
    reasons: ['ok'],
    answer: async (asked) => {
      const body = JSON.stringify(await generate(asked.request))
      loot = { headers: asked.sign(body), body }
      send(asked, body)
    },
  },
  thief: {
    reasons: ['unsigned'],
    answer: async ({ response }) => {
      while (loot === null) await wait(20, undefined, { signal: net.signal })
      response.writeHead(200, loot.headers).end(loot.body)
    },
  },
  unsigned: { reasons: ['unsigned'], answer: ({ response }) => response.writeHead(200).end('{}') },
  broken: { reasons: ['refused'], answer: ({ response }) => response.writeHead(500).end('oops') },
  gone: { reasons: ['unreachable'], answer: ({ response }) => response.destroy() },
}

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
    const { answer } = must(behaviours[name])
    const serve = async (asked: Asked): Promise<void> => void (await answer(asked))
    miners.set(name, await startHostile({ net, hotkey, ip: `127.0.0.${61 + index}`, answer: serve }))
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
  for (const name of ['gigabyte', 'endless']) expect(must(miners.get(name)).sent).toBeLessThan(64 * 2 ** 20)
  expect(peakBytes(validator.pid)).toBeLessThan(gigabyte)
  for (const [name, miner] of miners) expect([name, miner.asked >= rounds]).toEqual([name, true])
})
