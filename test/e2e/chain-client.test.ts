import { spawn } from 'node:child_process'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { transferKeepAlive } from '@arbor/chain/client/calls'
import { type ChainConnection, type ConnectOptions, connectChain } from '@arbor/chain/client/connect'
import type { BlockRef, Submission } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Hex, NetUid, Rao } from '@arbor/shared/units'
import { blake2AsU8a, xxhashAsU8a } from '@polkadot/util-crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedChain, startScriptedChain } from './support/scripted-chain.ts'

const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const netuid = 7 as NetUid
const pay = transferKeepAlive({ to: bob.address, amount: 5n as Rao })
const stop = new AbortController()
let chain: ScriptedChain
let clients: ChainConnection[] = []

beforeEach(async () => {
  chain = await startScriptedChain()
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  clients = []
  await chain.close()
})

const connect = async (options: Partial<ConnectOptions> = {}): Promise<ChainConnection> => {
  const client = await connectChain({ url: chain.url, signal: stop.signal, clock: systemClock, ...options })
  clients.push(client)
  return client
}
const refusal = async (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error) => error,
  )
const submitted = (): string[] =>
  chain.requests
    .filter(({ method }) => method === 'author_submitAndWatchExtrinsic')
    .map(({ params }) => String(params[0]))

/** After address (1 + 1 + 32), signature (1 + 64) and era (2), behind the compact length (2): the compact nonce. */
const nonceOf = (hex: Hex): number => (Buffer.from(hex.slice(2), 'hex')[2 + 1 + 33 + 65 + 2] ?? 0) >> 2

/** Storage key from first principles: xxhash of the names, then each key behind its hasher. */
const key = (item: string, ...keys: Uint8Array[]): string =>
  toHex(Buffer.concat([xxhashAsU8a('SubtensorModule', 128), xxhashAsU8a(item, 128), ...keys]))
const le = (value: bigint | number, bytes: number): Uint8Array => {
  const out = new Uint8Array(bytes)
  for (let index = 0, rest = BigInt(value); index < bytes; index += 1, rest >>= 8n) out[index] = Number(rest & 255n)
  return out
}
const blake = (account: Uint8Array): Uint8Array => Buffer.concat([blake2AsU8a(account, 128), account])

describe('chain client', () => {
  it('metagraph is read at one block from runtime 424, whose netuid is a type of its own', async () => {
    const of = (item: string, value: string) => chain.state.set(key(item, le(netuid, 2)), value as Hex)
    of('NetworksAdded', '0x01')
    of('SubnetworkN', '0x0200')
    of('Tempo', '0x0a00')
    of('MaxAllowedUids', '0x0001')
    of('SubnetOwnerHotkey', toHex(alice.publicKey))
    of('Active', '0x080100')
    of('LastUpdate', toHex(Buffer.concat([Uint8Array.of(8), le(5, 8), le(9, 8)])))
    of('ValidatorPermit', '0x080100')
    of('Incentive', '0x080000ffff')
    of('Dividends', '0x08ffff0000')
    of('Consensus', '0x080000ff7f')
    of('ValidatorTrust', '0x08ffff0000')
    of('Emission', toHex(Buffer.concat([Uint8Array.of(8), le(41, 8), le(42, 8)])))
    of('LastEpochBlock', toHex(le(11, 8)))
    of('SubnetEpochIndex', toHex(le(3, 8)))
    for (const [uid, { publicKey }] of [alice, bob].entries()) {
      chain.state.set(key('Keys', le(netuid, 2), le(uid, 2)), toHex(publicKey))
      chain.state.set(key('BlockAtRegistration', le(netuid, 2), le(uid, 2)), toHex(le(uid + 1, 8)))
      chain.state.set(key('Owner', blake(publicKey)), toHex(alice.publicKey))
      chain.state.set(key('TotalHotkeyAlpha', blake(publicKey), le(netuid, 2)), toHex(le(1000 * (uid + 1), 8)))
    }
    const axon = Buffer.concat([le(4, 8), le(6, 4), le(0x7f000002, 16), le(8091, 2), Uint8Array.of(4, 4, 0, 0)])
    chain.state.set(key('Axons', le(netuid, 2), blake(bob.publicKey)), toHex(axon))
    const client = await connect()
    const at = chain.hashAt(1)
    chain.addBlock()
    chain.requests.length = 0
    const { neurons, ...rest } = await client.metagraph(netuid, at)
    expect(rest).toEqual({
      netuid,
      block: { number: 1, hash: at },
      tempo: 10,
      lastEpochBlock: 11,
      epochIndex: 3,
      maxUids: 256,
      ownerHotkey: alice.address,
    })
    expect(neurons[1]).toEqual({
      uid: 1,
      hotkey: bob.address,
      coldkey: alice.address,
      registeredAt: 2,
      lastUpdate: 9,
      active: false,
      validatorPermit: false,
      axon: { ip: '127.0.0.2', port: 8091, version: 6, protocol: 4 },
      alphaStake: 2000n,
      totalStake: 2000n,
      incentive: 1,
      dividends: 0,
      consensus: 32_767 / 65_535,
      validatorTrust: 0,
      emission: 42n,
    })
    expect(neurons[0]).toMatchObject({ hotkey: alice.address, validatorPermit: true, dividends: 1, axon: null })
    const reads = chain.requests.filter(({ method }) => /^state_(?!subscribe)/.test(method))
    expect(reads.every(({ params }) => params.at(-1) === at)).toBe(true)
    expect(reads.length).toBeLessThanOrEqual(6)
    expect((await refusal(client.metagraph(8 as NetUid))).code).toBe('CHAIN_NO_SUBNET')
  })

  it('request without an answer ends at its deadline and leaves the client usable', async () => {
    const client = await connect({ limits: { requestMs: 200 } })
    chain.silent.add('state_queryStorageAt')
    expect(await refusal(client.balance(alice.address))).toMatchObject({
      code: 'CHAIN_TIMEOUT',
      message: expect.stringContaining(chain.url),
    })
    chain.silent.clear()
    expect(await client.balance(alice.address)).toBe(0n)
  })

  it('read that was under way is answered after the connection came back', async () => {
    const client = await connect()
    chain.silent.add('chain_getFinalizedHead')
    const reading = client.finalized()
    await expect.poll(() => chain.requests.some(({ method }) => method === 'chain_getFinalizedHead')).toBe(true)
    chain.silent.clear()
    chain.drop()
    expect(await reading).toEqual({ number: 1, hash: chain.hashAt(1) })
  })

  it('heads come in order without a gap when the connection was lost between them', async () => {
    const client = await connect()
    const seen: BlockRef[] = []
    const end = new AbortController()
    const following = (async () => {
      for await (const head of client.heads('finalized', end.signal)) seen.push(head)
    })()
    await expect.poll(() => seen.length).toBe(1)
    chain.addBlock()
    await expect.poll(() => seen.length).toBe(2)
    chain.drop()
    for (let block = 0; block < 5; block += 1) chain.addBlock()
    await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(7)
    expect(seen.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(seen.map(({ hash }) => hash)).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => chain.hashAt(number)))
    end.abort()
    await expect(following).rejects.toThrow()
  })

  it('two thousand requests at once are all answered, and more than the bound are refused', async () => {
    const client = await connect()
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => client.chainType()))
    expect(answers).toHaveLength(2_000)
    const flood = await Promise.allSettled(Array.from({ length: 5_000 }, () => client.chainType()))
    const refused = flood.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBe(5_000 - 4_096)
    expect(await client.chainType()).toBe('Development')
  })

  it('client gives up with the address and advice when nothing answers', async () => {
    const limits = { giveUpMs: 300, backoffMs: 50 }
    const { url } = chain
    const client = await connect({ limits })
    await chain.close()
    expect(await refusal(client.best())).toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      message: expect.stringContaining(`${url} (tried for`),
    })
    expect((await refusal(client.best())).code).toBe('CHAIN_UNREACHABLE')
    expect((await refusal(connect({ limits }))).code).toBe('CHAIN_UNREACHABLE')
    chain = await startScriptedChain()
  })

  it('another genesis is refused, at the first connection and after a reconnection', async () => {
    const other: Hex = `0x${'11'.repeat(32)}`
    expect((await refusal(connect({ expectGenesis: other }))).code).toBe('CHAIN_OTHER_GENESIS')
    const client = await connect({ expectGenesis: chain.genesis })
    const port = Number(new URL(chain.url).port)
    await chain.close()
    chain = await startScriptedChain({ port, salt: 1 })
    expect(await refusal(client.best())).toMatchObject({
      code: 'CHAIN_OTHER_GENESIS',
      message: expect.stringContaining(chain.genesis),
    })
  })

  it('address that is no WebSocket is refused at once', async () => {
    expect((await refusal(connect({ url: 'http://127.0.0.1:1' }))).code).toBe('CHAIN_URL')
  })

  it('closed client refuses and closing again does nothing', async () => {
    const client = await connect()
    await client.close()
    await client.close()
    expect((await refusal(client.best())).code).toBe('CHAIN_CLOSED')
    await expect.poll(() => chain.connections).toBe(0)
  })

  it('connection attempt stops when its signal aborts', async () => {
    chain.silent.add('chain_getBlockHash')
    const abort = new AbortController()
    const connecting = refusal(connect({ signal: abort.signal }))
    await expect.poll(() => chain.connections).toBe(1)
    abort.abort(new Error('enough'))
    expect((await connecting).message).toBe('enough')
    await expect.poll(() => chain.connections).toBe(0)
  })

  it('process prints nothing and ends by itself after closing', async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./support/connect-and-close.ts', import.meta.url)), chain.url],
      { stdio: 'pipe' },
    )
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.on('exit', resolve)),
    ])
    expect({ out, err, code }).toEqual({ out: '', err: '', code: 0 })
  })

  it('200 connections leave no socket, timer or memory behind', async () => {
    const cycle = async (times: number): Promise<void> => {
      for (let run = 0; run < times; run += 1) {
        const client = await connectChain({ url: chain.url, signal: stop.signal, clock: systemClock })
        await client.best()
        await client.close()
      }
    }
    const child = spawn(
      process.execPath,
      ['--expose-gc', fileURLToPath(new URL('./support/connect-cycles.ts', import.meta.url)), chain.url, '200'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const report = JSON.parse(await text(child.stdout)) as { heapMb: number[]; rssMb: number[]; handles: string[] }
    expect(report.handles).toEqual([])
    expect((report.heapMb.at(-1) ?? 0) - (report.heapMb[0] ?? 0)).toBeLessThan(15)
    await cycle(1)
    await expect.poll(() => chain.connections).toBe(0)
  }, 240_000)
})

describe('submission', () => {
  const submit = (client: ChainConnection, waitFor?: 'included' | 'finalised'): Promise<Submission> =>
    client.submit(pay, { signer: alice, signal: stop.signal, eraBlocks: 8, ...(waitFor ? { waitFor } : {}) })

  it('lost connection after sending is settled by the blocks, and nothing is sent twice', async () => {
    const client = await connect()
    const submission = submit(client)
    await expect.poll(submitted).toHaveLength(1)
    chain.drop()
    chain.addBlock()
    chain.addBlock([submitted()[0] as Hex])
    expect(await submission).toMatchObject({ status: 'included', block: { number: 3, hash: chain.hashAt(3) } })
    expect(submitted()).toHaveLength(1)
  })

  it('extrinsic that no block took is refused as expired and may be tried again', async () => {
    const client = await connect()
    const submission = submit(client, 'finalised')
    await expect.poll(submitted).toHaveLength(1)
    for (let block = 0; block < 10; block += 1) chain.addBlock()
    expect(await submission).toEqual({
      status: 'refused',
      code: 0,
      error: 'InvalidTransaction.Expired',
      retryable: true,
    })
  })

  it.each([
    [
      1010,
      'Invalid Transaction',
      'Inability to pay some fees (e.g. account balance too low)',
      'InvalidTransaction.Payment',
      false,
    ],
    [1010, 'Invalid Transaction', 'Transaction is outdated', 'InvalidTransaction.Stale', true],
    [1010, 'Invalid Transaction', 'Transaction has a bad signature', 'InvalidTransaction.BadProof', false],
    [1010, 'Invalid Transaction', 'Custom error: 6', 'InvalidTransaction.TxRateLimitExceeded', true],
    [1010, 'Invalid Transaction', 'Custom error: 200', 'InvalidTransaction.Custom200', false],
    [1012, 'Transaction is temporarily banned', undefined, 'Pool.TemporarilyBanned', true],
    [1014, 'Priority is too low: (1 vs 2)', undefined, 'Pool.PriorityTooLow', true],
  ])('pool refusal %i %s (%s) is a typed outcome', async (code, message, data, error, retryable) => {
    chain.answers.set('author_submitAndWatchExtrinsic', () => {
      throw Object.assign(new Error(message), { code, data })
    })
    expect(await submit(await connect())).toEqual({ status: 'refused', code, error, retryable })
  })

  it('C-12 bytes that the pool has already (1013) are looked for in the blocks, and not sent again', async () => {
    const client = await connect()
    chain.answers.set('author_submitAndWatchExtrinsic', () => {
      throw Object.assign(new Error('Transaction is already imported'), { code: 1013 })
    })
    const submission = submit(client)
    await expect.poll(submitted).toHaveLength(1)
    chain.addBlock()
    chain.addBlock([submitted()[0] as Hex])
    expect(await submission).toMatchObject({ status: 'included' })
    expect(submitted()).toHaveLength(1)
  })

  it.each([
    [1010, 'Transaction is outdated', 'InvalidTransaction.Stale'],
    [1014, 'Priority is too low: (1 vs 2)', 'Pool.PriorityTooLow'],
  ])('C-12 refusal %i (%s) is answered with other bytes, a few times at most', async (code, message, error) => {
    const client = await connect()
    const signed: string[] = []
    let refusals = 2
    chain.answers.set('author_submitAndWatchExtrinsic', () => {
      refusals -= 1
      if (refusals >= 0) throw Object.assign(new Error(message), { code })
      return 'sub'
    })
    const submission = client.submit(pay, {
      signer: alice,
      signal: stop.signal,
      eraBlocks: 8,
      onSigned: ({ hash }) => void signed.push(hash),
    })
    await expect.poll(submitted).toHaveLength(3)
    expect(new Set(submitted()).size).toBe(3)
    expect(new Set(signed).size).toBe(3) // who submits has heard of each before it left
    chain.addBlock()
    chain.addBlock([submitted()[2] as Hex])
    for (let block = 0; block < 10; block += 1) chain.addBlock()
    expect(await submission).toMatchObject({ status: 'included' })
    refusals = 100
    expect(await submit(client)).toMatchObject({ status: 'refused', error })
    expect(submitted().length).toBeLessThanOrEqual(7)
    expect(new Set(submitted()).size).toBe(submitted().length)
  })

  it.each([
    ['invalid', 'InvalidTransaction'],
    ['dropped', 'Pool.Dropped'],
    [{ usurped: '0x00' }, 'Pool.Usurped'],
  ])('notice %j ends it as refused', async (notice, error) => {
    const client = await connect()
    const submission = submit(client)
    await expect.poll(submitted).toHaveLength(1)
    chain.notify('author_submitAndWatchExtrinsic', 'ready')
    chain.notify('author_submitAndWatchExtrinsic', notice)
    expect(await submission).toMatchObject({ status: 'refused', error })
  })

  it('concurrent submissions of one account get nonces of their own', async () => {
    const client = await connect()
    const all = Promise.all(Array.from({ length: 5 }, () => submit(client)))
    await expect.poll(submitted).toHaveLength(5)
    const hexes = submitted() as Hex[]
    expect(hexes.map(nonceOf)).toEqual([7, 8, 9, 10, 11])
    const hash = chain.addBlock(hexes)
    chain.notify('author_submitAndWatchExtrinsic', { inBlock: hash })
    expect((await all).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'included'))
  })

  it('nonce of an extrinsic that a restarted node forgot is used again, so that later ones need not outwait its era (C-12)', async () => {
    const client = await connect()
    const lost = submit(client)
    await expect.poll(submitted).toHaveLength(1)
    chain.drop()
    const later = submit(client)
    await expect.poll(submitted).toHaveLength(2)
    const [first = '0x', second = '0x'] = submitted() as Hex[]
    expect([first, second].map(nonceOf)).toEqual([7, 7])
    expect(second).not.toBe(first)
    const hash = chain.addBlock([second])
    chain.notify('author_submitAndWatchExtrinsic', { inBlock: hash })
    expect(await later).toMatchObject({ status: 'included' })
    for (let i = 0; i < 9; i += 1) chain.addBlock([])
    expect(await lost).toEqual({ status: 'refused', code: 0, error: 'InvalidTransaction.Expired', retryable: true })
  })

  it('wait ends with the signal, and the nonce is free again', async () => {
    const client = await connect()
    const abort = new AbortController()
    const submission = refusal(client.submit(pay, { signer: alice, signal: abort.signal }))
    await expect.poll(submitted).toHaveLength(1)
    await wait(1)
    abort.abort(new Error('no longer'))
    expect((await submission).message).toBe('no longer')
  })
})
