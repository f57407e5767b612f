import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChainService } from '@arbor/chain/service'
import { systemClock } from '@arbor/shared/clock'
import type { Blocks } from '@arbor/shared/units'
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api'
import type { SubmittableExtrinsic } from '@polkadot/api/types'
import type { ProviderInterface } from '@polkadot/rpc-provider/types'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

const wasm = new Uint8Array(readFileSync(new URL('../../chain/artifacts/arbor_runtime.wasm', import.meta.url)))

/** Serves a chain that makes a block whenever there is something to include. */
const serve = async (data: string, port: number) => {
  const service = await startChainService({
    wasm,
    data,
    port,
    clock: systemClock,
    mode: { kind: 'instant' },
    finalityLag: 0 as Blocks,
    identity: { name: 'Arbor Development', type: 'Development', version: '0.0.0' },
    host: '127.0.0.1',
    origins: [],
    log: pino({ level: 'silent' }),
  })
  const stop = new AbortController()
  const running = service.run(stop.signal)
  return {
    service,
    stop: async () => {
      stop.abort()
      await Promise.all([service.close(), running])
    },
  }
}

const must = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('the metadata lacks what this test uses')
  return value
}
const free = (account: unknown): bigint => BigInt((account as { data: { free: object } }).data.free.toString())

describe('@polkadot/api', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-polkadot-'))
  let running: Awaited<ReturnType<typeof serve>>
  let provider: WsProvider
  let api: ApiPromise
  const complaints: unknown[][] = []
  const { alice, bob } = ((keyring) => ({
    alice: keyring.addFromUri('//Alice'),
    bob: keyring.addFromUri('//Bob//nothing yet'),
  }))(new Keyring({ type: 'sr25519', ss58Format: 42 }))

  const listen = (): void => {
    complaints.length = 0
    for (const level of ['error', 'warn'] as const) {
      vi.spyOn(console, level).mockImplementation((...words) => void complaints.push(words))
    }
  }
  let atConnect: string[] = []

  beforeAll(async () => {
    listen()
    running = await serve(folder, 0)
    provider = new WsProvider(running.service.url, 50)
    api = await ApiPromise.create({
      provider: provider as ProviderInterface,
      signedExtensions: { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } },
    })
    atConnect = complaints.map((words) => words.join(' '))
  })
  beforeEach(listen)
  afterEach(() => void vi.restoreAllMocks())
  afterAll(async () => {
    await api.disconnect()
    await running.stop()
    rmSync(folder, { recursive: true })
  })

  /** Follows an extrinsic to its finality. */
  const send = (
    extrinsic: SubmittableExtrinsic<'promise'>,
  ): Promise<{ states: string[]; events: string[]; block: string }> =>
    new Promise((resolve, reject) => {
      const states: string[] = []
      extrinsic
        .signAndSend(alice, ({ status, events }) => {
          states.push(status.type)
          if (!status.isFinalized) return
          const names = events.map(({ event }) => `${event.section}.${event.method}`)
          resolve({ states, events: names, block: status.asFinalized.toHex() })
        })
        .catch(reject)
    })

  test('connects and knows the chain', async () => {
    expect(api.genesisHash.toHex()).toBe(running.service.chain.genesisHash)
    expect((await api.rpc.system.chainType()).isDevelopment).toBe(true)
    expect((await api.rpc.system.chain()).toString()).toBe('Arbor Development')
    expect(api.registry.chainDecimals).toEqual([9])
    expect(api.registry.chainTokens).toEqual(['TAO'])
    expect(api.runtimeVersion.specVersion.toNumber()).toBeGreaterThan(0)
    expect((await api.rpc.system.health()).isSyncing.isFalse).toBe(true)
    // The one method that is ours alone is the one thing it remarks upon.
    expect(atConnect).toEqual([expect.stringMatching(/RPC methods not decorated: arbor_reorg$/)])
    expect(complaints).toEqual([])
  })

  test('sends a transfer, hears its events, and follows heads and storage', async () => {
    const heads: number[] = []
    const balances: bigint[] = []
    const stop = [
      await api.rpc.chain.subscribeNewHeads((head) => void heads.push(head.number.toNumber())),
      await must(api.query.system?.account)(bob.address, (account: unknown) => void balances.push(free(account))),
    ] as unknown as (() => void)[]
    const { states, events } = await send(must(api.tx.balances?.transferKeepAlive)(bob.address, 1_000_000n))
    expect([states[0], states.at(-1)]).toEqual(['Ready', 'Finalized'])
    expect(events).toEqual(expect.arrayContaining(['balances.Transfer', 'system.ExtrinsicSuccess']))
    expect(heads).toEqual([0, 1])
    expect(balances).toEqual([0n, 1_000_000n])
    for (const end of stop) end()
    await send(must(api.tx.balances?.transferKeepAlive)(bob.address, 1n))
    expect(heads).toEqual([0, 1])
    expect(complaints).toEqual([])
  })

  test('sends a batch of calls in one extrinsic, and many extrinsics at once', async () => {
    const transfer = (amount: bigint) => must(api.tx.balances?.transferKeepAlive)(bob.address, amount)
    const { events } = await send(must(api.tx.utility?.batchAll)([transfer(5n), transfer(6n)]))
    expect(events.filter((name) => name === 'balances.Transfer').length).toBe(2)
    const before = free(await must(api.query.system?.account)(bob.address))
    const nonce = (await api.rpc.system.accountNextIndex(alice.address)).toNumber()
    const hashes = await Promise.all(
      [0, 1, 2].map((index) => transfer(100n).signAndSend(alice, { nonce: nonce + index })),
    )
    expect(new Set(hashes.map(String)).size).toBe(3)
    await vi.waitFor(async () => expect(free(await must(api.query.system?.account)(bob.address))).toBe(before + 300n))
    expect(complaints).toEqual([])
  })

  test('reads the past, several items at once, whole maps, and what a call would cost', async () => {
    const { chain } = running.service
    const past = await api.at(chain.genesisHash)
    expect(free(await must(past.query.system?.account)(bob.address))).toBe(0n)
    const [now, accounts] = await api.queryMulti([
      must(api.query.timestamp?.now),
      [must(api.query.system?.account), bob.address],
    ])
    expect(Number(now)).toBeGreaterThan(0)
    expect(free(accounts)).toBeGreaterThan(0n)
    const many = await must(api.query.system?.account?.multi)([alice.address, bob.address])
    expect(many.map(free).every((amount) => amount > 0n)).toBe(true)
    const entries = await must(api.query.system?.account).entries()
    expect(entries.length).toBeGreaterThan(5)
    expect((await must(api.query.system?.account).keys()).length).toBe(entries.length)
    expect((await must(api.query.system?.account).size(bob.address)).toNumber()).toBeGreaterThan(0)
    const info = await must(api.tx.balances?.transferKeepAlive)(bob.address, 5n).paymentInfo(alice)
    expect(info.partialFee.toBigInt()).toBeGreaterThan(0n)
    const last = await api.rpc.chain.getBlock()
    expect(last.block.header.number.toNumber()).toBe(chain.best().header.number)
    expect(complaints).toEqual([])
  })

  test('a refused extrinsic is told with the pool’s code', async () => {
    const nobody = new Keyring({ type: 'sr25519' }).addFromUri('//Nobody')
    const refused = must(api.tx.balances?.transferKeepAlive)(bob.address, 5n).signAndSend(nobody)
    await expect(refused).rejects.toThrow('1010: Invalid Transaction: Inability to pay some fees')
  })

  test('goes on after the chain was away, its subscriptions too', async () => {
    const heads: number[] = []
    await api.rpc.chain.subscribeNewHeads((head) => void heads.push(head.number.toNumber()))
    await vi.waitFor(() => expect(heads.length).toBe(1))
    const port = Number(new URL(running.service.url).port)
    const best = running.service.chain.best().header.number
    await running.stop()
    await vi.waitFor(() => expect(provider.isConnected).toBe(false))
    running = await serve(folder, port)
    await vi.waitFor(() => expect(provider.isConnected).toBe(true), { timeout: 20_000 })
    await api.isReady
    const { events } = await send(must(api.tx.balances?.transferKeepAlive)(bob.address, 7n))
    expect(events).toContain('system.ExtrinsicSuccess')
    await vi.waitFor(() => expect(heads.at(-1)).toBe(best + 1))
    // What it says of the lost connection is all it says.
    expect(
      complaints.map((words) => words.join(' ')).filter((words) => !/disconnected from|API-WS/.test(words)),
    ).toEqual([])
  })

  test('disconnects and connects again', async () => {
    await api.disconnect()
    await vi.waitFor(() => expect(provider.isConnected).toBe(false))
    await vi.waitFor(() => expect(running.service.chain.best()).toBeDefined())
    await api.connect()
    await vi.waitFor(() => expect(provider.isConnected).toBe(true))
    expect((await api.rpc.chain.getBlockHash(0)).toHex()).toBe(running.service.chain.genesisHash)
    expect(complaints).toEqual([])
  })
})
