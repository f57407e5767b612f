import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { BlockRef, Call, ChainClient, Neuron, Submission } from '@arbor/chain/client/types'
import { openEngine } from '@arbor/engine/open'
import { openLists } from '@arbor/miner/admission/lists'
import { runMiner } from '@arbor/miner/miner'
import { systemClock } from '@arbor/shared/clock'
import { createLogger } from '@arbor/shared/log'
import type { WrittenRequest } from '@arbor/shared/protocol/request'
import { createStreamReader, verifyEnd } from '@arbor/shared/protocol/stream'
import type { Alpha, Block, Hex, NetUid, Uid } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, describe, expect, test } from 'vitest'
import {
  type Asker,
  genesisHash,
  headersOf,
  metagraphOf,
  miner,
  neurons,
  requestOf,
  rich,
  write,
} from '../../miner/test/net.ts'
import { ask, meet } from './support/asker.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-miner-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const modelFolder = (name: string): string => fileURLToPath(new URL(`../../models/${name}`, import.meta.url))

/** The reads and calls that a miner makes, over a metagraph that the test changes; a chain process has tests of its own. */
const chainOf = (start: readonly Neuron[]) => {
  const state = { neurons: start, number: 10, calls: [] as Call[], outcome: null as Submission | null }
  const waiting: (() => void)[] = []
  const ref = (): BlockRef => ({
    number: state.number as Block,
    hash: `0x${state.number.toString(16).padStart(64, '0')}` as Hex,
  })
  const chain: Partial<ChainClient> = {
    url: 'ws://chain',
    genesisHash,
    best: async () => ref(),
    finalized: async () => ref(),
    metagraph: async () => metagraphOf(state.neurons, state.number),
    submit: async (call) => {
      state.calls.push(call)
      return state.outcome ?? { status: 'included', block: ref(), hash: '0x00', events: [] }
    },
    async *heads(_kind, signal) {
      for (;;) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        signal.throwIfAborted()
        yield ref()
      }
    },
  }
  const addBlock = async (change: readonly Neuron[] = state.neurons): Promise<void> => {
    await expect.poll(() => waiting.length).toBeGreaterThan(0)
    state.neurons = change
    state.number += 1
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { chain: chain as ChainClient, state, addBlock }
}

let started = 0
const start = async (of: {
  readonly world: ReturnType<typeof chainOf>
  readonly model?: string
  readonly port?: number
  readonly ip?: string
}) => {
  started += 1
  const stop = new AbortController()
  const events: Record<string, unknown>[] = []
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      events.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const ready = Promise.withResolvers<string>()
  const log = createLogger({ name: 'miner', level: 'info', destination })
  const ended = runMiner({
    settings: {
      identity: { netuid: 1 as NetUid, hotkey: miner.address, wallets: '/w', walletName: 'w', hotkeyName: 'h' },
      specifier: 'inference-tiny',
      model: modelFolder(of.model ?? 'arbor-tiny'),
      data: join(folder, String(started)),
      ip: of.ip ?? '127.0.0.2',
      port: of.port ?? 0,
      externalIp: of.ip ?? '127.0.0.2',
      externalPort: null,
      dial: null,
      threads: 1,
      batch: 1,
      providers: ['cpu'],
      cacheTokens: null,
      queue: 4,
      ratePerSecond: 20,
      minStake: 0n as Alpha,
      requireSeal: false,
      bittensor: false,
      cheat: null,
      backend: null,
      training: null,
    },
    lists: openLists({ cwd: folder, clock: systemClock, log }),
    randomBytes: (length) => randomBytes(length),
    spec: await loadSpec('inference-tiny'),
    chain: of.world.chain,
    hotkey: miner,
    clock: systemClock,
    log,
    signal: stop.signal,
    onReady: ({ url }) => ready.resolve(String(url)),
  })
  ended.catch(ready.reject)
  return { ended, ready: ready.promise, stop: () => stop.abort(), events }
}

/** The binding of the miner's answer to a request. */
const bound = (requestHash: Uint8Array): Hex =>
  bindingOf({ genesisHash, netuid: 1 as NetUid, hotkey: miner.address, requestHash })

const judge = async (url: string): Promise<{ status: number; verdict: string | undefined }> => {
  const spec = await loadSpec('inference-tiny')
  const body = requestOf(spec)
  const asker = await meet(url, { signer: rich, receiver: miner })
  const reply = await ask(url, asker, { body })
  expect(reply.isSigned).toBe(true)
  const engine = await openEngine({ folder: modelFolder('arbor-tiny') })
  const verdict = await spec.tasks.chat?.score({
    request: JSON.parse(body.toString()),
    response: JSON.parse(reply.text),
    binding: bound(reply.requestHash),
    engine,
    timing: { class: 0 },
  })
  await engine.close()
  return { status: reply.status, verdict: verdict?.reason }
}

/** Reads a streamed answer, and expects that its end is signed. */
const readStream = async (url: string, asker: Asker, written: WrittenRequest) => {
  const response = await fetch(`${url}/chat`, {
    method: 'POST',
    headers: headersOf(asker, written),
    body: new Uint8Array(written.body),
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/arbor-stream'])
  const seal = { keys: asker.keys, counter: written.fields.counter }
  const reader = createStreamReader({ seal, maxBytes: 1 << 16 })
  const pushed = reader.push(new Uint8Array(await response.arrayBuffer()))
  const finished = reader.finish()
  if (!pushed.ok || !finished.ok) throw new Error('the stream is no answer')
  const verdict = verifyEnd(finished.end, { certificate: asker.certificate, requestHash: written.hash })
  expect([verdict, finished.end.fields.code]).toEqual([{ ok: true }, ''])
  const chunks = pushed.chunks.map((chunk) => Buffer.from(chunk).toString())
  return { chunks, mark: chunks.indexOf('') }
}

describe('miner process', () => {
  test('announces itself, answers so that it is believed, and leaves nothing behind when it is stopped', async () => {
    const world = chainOf(neurons)
    const running = await start({ world })
    const url = await running.ready
    expect(world.state.calls.map(({ call, args }) => [call, args.port])).toEqual([
      ['serve_axon', Number(new URL(url).port)],
    ])
    expect(await judge(url)).toEqual({ status: 200, verdict: 'ok' })
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ready: true, uid: 3, block: 10 })
    running.stop()
    await running.ended
    await expect(fetch(`${url}/health`)).rejects.toThrow()
    expect(running.events.map(({ event }) => event).filter(Boolean)).toEqual([
      'miner.engine',
      'miner.advertised',
      'miner.ready',
      'miner.answered',
      'miner.stopped',
    ])
  })

  test('streams the text as its engine generates it, and the whole that comes after is believed', async () => {
    const running = await start({ world: chainOf(neurons) })
    const url = await running.ready
    const spec = await loadSpec('inference-tiny')
    const body = requestOf(spec)
    const asker = await meet(url, { signer: rich, receiver: miner })
    const written = write(asker, { now: systemClock.now(), body, accept: 'stream' })
    const { chunks, mark } = await readStream(url, asker, written)
    const whole = JSON.parse(chunks.slice(mark + 1).join(''))
    expect(mark).toBeGreaterThan(10) // most of 48 tokens add text
    expect(chunks.slice(0, mark).join('')).toBe(whole.text)
    const engine = await openEngine({ folder: modelFolder('arbor-tiny') })
    const request = { ...JSON.parse(body.toString()), binding: bound(written.hash) }
    expect((await engine.check(request, whole)).reason).toBe('ok')
    await engine.close()
    running.stop()
    await running.ended
  })

  test('serves another model too, warns of it, and is not believed', async () => {
    const running = await start({ world: chainOf(neurons), model: 'arbor-tiny-int8' })
    expect((await judge(await running.ready)).verdict).toMatch(/^(fingerprint|sampling)$/)
    expect(running.events.some(({ event }) => event === 'miner.other_model')).toBe(true)
    running.stop()
    await running.ended
  })

  test('does not announce what the chain already says', async () => {
    const probe = createServer().listen(0, '127.0.0.2')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    probe.close()
    await once(probe, 'close')
    const axon = { ip: '127.0.0.2', port, version: 2, protocol: 4 }
    const world = chainOf(neurons.map((neuron) => (neuron.hotkey === miner.address ? { ...neuron, axon } : neuron)))
    const running = await start({ world, port })
    await running.ready
    expect(world.state.calls).toEqual([])
    running.stop()
    await running.ended
  })

  test('ends with its reason when its registration is lost for three blocks, not before', async () => {
    const world = chainOf(neurons)
    const running = await start({ world })
    await running.ready
    const without = neurons.filter(({ hotkey }) => hotkey !== miner.address)
    const moved = neurons.map((neuron) => (neuron.hotkey === miner.address ? { ...neuron, uid: 9 as Uid } : neuron))
    for (const block of [without, without, without, moved, without, without]) await world.addBlock(block)
    expect(running.events.some(({ event, uid }) => event === 'miner.uid' && uid === 9)).toBe(true)
    await world.addBlock(without)
    await expect(running.ended).rejects.toThrow(expect.objectContaining({ code: 'MINER_DEREGISTERED' }))
  })

  test.each([
    [
      'unregistered',
      { world: chainOf(neurons.filter(({ hotkey }) => hotkey !== miner.address)) },
      'MINER_UNREGISTERED',
      /arbor register --network ws:\/\/chain --netuid 1 --wallets "\/w" --wallet w --hotkey h/,
    ],
    ['without its model', { world: chainOf(neurons), model: 'nowhere' }, 'MODEL_MISSING', /nowhere/],
    ['on an address of another machine', { world: chainOf(neurons), ip: '192.0.2.1' }, 'MINER_ADDRESS', /192\.0\.2\.1/],
  ])('refuses to start %s', async (_, of, code, text) => {
    const running = await start(of)
    await expect(running.ended).rejects.toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) }))
    await expect(running.ready).rejects.toThrow()
  })

  test('refuses to start on a port in use, and where the chain refuses its address', async () => {
    const holder = createServer().listen(0, '127.0.0.2')
    await once(holder, 'listening')
    const taken = await start({ world: chainOf(neurons), port: (holder.address() as AddressInfo).port })
    await expect(taken.ended).rejects.toThrow(expect.objectContaining({ code: 'MINER_PORT_IN_USE' }))
    await expect(taken.ready).rejects.toThrow()
    holder.close()
    const world = chainOf(neurons)
    world.state.outcome = {
      status: 'failed',
      block: await world.chain.best(),
      hash: '0x00',
      error: 'SubtensorModule.InvalidIpAddress',
      docs: '',
    }
    const refused = await start({ world })
    await expect(refused.ended).rejects.toThrow(expect.objectContaining({ code: 'MINER_AXON_REFUSED' }))
    await expect(refused.ready).rejects.toThrow()
    expect(world.state.calls.length).toBe(1)
  })
})
