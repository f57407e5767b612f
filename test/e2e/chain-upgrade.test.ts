import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { startCall, transferKeepAlive } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call, Submission } from '@arbor/chain/client/types'
import type { RuntimeChange } from '@arbor/chain/client/upgrades'
import { systemClock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Hex, NetUid, Rao } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upgradedBlob } from '../../chain/test/support/upgraded-blob.ts'
import { arbor, type RealChain, startRealChain } from './support/real-chain.ts'

const NEW = 1_000
const netuid = 1 as NetUid
const [alice, bob, charlie] = ['//Alice', '//Bob', '//Charlie'].map(keypairFromUri) as [Keypair, Keypair, Keypair]
const { signal } = new AbortController()
const logged: { readonly fields: object; readonly text: string }[] = []
const changes: RuntimeChange[] = []
let process: RealChain
let chain: ChainConnection
/** A block before the upgrade. */
let before: Hex

/** What Substrate takes for a compressed runtime. @source sp_maybe_compressed_blob ZSTD_PREFIX */
const compressed = (code: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(82, 188, 83, 118, 70, 219, 142, 5), zstdCompressSync(code)])

const setCode = (code: Uint8Array): Call => ({
  pallet: 'Sudo',
  call: 'sudo_unchecked_weight',
  args: {
    call: { pallet: 'System', call: 'set_code', args: { code: toHex(compressed(code)) } },
    weight: { ref_time: 0, proof_size: 0 },
  },
})
const submit = (call: Call, signer: Keypair): Promise<Submission> =>
  chain.submit(call, { signer, signal, waitFor: 'finalised' })
const pay = (amount: bigint) => transferKeepAlive({ to: charlie.address, amount: amount as Rao })
const refusal = (work: Promise<unknown>): Promise<{ readonly code?: string; readonly message: string }> =>
  work.then(
    () => ({ message: 'accepted' }),
    (error) => error,
  )

beforeAll(async () => {
  process = await startRealChain()
  chain = await connectChain({
    url: process.url,
    signal,
    clock: systemClock,
    log: { warn: (fields, text) => void logged.push({ fields, text }) },
    onUpgrade: (change) => void changes.push(change),
  })
}, 120_000)
afterAll(async () => {
  await chain?.close()
  await process?.stop()
})

describe('chain that replaces its code while clients are connected', () => {
  it('client hears of it, says what changed, and every payment that was on its way is settled', async () => {
    const paid = await submit(pay(1n), bob)
    if (paid.status !== 'finalised') throw new Error(JSON.stringify(paid))
    before = paid.block.hash
    const code = upgradedBlob({
      specVersion: NEW,
      rename: [
        ['start_call', 'start_cull'],
        ['ServingRateLimit', 'ServingRateLimut'],
      ],
    })
    let done = false
    const paying = (async () => {
      const outcomes: Submission[] = []
      while (!done) outcomes.push(await submit(pay(1n), bob))
      return outcomes
    })()
    const upgraded = await submit(setCode(code), alice)
    expect(upgraded).toMatchObject({ status: 'finalised' })
    await expect.poll(() => chain.specVersion, { timeout: 10_000 }).toBe(NEW)
    done = true
    for (const outcome of await paying) {
      if (outcome.status === 'refused') expect(outcome.retryable).toBe(true)
      else expect(outcome.status).toBe('finalised')
    }
    expect(changes).toMatchObject([{ to: NEW, broken: ['hyperparameters', 'subnet'], mended: [] }])
    expect(changes[0]?.changed.map(({ kind, name, status }) => `${kind} ${name} ${status}`)).toEqual([
      'call SubtensorModule.start_call missing',
      'storage SubtensorModule.ServingRateLimit missing',
    ])
    const told = logged.filter(({ fields }) => 'event' in fields && fields.event === 'chain.upgraded')
    expect(told).toHaveLength(1)
    expect(told[0]?.text).toMatch(
      /to 1000; changed: call SubtensorModule.start_call .*works no more: .*arbor subnet create/,
    )
  })

  it('client goes on with the new code: calls, events, the metagraph and heads', async () => {
    const held = await chain.balance(charlie.address)
    const paid = await submit(pay(7n), bob)
    if (paid.status !== 'finalised') throw new Error(JSON.stringify(paid))
    expect(await chain.balance(charlie.address, paid.block.hash)).toBe(held + 7n)
    expect(paid.events).toContainEqual(expect.objectContaining({ pallet: 'System', name: 'ExtrinsicSuccess' }))
    expect((await chain.metagraph(netuid)).neurons.length).toBeGreaterThan(0)
    let heads = 0
    for await (const _ of chain.heads('finalized', signal)) if (++heads === 3) break
  })

  it('call and storage item that are gone are refused by name', async () => {
    expect(await refusal(submit(startCall({ netuid }), alice))).toMatchObject({
      code: 'CHAIN_NO_ITEM',
      message: expect.stringMatching(/SubtensorModule\.start_call at spec version 1000/),
    })
    expect(await refusal(chain.hyperparameters(netuid))).toMatchObject({
      code: 'CHAIN_NO_ITEM',
      message: expect.stringContaining('SubtensorModule.ServingRateLimit'),
    })
  })

  it('blocks from before are read by the code of then', async () => {
    expect((await chain.hyperparameters(netuid, before)).servingRateLimit).toBe(1)
    expect((await chain.metagraph(netuid, before)).neurons.length).toBeGreaterThan(0)
    expect(await chain.events(before)).toContainEqual(expect.objectContaining({ pallet: 'Balances', name: 'Transfer' }))
    const fresh = await connectChain({ url: process.url, signal, clock: systemClock })
    expect(fresh.specVersion).toBe(NEW)
    expect((await fresh.hyperparameters(netuid, before)).servingRateLimit).toBe(1)
    expect(await refusal(fresh.hyperparameters(netuid))).toMatchObject({ code: 'CHAIN_NO_ITEM' })
    await fresh.close()
  })

  it('client that needs what is gone does not connect, and says what it is', async () => {
    const options = { url: process.url, signal, clock: systemClock, needs: ['hyperparameters'] as const }
    expect(await refusal(connectChain(options))).toMatchObject({
      code: 'CHAIN_INCOMPATIBLE',
      message: expect.stringMatching(/spec version 1000.*storage SubtensorModule.ServingRateLimit missing/),
    })
  })

  it('arbor chain compat names it, with exit code 1, from the chain and from a file', async () => {
    const home = await mkdtemp(join(tmpdir(), 'arbor-compat-'))
    const live = await arbor(home, 'chain', 'compat', '--url', process.url)
    expect(live.code).toBe(1)
    expect(live.out).toMatch(/missing storage SubtensorModule.ServingRateLimit/)
    expect(live.err).toMatch(/^CHAIN_INCOMPATIBLE: .*reading hyperparameters/)
    const file = join(home, 'garbage')
    await writeFile(file, 'no metadata')
    const bad = await arbor(home, 'chain', 'compat', '--metadata', file)
    expect([bad.code, bad.out]).toEqual([1, ''])
    expect(bad.err).toMatch(/^CHAIN_METADATA: /)
    await rm(home, { recursive: true })
  })
})
