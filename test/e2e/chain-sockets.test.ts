import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { defaultRpcLimits, type RpcLimits } from '@arbor/chain/rpc/limits'
import { startChainService } from '@arbor/chain/service'
import { type Clock, systemClock } from '@arbor/shared/clock'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Blocks } from '@arbor/shared/units'
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api'
import type { ProviderInterface } from '@polkadot/rpc-provider/types'
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket from 'ws'

const wasm = new Uint8Array(readFileSync(new URL('../../chain/artifacts/arbor_runtime.wasm', import.meta.url)))
const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (limits: Partial<RpcLimits> = {}) => {
  const clock = createManualClock()
  const service = await startOn({ clock, limits, letTimePass: () => clock.advance(1_000) })
  return { ...service, clock }
}

const startOn = async ({
  clock,
  limits = {},
  letTimePass = async () => undefined,
}: {
  readonly clock: Clock
  readonly limits?: Partial<RpcLimits>
  readonly letTimePass?: () => Promise<void>
}) => {
  const dropped = Promise.withResolvers<void>()
  const write = (line: string): void => {
    if (JSON.parse(line).event === 'rpc.dropped') dropped.resolve()
  }
  const service = await startChainService({
    wasm,
    clock,
    mode: { kind: 'instant' },
    finalityLag: 0 as Blocks,
    identity: { name: 'Arbor Development', type: 'Development', version: '0.0.0' },
    host: '127.0.0.1',
    port: 0,
    origins: [],
    log: pino({ level: 'warn' }, { write }),
    rpcLimits: { ...defaultRpcLimits, ...limits },
  })
  const stop = new AbortController()
  const running = service.run(stop.signal)
  closing.push(async () => {
    stop.abort()
    const closed = service.close()
    await letTimePass()
    await Promise.all([closed, running])
  })
  return { ...service, dropped: dropped.promise }
}

interface Client {
  readonly socket: WebSocket
  /** Messages so far, parsed. */
  readonly messages: { id?: unknown; result?: unknown; error?: { code: number } }[]
  send(message: unknown): void
  /** Resolves with the first message that fits. */
  until(fits: (message: Client['messages'][number]) => boolean): Promise<Client['messages'][number]>
  readonly closed: Promise<{ code: number; reason: string }>
}

const open = (url: string, options: WebSocket.ClientOptions = {}): Promise<Client> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options })
    const messages: Client['messages'] = []
    const waiters = new Set<() => void>()
    const closed = new Promise<{ code: number; reason: string }>((done) => {
      socket.on('close', (code, reason) => done({ code, reason: reason.toString() }))
    })
    socket.on('message', (data) => {
      messages.push(JSON.parse(data.toString()))
      for (const wake of waiters) wake()
    })
    socket.on('error', reject)
    const until: Client['until'] = (fits) =>
      new Promise((found) => {
        const look = (): void => {
          const message = messages.find(fits)
          if (message === undefined) return
          waiters.delete(look)
          found(message)
        }
        waiters.add(look)
        look()
      })
    socket.on('open', () => {
      closing.push(() => socket.terminate())
      resolve({ socket, messages, closed, until, send: (message) => socket.send(JSON.stringify(message)) })
    })
  })

const request = (id: unknown, method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id, method, params })
const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })

describe('WebSocket server', () => {
  test('many requests in flight on one socket are all answered, each with its id', async () => {
    const { url } = await start()
    const client = await open(url)
    const ids = Array.from({ length: 500 }, (_, index) => `Zy${index}`)
    for (const id of ids) client.send(request(id, 'chain_getHead'))
    await client.until(({ id }) => id === 'Zy499')
    expect(client.messages.map(({ id }) => id)).toEqual(ids)
  })

  test('requests beyond the bound in flight are refused with their id, the others answered', async () => {
    const { url } = await start({ inFlight: 3 })
    const client = await open(url)
    const batch = Array.from({ length: 20 }, (_, id) => request(id, 'state_getMetadata'))
    client.socket.send(JSON.stringify(batch)) // keeps the server busy while the rest arrives
    for (let id = 0; id < 50; id += 1) client.send(request(`late${id}`, 'system_name'))
    const answeredLate = () => client.messages.filter(({ id }) => String(id).startsWith('late'))
    await client.until(() => answeredLate().length === 50)
    const late = answeredLate()
    expect(late.some(({ error }) => error?.code === -32_009)).toBe(true)
    expect(late.every(({ error, result }) => error?.code === -32_009 || result === 'Arbor')).toBe(true)
  })

  test('frames of 20 MiB pass in both directions, and larger than the bound end the connection', async () => {
    const { url } = await start({ requestBytes: 24 * 1024 * 1024 })
    const client = await open(url)
    const key = `0x${'ab'.repeat(10 * 1024 * 1024)}`
    client.send(request(1, 'state_queryStorageAt', [key], null))
    const { result } = await client.until(({ id }) => id === 1)
    expect((result as [{ changes: [string, null][] }])[0].changes).toEqual([[key, null]])
    client.send(request(2, 'state_getStorage', key + 'cd'.repeat(4 * 1024 * 1024)))
    expect((await client.closed).code).toBe(1009)
  })

  test('connections beyond the bound are refused until one ends', async () => {
    const { url } = await start({ connections: 2 })
    const first = await open(url)
    await open(url)
    await expect(open(url)).rejects.toThrow('503')
    first.socket.close()
    await first.closed
    for (let tries = 0; ; tries += 1) {
      const client = await open(url).catch((error: Error) => error)
      if (!(client instanceof Error)) break
      expect(tries).toBeLessThan(1_000)
    }
  })

  test('a page of a foreign origin is refused, a local one is served', async () => {
    const { url } = await start()
    await expect(open(url, { origin: 'https://evil.example' })).rejects.toThrow('403')
    await open(url, { origin: 'http://localhost:5173' })
    expect((await post(url, '{}', { origin: 'https://evil.example' })).status).toBe(403)
  })

  test('a client that does not read is dropped, and the others are served on', async () => {
    const { url, clock, dropped } = await start({ bufferedBytes: 256 * 1024, highWaterBytes: 1024 * 1024 * 1024 })
    const slow = await open(url)
    const other = await open(url)
    slow.socket.pause()
    for (let id = 0; id < 60; id += 1) slow.send(request(id, 'state_getMetadata'))
    await dropped
    other.send(request('a', 'system_name'))
    expect((await other.until(({ id }) => id === 'a')).result).toBe('Arbor')
    await clock.advance(1_000)
    slow.socket.resume()
    await slow.closed
    expect(slow.messages.length).toBeLessThan(60)
  })

  test('a client that answers no ping is dropped, and one that does stays', async () => {
    const { url, clock } = await start({ pingMs: 1_000 })
    const dead = await open(url, { autoPong: false })
    const live = await open(url)
    for (let round = 0; dead.socket.readyState !== WebSocket.CLOSED; round += 1) {
      const pinged = new Promise((resolve) => live.socket.once('ping', resolve))
      await clock.advance(1_000)
      await pinged
      live.send(request(round, 'system_name'))
      await live.until(({ id }) => id === round)
      if (round > 100) throw new Error('still connected')
    }
    expect(live.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('clients hear why when the chain stops', async () => {
    const { url } = await start()
    const client = await open(url)
    const stop = closing.shift()
    await stop?.()
    expect(await client.closed).toEqual({ code: 1001, reason: 'the chain stops' })
  })

  test('garbage on the port hurts nobody', async () => {
    const { url } = await start()
    const { port, hostname } = new URL(url)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('\x00\x01\x02 no http\r\n\r\n'))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.resume()
    })
    const client = await open(url)
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: true })
    expect((await client.until(({ error }) => error !== undefined)).error?.code).toBe(-32_700)
  })
})

describe('HTTP on the same port', () => {
  test('a POST is answered, single and batch, and health is told', async () => {
    const { url, chain } = await start()
    const single = await post(url, JSON.stringify(request('x', 'chain_getHead')))
    expect(await single.json()).toEqual({ jsonrpc: '2.0', id: 'x', result: chain.best().hash })
    const batch = await post(url, JSON.stringify([request(1, 'system_name'), request(2, 'nope')]))
    expect(await batch.json()).toMatchObject([
      { id: 1, result: 'Arbor' },
      { id: 2, error: { code: -32_601 } },
    ])
    const health = await fetch(`${url.replace('ws', 'http')}/health`)
    expect([health.status, await health.json()]).toMatchObject([200, { peers: 0, isSyncing: false, best: 0 }])
  })

  test('wrong types, wrong verbs and large bodies are refused', async () => {
    const { url } = await start({ requestBytes: 1024 })
    expect((await post(url, '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await fetch(url.replace('ws', 'http'), { method: 'DELETE' })).status).toBe(405)
    expect((await post(url, 'x'.repeat(4096))).status).toBe(413)
    expect((await post(url, JSON.stringify(request(1, 'system_name')))).status).toBe(200)
  })
})

test('@polkadot/api connects, transfers with events, follows heads and storage, and reads the past', async () => {
  const { url, chain } = await startOn({ clock: systemClock })
  const api = await ApiPromise.create({
    provider: new WsProvider(url) as ProviderInterface,
    noInitWarn: true,
    signedExtensions: { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } },
  })
  closing.push(() => api.disconnect())
  expect(api.genesisHash.toHex()).toBe(chain.genesisHash)
  expect((await api.rpc.system.chainType()).isDevelopment).toBe(true)

  const heads: number[] = []
  const balances: bigint[] = []
  const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 })
  const [alice, bob] = [keyring.addFromUri('//Alice'), keyring.addFromUri('//Bob//nothing yet')]
  const free = (account: unknown): bigint => BigInt((account as { data: { free: string } }).data.free.toString())
  await api.rpc.chain.subscribeNewHeads((head) => void heads.push(head.number.toNumber()))
  await api.query.system?.account?.(bob.address, (account: unknown) => void balances.push(free(account)))

  const transfer = api.tx.balances?.transferKeepAlive?.(bob.address, 1_000_000n)
  if (transfer === undefined) throw new Error('no transfer in the metadata')
  const states: string[] = []
  const events = await new Promise<string[]>((resolve, reject) => {
    transfer
      .signAndSend(alice, ({ status, events: records }) => {
        states.push(status.type)
        if (status.isFinalized) resolve(records.map(({ event }) => `${event.section}.${event.method}`))
      })
      .catch(reject)
  })
  expect([states[0], states.at(-1)]).toEqual(['Ready', 'Finalized'])
  expect(events).toEqual(expect.arrayContaining(['balances.Transfer', 'system.ExtrinsicSuccess']))
  expect(heads).toEqual([0, 1])
  expect(balances).toEqual([0n, 1_000_000n])

  const past = await api.at(chain.genesisHash)
  expect(free(await past.query.system?.account?.(bob.address))).toBe(0n)
  expect((await transfer.paymentInfo(alice)).partialFee.toBigInt()).toBeGreaterThan(0n)
  expect((await api.rpc.system.accountNextIndex(alice.address)).toNumber()).toBe(1)
})
