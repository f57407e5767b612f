import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ss58 } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { must, type Net, netuid, startNet } from './support/net.ts'
import type { Running, Said } from './support/process.ts'
import { arbor } from './support/real-chain.ts'

/** Address of the newcomer: the next one that no miner of the net has. */
const newcomerIp = '127.0.0.37'
let net: Net
let home = ''
let validators: readonly Running[] = []

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'arbor-newcomer-'))
  net = await startNet({ honest: 2, validators: 2, address: 31 })
  const miners = ['miner-1', 'miner-2'].map((name) => net.start(name))
  await Promise.all(miners.map((miner) => miner.event('miner.ready')))
  validators = ['validator-1', 'validator-2'].map((name) => net.start(name))
  await Promise.all(validators.map((validator) => validator.event('weights.confirmed')))
}, 180_000)
afterAll(async () => {
  await net?.close()
  rmSync(home, { recursive: true, force: true })
})

/** Runs a command in the newcomer's folder; it must succeed and print one JSON document. */
const json = async (...words: readonly string[]): Promise<Record<string, unknown>> => {
  const { out, err, code } = await arbor(home, ...words, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Record<string, unknown>
}
const online = (...words: readonly string[]): readonly string[] => [...words, '--network', net.url]
const verdictOn =
  (hotkey: Ss58) =>
  ({ verdicts }: Said): boolean =>
    (verdicts as readonly { hotkey: Ss58; reason: string }[]).some((v) => v.hotkey === hotkey && v.reason === 'ok')
const stakeOf = (hotkey: Ss58): Promise<bigint> => net.client.stake({ hotkey, netuid })

/** Makes a wallet with funds in the newcomer's home and registers it. */
const enter = async (wallet: string): Promise<{ readonly hotkey: Ss58; readonly uid: number }> => {
  const { hotkey } = await json('wallet', 'create', '--wallet', wallet)
  await json(...online('faucet', '--wallet', wallet, '--amount', '2500'))
  const { uid } = await json(...online('register', '--netuid', '1', '--wallet', wallet))
  return { hotkey: String(hotkey) as Ss58, uid: Number(uid) }
}

// One story in one home: each step needs the ones before it.
describe('a newcomer in another folder with new wallets', { timeout: 240_000 }, () => {
  let miner: { readonly hotkey: Ss58; readonly uid: number }

  test('creates a subnet that the list shows', async () => {
    await json('wallet', 'create', '--wallet', 'founder')
    await json(...online('faucet', '--wallet', 'founder', '--amount', '2500'))
    const created = await json(...online('subnet', 'create', '--wallet', 'founder'))
    expect(created).toMatchObject({ netuid: 2, started: true })
    const { subnets } = (await json(...online('subnet', 'list'))) as { subnets: readonly { netuid: number }[] }
    expect(subnets.map((subnet) => subnet.netuid)).toEqual([0, 1, 2])
  })

  test('is queried, scored, weighed and paid as a miner', async () => {
    miner = await enter('m')
    const words = ['miner', ...online(), '--wallet', 'm', '--spec', 'inference-tiny', '--ip', newcomerIp, '--port', '0']
    const ready = await net.run(words, home).event('miner.ready')
    expect(ready).toMatchObject({ uid: miner.uid, hotkey: miner.hotkey })
    for (const validator of validators) await validator.event('round.done', verdictOn(miner.hotkey))
    const weighed = await net.until(async (metagraph) => {
      const rows = await Promise.all(
        ['validator-1', 'validator-2'].map((name) =>
          net.client.weights(netuid, net.neuron(net.member(name).hotkey, metagraph).uid, metagraph.block.hash),
        ),
      )
      return rows.every((row) => row.some(([uid, weight]) => uid === miner.uid && weight > 0)) ? metagraph : undefined
    })
    const before = await net.client.stake({ hotkey: miner.hotkey, netuid }, weighed.block.hash)
    const paid = await net.until(async (metagraph) => {
      const stake = await net.client.stake({ hotkey: miner.hotkey, netuid }, metagraph.block.hash)
      return stake > before && metagraph.epochIndex > weighed.epochIndex + 1 ? metagraph : undefined
    })
    expect(net.neuron(miner.hotkey, paid).incentive).toBeGreaterThan(0)
    expect(await stakeOf(miner.hotkey)).toBeGreaterThan(0n) // it staked nothing: all of it is emission
  })

  test('gets a permit, holds weights that read back, and earns dividends as a validator', async () => {
    const { hotkey } = await enter('v')
    await json(...online('stake', 'add', '--netuid', '1', '--amount', '200', '--wallet', 'v'))
    const before = await stakeOf(hotkey)
    const data = join(home, 'ledger')
    const words = ['validator', ...online(), '--wallet', 'v', '--spec', 'inference-tiny', '--data', data]
    const validator = net.run(words, home)
    await validator.event('round.done', verdictOn(miner.hotkey))
    const confirmed = await validator.event('weights.confirmed')
    const seen = await net.until(async (metagraph) => {
      const { uid, validatorPermit, dividends } = net.neuron(hotkey, metagraph)
      const row = await net.client.weights(netuid, uid, metagraph.block.hash)
      return dividends > 0 && row.length >= 3 ? { uid, validatorPermit, row } : undefined
    })
    expect(seen.validatorPermit).toBe(true)
    expect(seen.row.map(([uid]) => uid)).toContain(miner.uid)
    expect(Number(must(confirmed.block))).toBeGreaterThan(0)
    await net.until(async ({ block }) =>
      (await net.client.stake({ hotkey, netuid }, block.hash)) > before ? true : undefined,
    )
    expect(readdirSync(data)).toContain('ledger.sqlite')
  })

  test('is paid in the subnet that it created, where nobody else is', async () => {
    for (const wallet of ['m', 'v']) await json(...online('register', '--netuid', '2', '--wallet', wallet))
    await json(...online('stake', 'add', '--netuid', '2', '--amount', '200', '--wallet', 'v'))
    const own = (role: string, wallet: string): readonly string[] => [
      ...[role, ...online(), '--netuid', '2', '--spec', 'inference-tiny', '--wallet', wallet],
      ...['--data', join(home, `${role}-2`)],
    ]
    await net.run([...own('miner', 'm'), '--ip', newcomerIp, '--port', '0'], home).event('miner.ready')
    const validator = net.run(own('validator', 'v'), home)
    await validator.event('weights.confirmed')
    await expect
      .poll(
        async () => {
          const { neurons } = await json(...online('subnet', 'show', '2'))
          return (neurons as readonly { hotkey: string; incentive: number }[]).find((n) => n.hotkey === miner.hotkey)
            ?.incentive
        },
        { timeout: 120_000, interval: 2_000 },
      )
      .toBe(1)
  })

  test('finds everything that it made in its own home, and nothing elsewhere', () => {
    expect(readdirSync(home).sort()).toEqual(['.arbor', '.bittensor', 'ledger', 'miner-2', 'validator-2'])
    expect(readdirSync(join(home, '.bittensor', 'wallets')).sort()).toEqual(['founder', 'm', 'v'])
  })
})
