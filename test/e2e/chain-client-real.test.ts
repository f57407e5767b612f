import {
  addStake,
  adminSet,
  batchAll,
  burnedRegister,
  setWeights,
  sudo,
  transferKeepAlive,
} from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Rao, Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RealChain, startRealChain } from './support/real-chain.ts'
import { reconnect, upgrade } from './support/reconnecting.ts'

const TAO = 1_000_000_000n
const netuid = 1 as NetUid
const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const hotkey = keypairFromUri('//Bob//validator')
const { signal } = new AbortController()
let process: RealChain
let chain: ChainConnection
beforeAll(async () => {
  process = await startRealChain()
  chain = await connectChain({ url: process.url, signal, clock: systemClock })
}, 120_000)
afterAll(async () => {
  await chain?.close()
  await process?.stop()
})

const submit = (call: Call, signer: Keypair, waitFor: 'included' | 'finalised' = 'included') =>
  chain.submit(call, { signer, signal, waitFor })
const transfer = (amount: bigint) => transferKeepAlive({ to: bob.address, amount: amount as Rao })

describe('client on the development chain', () => {
  it('transfer arrives to the rao and its events are the block’s', async () => {
    const before = await chain.balance(bob.address)
    const result = await submit(transfer(5n), alice, 'finalised')
    if (result.status !== 'finalised') throw new Error(JSON.stringify(result))
    expect(await chain.balance(bob.address, result.block.hash)).toBe(before + 5n)
    expect(await chain.blockHash(result.block.number)).toBe(result.block.hash)
    expect(result.events).toContainEqual(expect.objectContaining({ pallet: 'System', name: 'ExtrinsicSuccess' }))
    const all = await chain.events(result.block.hash)
    for (const event of result.events) expect(all).toContainEqual(event)
  })

  it('failure is told by the chain’s name, plain, in a batch and in sudo', async () => {
    const register = burnedRegister({ netuid: 999 as NetUid, hotkey: hotkey.address })
    const plain = await submit(register, bob)
    expect(plain).toMatchObject({
      status: 'failed',
      error: 'SubtensorModule.SubnetNotExists',
      docs: expect.stringMatching(/subnet/i),
    })
    expect(await submit(batchAll([transfer(1n), register]), bob)).toMatchObject({
      status: 'failed',
      error: 'SubtensorModule.SubnetNotExists',
    })
    const tempo = adminSet('tempo', { netuid: 999, tempo: 10 })
    expect(await submit(sudo(tempo), alice)).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/SubnetDoesNotExist|SubnetNotExists/),
    })
  })

  it('account without money is refused by the pool', async () => {
    expect(await submit(transfer(1n), keypairFromUri('//Nobody'))).toMatchObject({
      status: 'refused',
      code: 1010,
      error: 'InvalidTransaction.Payment',
      retryable: false,
    })
  })

  it('twenty submissions at once of one account all go through', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => submit(transfer(BigInt(index + 1)), alice)),
    )
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'included'))
  })

  it('registered and staked hotkey is read back with its coldkey, stake and weights', async () => {
    const cost = await chain.registrationCost(netuid)
    expect(cost).toBeGreaterThan(0n)
    expect((await submit(burnedRegister({ netuid, hotkey: hotkey.address }), bob)).status).toBe('included')
    expect((await submit(addStake({ netuid, hotkey: hotkey.address, amount: (200n * TAO) as Rao }), bob)).status).toBe(
      'included',
    )
    expect(await chain.owner(hotkey.address)).toBe(bob.address)
    expect(await chain.owner(keypairFromUri('//Nobody').address)).toBeNull()
    const { neurons, tempo, maxUids } = await chain.metagraph(netuid)
    const neuron = neurons.find((entry) => entry.hotkey === hotkey.address)
    expect(neuron).toMatchObject({ coldkey: bob.address, axon: null })
    const stake = await chain.stake({ hotkey: hotkey.address, netuid, coldkey: bob.address })
    expect(stake).toBeGreaterThan(0n)
    expect(await chain.stake({ hotkey: hotkey.address, netuid })).toBe(stake)
    expect(maxUids).toBeGreaterThanOrEqual(neurons.length)
    const { tempo: sameTempo, weightsVersion } = await chain.hyperparameters(netuid)
    expect(sameTempo).toBe(tempo)
    const row = [[neuron?.uid ?? (0 as Uid), 65_535]] as const
    const set = await submit(setWeights({ netuid, row, version: weightsVersion }), hotkey)
    expect(set).toMatchObject({ status: 'included' })
    if (set.status === 'included')
      expect(await chain.weights(netuid, neuron?.uid ?? (0 as Uid), set.block.hash)).toEqual(row)
  })

  it('metagraph agrees with the runtime’s own view of the same block', async () => {
    const { hash } = await chain.best()
    const metagraph = await chain.metagraph(netuid, hash)
    expect(metagraph.block.hash).toBe(hash)
    expect(await chain.netuids(hash)).toContain(netuid)
    expect(Number(await chain.read('SubtensorModule', 'SubnetworkN', [netuid], hash))).toBe(metagraph.neurons.length)
    for (const { uid, hotkey: address } of metagraph.neurons) {
      expect(await chain.read('SubtensorModule', 'Uids', [netuid, address], hash)).toBe(BigInt(uid))
    }
  })

  it('heads follow without a gap', async () => {
    const numbers: number[] = []
    for await (const { number, hash } of chain.heads('finalized', signal)) {
      expect(await chain.blockHash(number)).toBe(hash)
      if (numbers.push(number) === 5) break
    }
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
  })
})

describe('client that is disturbed again and again', () => {
  it('60 reconnections over two addresses leave no memory and no open file behind', async () => {
    const { held, link, heads } = await reconnect(process.url, 60)
    expect(link).toMatchObject({ reconnects: 60, lostMs: 0 })
    expect(heads).toBeGreaterThan(1)
    const [start, settled, end] = [held[0], held[3], held.at(-1)]
    expect(end?.files).toBeLessThanOrEqual((start?.files ?? 0) + 1)
    // One registry of types or one kept metagraph more would show: the first takes ten of them.
    expect(((end?.heapBytes ?? 0) - (settled?.heapBytes ?? 0)) / 2 ** 20).toBeLessThan(3)
  }, 60_000)

  it('ten upgrades leave the codecs of four versions in memory, not of ten', async () => {
    const { held } = await upgrade(10)
    expect(held.map(({ after }) => after)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const heapMb = held.map(({ heapBytes }) => heapBytes / 2 ** 20)
    expect((heapMb[10] ?? 0) - (heapMb[4] ?? 0)).toBeLessThan(6)
  }, 60_000)
})
