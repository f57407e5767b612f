import { join } from 'node:path'
import { adminSet, batchAll, sudo } from '@arbor/chain/client/calls'
import type { WeightRow } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import { statusSchema } from '@arbor/validator/weights/status'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Net, netuid, startNet } from './support/net.ts'
import type { Running, Said } from './support/process.ts'
import { arbor } from './support/real-chain.ts'

const alice = keypairFromUri('//Alice')
let net: Net
let validator: Running

const start = (): Running => {
  validator = net.start('validator-1', '--log-level', 'debug')
  return validator
}
const held = async (): Promise<WeightRow> => {
  const { neurons, block } = await net.client.metagraph(netuid)
  const { uid } = net.neuron(net.member('validator-1').hotkey, { neurons } as never)
  return net.client.weights(netuid, uid, block.hash)
}
/** Waits for a new commit, kills the validator while it waits to be opened, and expects its successor to see it through. */
const killedBetween = async (method: 'salted' | 'timelocked'): Promise<Said> => {
  const seen = Math.max(0, ...validator.events.map(({ attempt }) => Number(attempt ?? 0)))
  const isNew = (said: Said): boolean => said.method === method && Number(said.attempt) > seen
  const committed = await validator.event('weights.committed', isNew)
  await validator.kill9()
  start()
  const confirmed = await validator.event('weights.confirmed', ({ attempt }) => attempt === committed.attempt)
  expect(confirmed).toMatchObject({ row: committed.row, method, block: expect.any(Number) })
  expect(Number(confirmed.block)).toBeGreaterThanOrEqual(Number(confirmed.includedAt))
  expect(validator.events.filter(({ event }) => event === 'weights.mismatch' || event === 'weights.lost')).toEqual([])
  return confirmed
}
const status = (...words: string[]) =>
  arbor(net.folder, 'validator', 'status', '--data', join(net.folder, 'validator-1'), '--network', net.url, ...words)

beforeAll(async () => {
  net = await startNet({ honest: 1, validators: 1, address: 171 })
  const rules = batchAll([
    sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: true })),
    sudo(adminSet('tempo', { netuid, tempo: 60 })),
  ])
  // 15 s an epoch: a process that starts slowly is back before its commit expires.
  expect(await net.client.submit(rules, { signer: alice, signal: net.signal })).toMatchObject({ status: 'included' })
  net.start('miner-1')
  start()
}, 120_000)
afterAll(() => net?.close())

test('C-06 salted row is committed once an epoch, outlives kill -9, is opened and read back; status tells of it', async () => {
  const confirmed = await killedBetween('salted')
  expect(await held()).toEqual(confirmed.row)
  const found = statusSchema.parse(JSON.parse((await status('--json')).out))
  expect(found).toMatchObject({
    netuid,
    hotkey: net.member('validator-1').hotkey,
    chain: { url: expect.any(String) },
    confirmed: { method: 'salted', state: 'confirmed' },
  })
  expect(found.confirmed?.attempt).toBeGreaterThanOrEqual(Number(confirmed.attempt))
  expect(found.temposSinceInclusion).toBeGreaterThanOrEqual(0)
}, 180_000)

test('C-07 timelocked row is preferred once the beacon speaks, outlives kill -9, and is read back as the chain opened it', async () => {
  const beacon = net.run(['chain', 'beacon', '--dev', '--json', '--url', net.url])
  await beacon.event('beacon.ready')
  const confirmed = await killedBetween('timelocked')
  expect(await held()).toEqual(confirmed.row)
}, 180_000)

test('row is told while the chain is away, and set in the open when the subnet turns commit-reveal off', async () => {
  const off = sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: false }))
  expect(await net.client.submit(off, { signer: alice, signal: net.signal })).toMatchObject({ status: 'included' })
  await validator.event('weights.confirmed', ({ method }) => method === 'open')
  await net.chain.kill9()
  const told = await status()
  expect(told).toMatchObject({ code: 0, out: expect.stringMatching(/^chain {5}away: CHAIN_UNREACHABLE/m) })
  expect(told.out).toMatch(/^set {7}attempt \d+, a row of 1, open, in block \d+, read back at \d+$/m)
}, 120_000)
