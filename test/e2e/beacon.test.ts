import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminSet, commitTimelockedWeights, sudo } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call, WeightRow } from '@arbor/chain/client/types'
import { publicKeyOf, QUICKNET } from '@arbor/chain/timelock/drand'
import { encodePayload } from '@arbor/chain/timelock/payload'
import { drawSealRandomness } from '@arbor/chain/timelock/randomness'
import { seal } from '@arbor/chain/timelock/seal'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import type { Block } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import vectors from '../vectors/chain/timelock.json' with { type: 'json' }
import { alice, netuid, openCommitReveal, validator } from './support/committing.ts'
import { type Running, startArbor } from './support/process.ts'
import { arbor, type RealChain, startRealChain } from './support/real-chain.ts'

const { signal } = new AbortController()
/** Seeded, so that a failure shows again; nobody attacks a test. */
const random = (seed: number) => drawSealRandomness((length) => new Uint8Array(length).fill(seed))

/** A chain on which the validator may commit weights. */
async function startCommitting(more: readonly string[]) {
  const process: RealChain = await startRealChain({ more })
  const chain: ChainConnection = await connectChain({ url: process.url, signal, clock: systemClock })
  const mustSubmit = async (call: Call, signer: Keypair) => {
    const outcome = await chain.submit(call, { signer, signal, waitFor: 'finalised' })
    if (outcome.status !== 'finalised') throw new Error(JSON.stringify(outcome))
    return outcome.block
  }
  const reach = async (fits: () => Promise<boolean>, blocks = 400): Promise<void> => {
    let seen = 0
    for await (const _ of chain.heads('finalized', signal)) {
      if (await fits()) return
      if (++seen > blocks) throw new Error(`not within ${blocks} blocks`)
    }
  }
  const { validator: own, miner: other } = await openCommitReveal({ chain, mustSubmit })
  await reach(async () => (await chain.metagraph(netuid)).neurons[own]?.validatorPermit === true)
  return { process, chain, mustSubmit, reach, own, other }
}
type Committing = Awaited<ReturnType<typeof startCommitting>>
const stop = async (of: Committing | undefined): Promise<void> => {
  await of?.chain.close()
  await of?.process.stop()
}
const pending = async ({ chain }: Committing) =>
  (await chain.pendingCommits({ netuid, hotkey: validator.address })).commits
/** Waits for the beginning of an epoch: the next one is then far enough for a round that is not public yet. */
const epochBegins = (of: Committing) =>
  of.reach(async () => {
    const { schedule } = await of.chain.commitReveal(netuid)
    return schedule.block - schedule.lastEpochBlock <= 2
  })
/** Makes epochs of 20 s, in which commands that start slowly have their turn. */
const slow = (of: Committing) => of.mustSubmit(sudo(adminSet('tempo', { netuid, tempo: 80 })), alice)
const lastRound = async ({ chain }: Committing): Promise<bigint> =>
  (await chain.beacon((await chain.finalized()).hash)).lastStoredRound

/** Both chains start at once, since each waits an epoch for its validator's permit. */
let local: Committing
let quicknet: Committing
let patches: string
beforeAll(async () => {
  patches = await mkdtemp(join(tmpdir(), 'arbor-quicknet-'))
  const patch = join(patches, 'patch.json')
  const { publicKey, periodS, genesisS } = QUICKNET
  const named = { publicKey: toHex(publicKey), period: periodS, genesisTime: genesisS, name: 'quicknet' }
  await writeFile(patch, JSON.stringify({ drand: { beacon: named } }))
  ;[local, quicknet] = await Promise.all([startCommitting([]), startCommitting(['--patch', patch])])
}, 120_000)
afterAll(async () => {
  await Promise.all([stop(local), stop(quicknet)])
  await rm(patches, { recursive: true, force: true })
})

describe('chain with a local beacon', () => {
  let on: Committing
  let home: string
  let beacon: Running | null = null
  const startBeacon = async (...words: string[]): Promise<Running> => {
    const running = startArbor({ home, words: ['chain', 'beacon', '--json', '--url', on.process.url, ...words] })
    await running.event('beacon.ready')
    return running
  }
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'arbor-beacon-'))
    on = local
  })
  afterAll(async () => {
    await beacon?.stop()
    await rm(home, { recursive: true, force: true })
  })

  it('key that the genesis does not name is refused', async () => {
    const made = await arbor(home, 'chain', 'beacon', '--new-key', join(home, 'key'))
    expect(JSON.parse(made.out)).toMatchObject({
      drand: { beacon: { publicKey: expect.stringMatching(/^0x[0-9a-f]{192}$/) } },
    })
    const refused = await arbor(home, 'chain', 'beacon', '--key', join(home, 'key'), '--url', on.process.url)
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/BEACON_OTHER_KEY/)
    expect(await lastRound(on)).toBe(0n)
  })

  it('sealed weights are pending, opened when their round comes, and are what was sealed', async () => {
    beacon = await startBeacon('--dev')
    await on.reach(async () => (await lastRound(on)) > 0n)
    const row: WeightRow = [
      [on.own, 300],
      [on.other, 65_535],
    ]
    await epochBegins(on)
    const sealed = await on.chain.sealWeights({ netuid, hotkey: validator.address, row, version: 5n }, random(1))
    const committed = await on.mustSubmit(commitTimelockedWeights(sealed), validator)
    expect(await pending(on)).toMatchObject([
      { block: committed.number, sealed: { kind: 'timelocked', round: sealed.round }, status: 'waiting' },
    ])
    expect((await pending(on))[0]?.window?.from).toBe(sealed.opensAt)
    const commit = { netuid, mechanism: 0, hotkey: validator.address, row, committedAt: committed.number }
    expect(await on.chain.revealed(commit)).toMatchObject({ kind: 'other', found: [] })
    await on.reach(async () => (await on.chain.revealed(commit)).kind === 'revealed')
    expect(await on.chain.weights(netuid, on.own)).toEqual(row)
    expect(await pending(on)).toEqual([])
    expect(await on.chain.signature(sealed.round, (await on.chain.finalized()).hash)).toHaveLength(48)
  })

  it('beacon that was killed goes on where the chain stands, and opens what was sealed before', async () => {
    const row: WeightRow = [[on.other, 65_535]]
    await slow(on)
    await beacon?.kill9()
    const before = await lastRound(on)
    await epochBegins(on)
    const sealed = await on.chain.sealWeights({ netuid, hotkey: validator.address, row, version: 0n }, random(2))
    const committed = await on.mustSubmit(commitTimelockedWeights(sealed), validator)
    beacon = await startBeacon('--dev')
    const commit = { netuid, mechanism: 0, hotkey: validator.address, row, committedAt: committed.number }
    await on.reach(async () => (await on.chain.revealed(commit)).kind === 'revealed')
    expect(await lastRound(on)).toBeGreaterThan(before)
    expect(await beacon.stop()).toBe(0)
    beacon = null
  })
})

// The next two wait for rounds of three seconds, each on a chain of its own, so they wait together.
describe.concurrent('chain that is killed under its beacon', () => {
  it('is signed for again when it is back, without a gap in what it missed', async () => {
    const home = await mkdtemp(join(tmpdir(), 'arbor-restart-'))
    const run = async (port: string): Promise<{ readonly chain: Running; readonly url: string }> => {
      const words = ['chain', 'run', '--dev', '--json', '--data', join(home, 'data'), '--port', port]
      const chain = startArbor({ home, words: [...words, '--block-time', '250ms'] })
      return { chain, url: String((await chain.event('chain.ready')).url) }
    }
    const first = await run('0')
    const beacon = startArbor({ home, words: ['chain', 'beacon', '--dev', '--json', '--url', first.url] })
    const client = await connectChain({ url: first.url, signal, clock: systemClock })
    const waitFor = async (round: bigint): Promise<void> => {
      for await (const { hash } of client.heads('best', signal))
        if ((await client.beacon(hash)).lastStoredRound >= round) return
    }
    await waitFor(1n)
    const { lastStoredRound: before } = await client.beacon((await client.best()).hash)
    await first.chain.kill9()
    const second = await run(new URL(first.url).port)
    await waitFor(before + 4n)
    const { hash } = await client.best()
    for (let round = before; round <= before + 4n; round += 1n)
      expect(await client.signature(round, hash)).toHaveLength(48)
    await client.close()
    expect(await beacon.stop()).toBe(0)
    expect(await second.chain.stop()).toBe(0)
    await rm(home, { recursive: true, force: true })
  })
})

describe.concurrent('chain that signs in its own process', () => {
  it('stores round after round, and stops when it is told to', async () => {
    const process = await startRealChain({ more: ['--beacon'] })
    const chain = await connectChain({ url: process.url, signal, clock: systemClock })
    const rounds: bigint[] = []
    for await (const { hash } of chain.heads('finalized', signal)) {
      const { lastStoredRound } = await chain.beacon(hash)
      if (lastStoredRound > (rounds.at(-1) ?? 0n)) rounds.push(lastStoredRound)
      if (rounds.length === 3) break
    }
    expect(rounds).toEqual([rounds[0], (rounds[0] ?? 0n) + 1n, (rounds[0] ?? 0n) + 2n])
    await chain.close()
    await process.stop()
  })
})

describe('chain whose genesis names quicknet', () => {
  let on: Committing
  let home: string
  beforeAll(() => {
    on = quicknet
    home = patches
  })
  const sealedFor = (beacon: { readonly publicKey: Uint8Array }, row: WeightRow, seed: number) => ({
    netuid,
    mechanism: 0,
    sealed: seal(beacon, 1000n, encodePayload({ hotkey: validator.publicKey, row, version: 3n }), random(seed)),
    round: 1000n,
    version: 4,
  })

  it('recorded pulse of round 1000 opens what was sealed for it, and what another key sealed is told as lost', async () => {
    const row: WeightRow = [
      [on.own, 7],
      [on.other, 65_535],
    ]
    await slow(on)
    const { number } = await on.mustSubmit(commitTimelockedWeights(sealedFor(QUICKNET, row, 3)), validator)
    const file = join(home, 'pulses.json')
    await writeFile(file, JSON.stringify([{ round: 1000, signature: vectors.drand.signature }]))
    const relay = () => arbor(home, 'chain', 'beacon', '--relay', file, '--url', on.process.url)
    const relayed = await relay()
    expect([relayed.code, relayed.out, relayed.err]).toEqual([0, 'the chain took round 1000\n', ''])
    const commit = { netuid, mechanism: 0, hotkey: validator.address, row, committedAt: number }
    await on.reach(async () => (await on.chain.revealed(commit)).kind === 'revealed')
    expect(await relay()).toMatchObject({ code: 0, out: 'the chain has them all already\n' })

    // Sealed for another beacon's round 1000: the chain cannot open it, and the client sees that it did not.
    const lost: WeightRow = [[on.other, 65_535]]
    const bad = await on.mustSubmit(
      commitTimelockedWeights(sealedFor({ publicKey: publicKeyOf(5n) }, lost, 4)),
      validator,
    )
    await on.reach(async () => (await pending(on)).length === 0)
    const own = { netuid, mechanism: 0, hotkey: validator.address, row: lost, committedAt: bad.number as Block }
    expect(await on.chain.revealed(own)).toEqual({ kind: 'other', found: row, changedHands: [] })
  })

  it('pulse that is not quicknet’s is refused before it is sent', async () => {
    const file = join(home, 'forged.json')
    await writeFile(file, JSON.stringify([{ round: 1001, signature: vectors.drand.signature }]))
    const { code, err } = await arbor(home, 'chain', 'beacon', '--relay', file, '--url', on.process.url)
    expect([code, err]).toEqual([1, expect.stringMatching(/^BEACON_RELAY_REFUSED: .*round 1001/)])
  })
})
