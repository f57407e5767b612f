import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openHotkey } from '@arbor/chain/wallet/open'
import { systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import { DEFAULT_LIFETIME_MS } from '@arbor/shared/protocol/limits'
import { requestBytes } from '@arbor/shared/protocol/request'
import { writeToken } from '@arbor/shared/protocol/token'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex, Ms, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ASK_LIMITS } from '../../validator/src/dendrite/ask.ts'
import { openDendrite } from '../../validator/src/dendrite/open.ts'
import { inMemory, listening } from './support/inspect.ts'
import { must, type Net, netuid, startNet } from './support/net.ts'
import { peakBytes, type Running } from './support/process.ts'
import { openTap, type Tap } from './support/tap.ts'

let net: Net
let spec: SubnetSpec
let relay: Running
let tap: Tap
let miner: Running
let validator: Running
const address = 171
const relayIp = `127.0.0.${address + 20}`
const tapIp = `127.0.0.${address + 21}`
const doorIp = `127.0.0.${address + 22}`

const startRelay = async (port: number): Promise<Running> => {
  const started = net.run([
    ...['relay', '--network', net.url, '--ip', relayIp, '--port', String(port), '--json', '--log-level', 'debug'],
    ...['--name', `${tapIp}:${tap.port}`],
  ])
  relayPort = Number(new URL(String((await started.event('relay.ready')).url)).port)
  return started
}
let relayPort = 0

/** Starts a miner that dials and is given no port. */
const dialling = (name: string, dial: string): Running =>
  net.run([
    ...['miner', '--network', net.url, '--wallets', net.wallets, '--wallet', name, '--spec', 'inference-tiny'],
    ...['--data', join(net.folder, name), '--dial', dial, '--json', '--log-level', 'debug'],
  ])

/** Verdicts of a validator about a miner, the newest first. */
const verdicts = (
  validatorName: string,
  minerName: string,
): readonly { readonly reason: string; readonly value: number; readonly seed: string; readonly task: string }[] => {
  const db = new DatabaseSync(join(net.folder, validatorName, 'ledger.sqlite'), { readOnly: true })
  try {
    const rows = db
      .prepare('SELECT reason, value, seed, task FROM verdicts WHERE hotkey = ? ORDER BY round DESC')
      .all(net.member(minerName).hotkey)
    return rows.map(({ reason, value, seed, task }) => ({
      reason: String(reason),
      value: Number(value),
      seed: String(seed),
      task: String(task),
    }))
  } finally {
    db.close()
  }
}

const weighs = (running: Running, minerName: string) =>
  net.until(async (metagraph) => {
    const { uid } = net.neuron(net.member(minerName).hotkey, metagraph)
    return running.events.findLast(
      ({ event, row }) =>
        event === 'weights.confirmed' && Array.isArray(row) && row.some(([of, weight]) => of === uid && weight > 0),
    )
  })

/** A question that looks right to a relay, which cannot judge its proof. */
const questionHeaders = (hotkey: Ss58, body: Uint8Array): Record<string, string> => {
  const envelope = requestBytes({
    session: randomBytes(16),
    with: randomBytes(16),
    counter: 1,
    receiver: decodeSs58(hotkey),
    netuid,
    method: 'POST',
    path: '/chat',
    contentType: 'application/arbor-sealed',
    accept: 'whole',
    sentAt: systemClock.now(),
    timeoutMs: 10_000 as Ms,
    bodyLength: body.length,
    bodyHash: randomBytes(32),
  })
  return { 'content-length': String(body.length), 'arbor-envelope': writeToken(envelope, randomBytes(32)) }
}

beforeAll(async () => {
  net = await startNet({ honest: 2, validators: 2, address })
  spec = await loadSpec('inference-tiny')
  tap = await openTap({ ip: tapIp, to: () => ({ ip: relayIp, port: relayPort }) })
  relay = await startRelay(0)
  miner = dialling('miner-1', `ws://${tapIp}:${tap.port}`)
  await miner.event('miner.ready')
  validator = net.start('validator-1', '--log-level', 'debug')
}, 180_000)
afterAll(async () => {
  await net?.close()
  await tap?.close()
})

describe('miner without an open port', () => {
  test('is asked, scored and weighed through a relay', async () => {
    await weighs(validator, 'miner-1')
    const { hotkey } = net.member('miner-1')
    const { neurons } = await net.client.metagraph(netuid)
    expect(neurons.find((neuron) => neuron.hotkey === hotkey)?.axon).toMatchObject({
      ip: tapIp,
      port: tap.port,
      version: 2,
    })
    expect(verdicts('validator-1', 'miner-1').some(({ value }) => value > 0)).toBe(true)
    expect(listening(miner.pid)).toEqual([])
    expect(listening(relay.pid).length).toBe(1) // the same look finds a port where there is one
  })

  test('shows the relay neither question nor answer', async () => {
    const asked = verdicts('validator-1', 'miner-1').map(({ task, seed }) => {
      const request = must(spec.tasks[task]).plan({ seed: seed as Hex })
      return JSON.stringify(request).slice(0, 200)
    })
    const { hotkey } = net.member('miner-1')
    expect(asked.length).toBeGreaterThan(0)
    const through = tap.bytes()
    expect(through.includes('POST /chat')).toBe(true)
    expect(asked.filter((text) => through.includes(text))).toEqual([])
    expect(inMemory(relay.pid, [...asked, hotkey])).toEqual([hotkey])
    expect(relay.events.some(({ event }) => event === 'relay.asked')).toBe(true)
    expect(asked.filter((text) => relay.text().includes(text))).toEqual([])
  })

  test('streams an answer through it', async () => {
    const wallet = { wallets: net.wallets, wallet: 'validator-2', hotkey: 'default' }
    const signer = await openHotkey(wallet)
    const { neurons } = await net.client.metagraph(netuid)
    const neuron = must(neurons.find(({ hotkey }) => hotkey === net.member('miner-1').hotkey))
    const me = must(neurons.find(({ hotkey }) => hotkey === signer.address))
    const dendrite = openDendrite({
      spec,
      specifier: 'inference-tiny',
      signer,
      netuid,
      genesisHash: net.client.genesisHash,
      clock: systemClock,
      log: createLogger({ name: 'test', level: 'silent' }),
      limits: { ...ASK_LIMITS, inFlight: 8 },
      isSealed: true,
      proof: 'mac',
      privateAllowed: true,
      speaksBittensor: false,
      sessionMs: DEFAULT_LIFETIME_MS as Ms,
    })
    try {
      dendrite.registered(me.registeredAt)
      const seed = `0x${'5a'.repeat(32)}` as Hex
      const request = must(spec.tasks.chat).plan({ seed })
      const axon = must(neuron.axon)
      const chunks: string[] = []
      const answer = await dendrite.ask(
        { ...neuron, axon, task: 'chat', seed, request },
        net.signal,
        (text) => void chunks.push(Buffer.from(text).toString()),
      )
      expect(answer).toMatchObject({ kind: 'answered' })
      expect(chunks.length).toBeGreaterThan(1)
    } finally {
      await dendrite.close()
    }
  })

  test('is asked on while strangers open sockets, send garbage and huge frames, and cancel in storms', async () => {
    const from = { localAddress: `127.0.0.${address + 23}` }
    const before = verdicts('validator-1', 'miner-1').length
    const atRest = peakBytes(relay.pid)
    const idle = Array.from({ length: 1_200 }, () => connect({ ...from, host: relayIp, port: relayPort }))
    for (const socket of idle) socket.on('error', () => undefined)
    const dialled = Array.from({ length: 300 }, (_, index) => {
      const socket = new WebSocket(`ws://${relayIp}:${relayPort}/.arbor/dial`, 'arbor.2', from)
      socket.on('error', () => undefined)
      if (index % 3 === 1) socket.on('open', () => socket.send(Buffer.alloc(4 * 1_048_576)))
      if (index % 3 === 2) socket.on('message', () => socket.send(randomBytes(500)))
      return socket
    })
    const body = Buffer.alloc(200_000)
    const receiver = net.member('miner-1').hotkey
    for (let wave = 0; wave < 5; wave += 1) {
      const asked = Array.from({ length: 60 }, () =>
        request({
          ...from,
          host: relayIp,
          port: relayPort,
          method: 'POST',
          path: '/chat',
          headers: questionHeaders(receiver, body),
        }),
      )
      for (const each of asked) each.on('error', () => undefined).end(body)
      await systemClock.sleep(50 as Ms, net.signal)
      for (const each of asked) each.destroy()
    }
    await net.until(() => (verdicts('validator-1', 'miner-1').length >= before + 2 ? true : undefined))
    const fresh = verdicts('validator-1', 'miner-1').slice(0, -before || undefined)
    expect(fresh.map(({ reason }) => reason)).toEqual(fresh.map(() => 'ok'))
    expect(miner.events.filter(({ event }) => event === 'miner.dial_lost')).toEqual([])
    expect(peakBytes(relay.pid) - atRest).toBeLessThan(256 * 1_048_576) // what all questions together may take
    for (const socket of idle) socket.destroy()
    for (const socket of dialled) socket.terminate()
  })

  test('comes back by itself when the relay was killed and started again', async () => {
    await relay.kill9()
    await miner.event('miner.dial_lost')
    const before = verdicts('validator-1', 'miner-1').length
    relay = await startRelay(relayPort)
    await relay.event('relay.joined')
    await net.until(() =>
      verdicts('validator-1', 'miner-1')
        .slice(0, -before || undefined)
        .some(({ value }) => value > 0)
        ? true
        : undefined,
    )
  })

  test('is asked by a validator that listens, which it finds on the chain and dials', async () => {
    const listener = net.start('validator-2', '--log-level', 'debug', '--listen', `${doorIp}:0`)
    await listener.event('listener.announced')
    const finder = dialling('miner-2', 'validators')
    expect((await finder.event('miner.ready')).url).toBe(null)
    await weighs(listener, 'miner-2')
    expect(verdicts('validator-2', 'miner-2').some(({ value }) => value > 0)).toBe(true)
    expect(listening(finder.pid)).toEqual([])
    const { neurons } = await net.client.metagraph(netuid)
    expect(neurons.find(({ hotkey }) => hotkey === net.member('miner-2').hotkey)?.axon).toBe(null)
    const asked = await fetch(`http://${doorIp}:${(await listener.event('listener.ready')).port}/chat`, {
      method: 'POST',
      body: 'x',
    })
    expect(asked.status).toBe(404) // others cannot ask through it
    expect(await listener.stop()).toBe(0)
  })
})
