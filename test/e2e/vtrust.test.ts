import { Writable } from 'node:stream'
import { addStake, adminSet, batchAll, burnedRegister, setWeights, sudo } from '@arbor/chain/client/calls'
import { type ChainConnection, connectChain } from '@arbor/chain/client/connect'
import type { Call } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Rao, Uid } from '@arbor/shared/units'
import { explainVtrustCommand } from '@arbor/validator/vtrust/command'
import { explain } from '@arbor/validator/vtrust/explain'
import { readTrust } from '@arbor/validator/vtrust/read'
import { vtrustSchema } from '@arbor/validator/vtrust/report'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RealChain, startRealChain } from './support/real-chain.ts'

const netuid = 1 as NetUid
const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const validators = ['a', 'b', 'c'].map((name) => keypairFromUri(`//Bob//validator-${name}`))
const miners = ['x', 'y', 'z'].map((name) => keypairFromUri(`//Bob//miner-${name}`))
const { signal } = new AbortController()
let process: RealChain
let chain: ChainConnection
const uids = new Map<string, Uid>()

const mustSubmit = async (call: Call, signer: Keypair): Promise<void> => {
  const outcome = await chain.submit(call, { signer, signal, waitFor: 'finalised' })
  if (outcome.status !== 'finalised') throw new Error(JSON.stringify(outcome))
}
const reach = async (block: number): Promise<void> => {
  for await (const head of chain.heads('finalized', signal)) if (head.number >= block) return
}
const uidOf = (key: Keypair): Uid => uids.get(key.address) as Uid

beforeAll(async () => {
  process = await startRealChain()
  chain = await connectChain({ url: process.url, signal, clock: systemClock })
  await mustSubmit(
    batchAll([
      sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: false })),
      sudo(adminSet('weights_set_rate_limit', { netuid, weights_set_rate_limit: 0 })),
    ]),
    alice,
  )
  for (const key of [...validators, ...miners]) await mustSubmit(burnedRegister({ netuid, hotkey: key.address }), bob)
  const stakes = [500, 400, 300]
  await mustSubmit(
    batchAll(
      validators.map(({ address: hotkey }, index) =>
        addStake({ netuid, hotkey, amount: (BigInt(stakes[index] ?? 0) * 1_000_000_000n) as Rao }),
      ),
    ),
    bob,
  )
  for (const { uid, hotkey } of (await chain.metagraph(netuid)).neurons) uids.set(hotkey, uid)
  for (;;) {
    const { neurons, block } = await chain.metagraph(netuid)
    if (validators.every((key) => neurons[uidOf(key)]?.validatorPermit)) break
    await reach(block.number + 1)
  }
  const weights = [
    [65_535, 32_768, 6_000],
    [60_000, 65_535, 9_000],
    [10_000, 20_000, 65_535],
  ]
  await Promise.all(
    validators.map((key, index) => {
      const row = miners.map((miner, of) => [uidOf(miner), weights[index]?.[of] ?? 0] as const)
      return mustSubmit(setWeights({ netuid, row: [...row].sort(([a], [b]) => a - b), version: 0 }), key)
    }),
  )
  const set = (await chain.finalized()).number
  for (;;) {
    const { lastEpochBlock, block } = await chain.metagraph(netuid)
    if (lastEpochBlock > set + 1) break
    await reach(block.number + 1)
  }
}, 120_000)
afterAll(async () => {
  await chain?.close()
  await process?.stop()
})

test('what three disagreeing validators lose sums to the validator trust that the chain holds', async () => {
  const read = await readTrust(chain, netuid)
  expect(read.basis).toBe('epoch')
  for (const key of validators) {
    const report = explain({ netuid, read, hotkey: key.address, reasons: null })
    const held = read.metagraph.neurons[uidOf(key)]?.validatorTrust ?? 0
    const { miners: of = [], trust = 0 } = report.explained ?? {}
    const lost = of.reduce((sum, { clipped }) => sum + clipped, 0)
    expect(Math.abs(1 - lost - held)).toBeLessThanOrEqual(1 / 65_535 + 1e-9)
    expect(Math.abs(trust - held)).toBeLessThanOrEqual(1 / 65_535 + 1e-9)
    expect(held).toBeGreaterThan(0)
    expect(held).toBeLessThan(1)
  }
})

test('the command names the miner that the odd validator overrates, and that three validators are few', async () => {
  const [, , odd] = validators
  const [, , overrated] = miners
  if (odd === undefined || overrated === undefined) throw new Error('unreachable')
  let out = ''
  const stdout = new Writable({
    write: (chunk, _, done) => {
      out += String(chunk)
      done()
    },
  })
  const context = { cwd: process.folder, homedir: process.folder, stdout, stderr: stdout, signal } as never
  const words = ['--network', process.url, '--hotkey', odd.address, '--json']
  await explainVtrustCommand(context).parseAsync(words, { from: 'user' })
  const report = vtrustSchema.parse(JSON.parse(out))
  expect(report.explained?.difference).toEqual([uidOf(overrated)])
  expect(report.explained?.miners[0]).toMatchObject({ uid: uidOf(overrated), verdicts: null })
  const others = report.explained?.miners[0]?.others.flatMap(({ uid, weight }) => (weight > 0 ? [uid] : []))
  expect(others).toEqual(validators.slice(0, 2).map(uidOf))
  expect(report.warnings.join()).toContain('only 3 validators set weights')
})
