import { transferKeepAlive } from '@arbor/chain/client/calls'
import { type ChainConnection, type ConnectOptions, connectChain } from '@arbor/chain/client/connect'
import type { BlockRef } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Rao } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ChainProxy, openChainProxy } from './support/chain-proxy.ts'
import { type ScriptedChain, startScriptedChain } from './support/scripted-chain.ts'

const alice = keypairFromUri('//Alice')
/** Long enough that a busy machine is no fault; a test of a fault makes the span short by which it is known. */
const limits = {
  requestMs: 15_000,
  openMs: 5_000,
  attemptMs: 5_000,
  giveUpMs: 1_500,
  behindMs: 10_000,
  pingMs: 10_000,
  checkMs: 100,
  slowMs: 10_000,
  staleMs: 600_000,
  returnMs: 600_000,
  shunMs: 60_000,
  backoffMs: 50,
}
const deaf = { pingMs: 300 }
const late = { slowMs: 600 }
const { signal } = new AbortController()
let chain: ScriptedChain
let first: ChainProxy
let second: ChainProxy
const closing: (() => Promise<unknown>)[] = []
const logged: { readonly event?: string; readonly fault?: string; readonly url?: string }[] = []

beforeEach(async () => {
  chain = await startScriptedChain()
  first = await openChainProxy({ to: chain.url })
  second = await openChainProxy({ to: chain.url })
  closing.push(
    () => chain.close(),
    () => first.close(),
    () => second.close(),
  )
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  logged.splice(0)
})

const connect = async (options: Partial<ConnectOptions> = {}): Promise<ChainConnection> => {
  const log = { warn: (fields: object) => void logged.push(fields) }
  const client = await connectChain({
    url: [first.url, second.url],
    signal,
    clock: systemClock,
    log,
    ...options,
    limits: { ...limits, ...options.limits },
  })
  closing.push(() => client.close())
  return client
}
const lone = (options: Partial<ConnectOptions> = {}): Promise<ChainConnection> =>
  connect({ url: first.url, ...options })
const refusal = async (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error) => error,
  )
/** Follows final heads into a list. */
const follow = (client: ChainConnection, seen: BlockRef[]): void => {
  const end = new AbortController()
  const following = (async () => {
    for await (const head of client.heads('finalized', end.signal)) seen.push(head)
  })().catch(() => {})
  closing.push(async () => {
    end.abort()
    await following
  })
}
const isMonotonic = (seen: readonly BlockRef[]): boolean =>
  seen.every(({ number }, index) => index === 0 || number > (seen[index - 1]?.number ?? 0))
/** Another chain with the same genesis whose later blocks have other hashes. */
const startFork = async (blocks: number): Promise<ScriptedChain> => {
  const fork = await startScriptedChain()
  closing.push(() => fork.close())
  fork.answers.set('chain_getBlockHash', ([number]) =>
    Number(number) === 0 ? chain.genesis : fork.hashAt(Number(number)),
  )
  for (let block = 0; block < blocks; block += 1) fork.addBlock([], 7)
  return fork
}

describe('endpoints', () => {
  it.each([
    ['is cut', 'cut', {}, () => first.away(true)],
    ['is half-open', 'half-open', deaf, () => first.stall(true)],
    ['answers what was not asked', 'garbled', {}, () => Object.assign(first.faults, { wrongIds: 1 })],
    ['sends what is no JSON', 'garbled', {}, () => Object.assign(first.faults, { cutText: 1 })],
    ['cuts its frames', 'cut', {}, () => Object.assign(first.faults, { cutFrame: 1 })],
    [
      'answers pings and nothing else',
      'slow',
      late,
      () => Object.assign(first.faults, { dropAnswers: 1, dropNotices: 1 }),
    ],
    ['answers too late', 'slow', late, () => Object.assign(first.faults, { delayMs: 3_000 })],
  ])('read under way is answered by the next endpoint when the first %s', async (_, fault, spans, breakIt) => {
    const client = await connect({ limits: spans })
    expect(client.link()).toMatchObject({ endpoint: first.url, connections: 1, failovers: 0 })
    breakIt()
    expect(await client.balance(alice.address)).toBe(0n)
    expect(client.link()).toMatchObject({ endpoint: second.url, reconnects: 1, failovers: 1, lostMs: 0 })
    expect(logged).toContainEqual(expect.objectContaining({ event: 'chain.lost', url: first.url, fault }))
  })

  it('endpoint that never answers the handshake is passed over at the start', async () => {
    first.mute(true)
    const client = await connect({ limits: { attemptMs: 700 } })
    expect(client.link()).toMatchObject({ endpoint: second.url, connections: 1 })
  })

  it('endpoint that is another chain is refused and never used again', async () => {
    const other = await startScriptedChain({ salt: 1 })
    closing.push(() => other.close())
    const client = await connect()
    second.lead(other.url)
    first.away(true)
    await expect.poll(() => client.link().endpoints[1]?.state).toBe('refused')
    first.away(false)
    expect((await client.best()).hash).toBe(chain.hashAt(1))
    expect(second.taken).toBe(1)
    first.away(true)
    expect(await refusal(client.best())).toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      message: /no chain answers at any/,
    })
  })

  it('endpoint that stands still is left for one that has newer blocks', async () => {
    const client = await connect({ limits: { staleMs: 400 } })
    const seen: BlockRef[] = []
    follow(client, seen)
    // The first one's view stops: its head stays what it was.
    const old = chain.hashAt(1)
    first.rewrite('chain_getFinalizedHead', () => old)
    first.rewriteNotice('chain_subscribeFinalizedHeads', () => undefined)
    for (let block = 0; block < 20; block += 1) chain.addBlock()
    await expect.poll(() => client.link().endpoint, { timeout: 5_000 }).toBe(second.url)
    await expect.poll(() => seen.at(-1)?.number).toBe(21)
    expect(isMonotonic(seen)).toBe(true)
  })

  it('more preferred endpoint is gone back to once it is well', async () => {
    const client = await connect({ limits: { returnMs: 300 } })
    first.away(true)
    await client.best()
    expect(client.link().endpoint).toBe(second.url)
    first.away(false)
    await expect.poll(() => client.link().endpoint, { timeout: 5_000 }).toBe(first.url)
    expect(await client.balance(alice.address)).toBe(0n)
  })

  it('secrets in an address reach no log, no error and no status', async () => {
    const secret = first.url.replace('ws://', 'ws://me:hunter2@').concat('/v1/hunter2?key=hunter2')
    const client = await connect({ url: [secret, second.url] })
    first.away(true)
    second.away(true)
    const error = await refusal(client.best())
    expect(error.code).toBe('CHAIN_UNREACHABLE')
    expect(JSON.stringify([error, error.message, client.link(), client.url, client.urls, logged])).not.toContain(
      'hunter2',
    )
  })
})

describe('final blocks', () => {
  it('fork of the only endpoint ends the client with both hashes, and no block of it is told', async () => {
    const client = await lone()
    const seen: BlockRef[] = []
    follow(client, seen)
    await expect.poll(() => seen.length).toBe(1)
    chain.addBlock()
    chain.addBlock()
    await expect.poll(() => seen.length).toBe(3)
    const fork = await startFork(5)
    first.lead(fork.url)
    const error = await refusal(client.finalized())
    expect(error).toMatchObject({ code: 'CHAIN_FORK' })
    expect(error.message).toContain(chain.hashAt(3))
    expect(error.message).toContain(fork.hashAt(3))
    expect(seen.map(({ hash }) => hash)).toEqual([1, 2, 3].map(chain.hashAt))
    expect((await refusal(client.best())).code).toBe('CHAIN_FORK')
  })

  it('endpoint on another fork is refused, and the one that goes on where we are is used', async () => {
    const client = await connect()
    chain.addBlock()
    expect((await client.finalized()).number).toBe(2)
    const fork = await startFork(5)
    first.lead(fork.url)
    expect(await client.finalized()).toEqual({ number: 2, hash: chain.hashAt(2) })
    expect(client.link()).toMatchObject({ endpoint: second.url })
  })

  it('fork that begins while the connection lasts is noticed by the next head', async () => {
    const client = await connect()
    const seen: BlockRef[] = []
    follow(client, seen)
    await expect.poll(() => seen.length).toBe(1)
    chain.addBlock()
    await expect.poll(() => seen.length).toBe(2)
    const fork = await startFork(9)
    first.rewrite('chain_getFinalizedHead', () => fork.hashAt(3))
    first.rewrite('chain_getHeader', (header, [hash]) => (hash === fork.hashAt(3) ? fork.headerAt(3) : header))
    expect(await client.finalized()).toEqual({ number: 2, hash: chain.hashAt(2) })
    expect(client.link()).toMatchObject({ endpoint: second.url, endpoints: [{ state: 'refused' }, { state: 'used' }] })
    expect(seen.map(({ hash }) => hash)).toEqual([1, 2].map(chain.hashAt))
  })

  it('old heads that are told again, and lost ones, leave the order whole and no gap', async () => {
    Object.assign(first.faults, { oldHeads: 0.5, dropNotices: 0.4 })
    const client = await lone()
    const seen: BlockRef[] = []
    follow(client, seen)
    for (let block = 0; block < 60; block += 1) {
      chain.addBlock()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await expect.poll(() => seen.at(-1)?.number, { timeout: 5_000 }).toBe(61)
    const start = seen[0]?.number ?? 0
    expect(seen.map(({ number }) => number)).toEqual(Array.from({ length: 62 - start }, (_, index) => start + index))
  })

  it('chain restarted from an older block is waited for, and goes on when it has caught up', async () => {
    const client = await lone()
    for (let block = 0; block < 20; block += 1) chain.addBlock()
    expect((await client.finalized()).number).toBe(21)
    // It begins again with the same blocks, one by one.
    const again = await startScriptedChain()
    closing.push(() => again.close())
    first.lead(again.url)
    const reading = client.finalized()
    await expect.poll(() => logged.some(({ fault }) => fault === 'behind')).toBe(true)
    for (let block = 0; block < 21; block += 1) again.addBlock()
    expect(await reading).toEqual({ number: 22, hash: again.hashAt(22) })
    expect(again.hashAt(21)).toBe(chain.hashAt(21))
  })

  it('chain that stays behind is given up with the numbers', async () => {
    const client = await lone({ limits: { behindMs: 700, giveUpMs: 500 } })
    for (let block = 0; block < 20; block += 1) chain.addBlock()
    await client.finalized()
    const again = await startScriptedChain()
    closing.push(() => again.close())
    first.lead(again.url)
    expect(await refusal(client.finalized())).toMatchObject({
      code: 'CHAIN_BEHIND',
      message: expect.stringMatching(/last final block is 1, and block 21 was final/),
    })
  })

  it('hash of a final block is the one that was seen, whatever the endpoint says later', async () => {
    const client = await lone()
    await client.finalized()
    first.rewrite('chain_getBlockHash', () => `0x${'ee'.repeat(32)}`)
    expect(await client.blockHash(1 as Block)).toBe(chain.hashAt(1))
    first.rewrite('chain_getBlockHash', null)
    chain.addBlock()
    // One that was not seen must be what its own header says.
    first.rewrite('chain_getBlockHash', (hash, [number]) => (number === 0 ? hash : chain.hashAt(1)))
    expect(await refusal(client.blockHash(2 as Block))).toMatchObject({ code: 'CHAIN_ANSWER' })
  })
})

describe('answers', () => {
  it('storage without a key that was asked for is no absent value: it is asked for again, then told', async () => {
    const client = await lone()
    first.rewrite('state_queryStorageAt', (sets) =>
      (sets as { changes: unknown[] }[]).map((set) => ({ ...set, changes: set.changes.slice(1) })),
    )
    expect(await refusal(client.metagraph(7 as NetUid))).toMatchObject({ code: 'CHAIN_ANSWER' })
    first.rewrite('state_queryStorageAt', (sets) =>
      (sets as object[]).map((set) => ({ ...set, block: `0x${'ab'.repeat(32)}` })),
    )
    expect(await refusal(client.metagraph(7 as NetUid))).toMatchObject({ code: 'CHAIN_ANSWER' })
  })

  it('seeded faults of every kind at once: each read gives what the chain holds, or a typed error', async () => {
    const pair = [alice, keypairFromUri('//Bob')]
    const client = await connect({ limits: { requestMs: 3_000, shunMs: 50, ...late } })
    const shares = { wrongIds: 0.02, cutText: 0.02, cutFrame: 0.02, dropAnswers: 0.01, oldHeads: 0.2, dropNotices: 0.2 }
    Object.assign(first.faults, shares)
    Object.assign(second.faults, shares)
    const reads = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * 10))
        if (index % 10 === 0) chain.addBlock()
        return client.balance(pair[index % 2]?.address ?? alice.address).catch((error) => error)
      }),
    )
    const failed = reads.filter((value) => value !== 0n)
    for (const error of failed) expect(error).toMatchObject({ code: expect.stringMatching(/^CHAIN_/), retryable: true })
    expect(failed.length).toBeLessThan(20)
    expect(client.link().reconnects).toBeGreaterThan(2)
  })
})

describe('submission and upgrade across an outage', () => {
  it('extrinsic whose answer was lost with its endpoint is found in a block over the other, and sent once', async () => {
    const client = await connect()
    first.rewrite('author_submitAndWatchExtrinsic', () => undefined)
    const submission = client.submit(transferKeepAlive({ to: alice.address, amount: 5n as Rao }), {
      signer: alice,
      signal,
      eraBlocks: 8,
    })
    const sent = (): string[] =>
      chain.requests
        .filter(({ method }) => method === 'author_submitAndWatchExtrinsic')
        .map(({ params }) => String(params[0]))
    await expect.poll(sent).toHaveLength(1)
    first.away(true)
    chain.addBlock([sent()[0] as Hex])
    expect(await submission).toMatchObject({ status: 'included', block: { number: 2 } })
    expect(sent()).toHaveLength(1)
  })

  it('code that changed while the connection was lost is known before the next call is signed', async () => {
    const client = await connect()
    expect(client.specVersion).toBe(424)
    first.away(true)
    second.away(true)
    chain.answers.set('state_getRuntimeVersion', () => ({ ...chain.version, specVersion: 425 }))
    second.away(false)
    const signed: number[] = []
    const signer = {
      ...alice,
      address: alice.address,
      sign: async (...of: Parameters<typeof alice.sign>) => {
        signed.push(client.specVersion)
        return alice.sign(...of)
      },
    }
    const abort = new AbortController()
    const submission = refusal(
      client.submit(transferKeepAlive({ to: alice.address, amount: 5n as Rao }), { signer, signal: abort.signal }),
    )
    await expect.poll(() => signed.length).toBe(1)
    abort.abort(new Error('enough'))
    await submission
    expect(signed).toEqual([425])
  })

  it('code that changed without a notice is found by the regular look', async () => {
    const changes: number[] = []
    const client = await lone({ onUpgrade: ({ to }) => void changes.push(to) })
    first.rewriteNotice('state_subscribeRuntimeVersion', () => undefined)
    chain.answers.set('state_getRuntimeVersion', () => ({ ...chain.version, specVersion: 425 }))
    await expect.poll(() => client.specVersion, { timeout: 5_000 }).toBe(425)
    expect(changes).toEqual([425])
  })
})
