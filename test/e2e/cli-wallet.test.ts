import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arbor, type RealChain, startRealChain } from './support/real-chain.ts'

let chain: RealChain
let home = ''
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'arbor-home-'))
  chain = await startRealChain()
}, 120_000)
afterAll(async () => {
  await chain?.stop()
  await rm(home, { recursive: true, force: true })
})

/** Runs a command that must succeed with --json and print one document. */
const json = async (...words: string[]): Promise<Record<string, unknown>> => {
  const { out, err, code } = await arbor(home, ...words, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Record<string, unknown>
}
const online = (...words: string[]): string[] => [...words, '--network', chain.url]

// One story: each step needs the ones before it.
describe('joining by hand', { timeout: 180_000 }, () => {
  const keys: { coldkey: string; hotkey: string } = { coldkey: '', hotkey: '' }

  it('wallet is created', async () => {
    const created = await json('wallet', 'create', '--wallet', 'new')
    keys.coldkey = String(created.coldkey)
    keys.hotkey = String(created.hotkey)
  })

  it('registration without money names the price, the balance and the command that mends it, and takes nothing', async () => {
    const { out, err, code } = await arbor(home, ...online('register', '--netuid', '1', '--wallet', 'new'))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(
      /^BALANCE_TOO_LOW: registering in subnet 1 takes [\d.]+ TAO .* has 0; .*arbor faucet --wallet new --amount [\d.]+\)\n$/,
    )
  })

  it('stake on an unregistered hotkey is refused with the command that registers it', async () => {
    const { err, code } = await arbor(
      home,
      ...online('stake', 'add', '--netuid', '1', '--amount', '1', '--wallet', 'new'),
    )
    expect(code).toBe(1)
    expect(err).toMatch(/^HOTKEY_UNREGISTERED: .*arbor register --netuid 1 --wallet new --hotkey default/)
  })

  it('faucet gives exactly what was asked for', async () => {
    expect(await json(...online('faucet', '--wallet', 'new', '--amount', '500.000000001'))).toMatchObject({
      account: keys.coldkey,
      balanceRao: '500000000001',
    })
  })

  it('registration is quoted without paying', async () => {
    const quoted = await json(...online('register', '--netuid', '1', '--wallet', 'new', '--quote'))
    expect(quoted).toMatchObject({ netuid: 1, hotkey: keys.hotkey, alreadyRegistered: false, open: true })
    expect(BigInt(String(quoted.priceRao))).toBeGreaterThan(0n)
    expect((await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao).toBe('500000000001')
  })

  it('registration above --max-burn is refused before anything is paid', async () => {
    const { err, code } = await arbor(
      home,
      ...online('register', '--netuid', '1', '--wallet', 'new', '--max-burn', '0.000000001'),
    )
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^REGISTER_TOO_DEAR: /) })
    expect((await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao).toBe('500000000001')
  })

  it('hotkey is registered once, however often the command runs', async () => {
    const first = await json(...online('register', '--netuid', '1', '--wallet', 'new'))
    expect(first).toMatchObject({ netuid: 1, hotkey: keys.hotkey, alreadyRegistered: false })
    expect(BigInt(String(first.paidRao))).toBeGreaterThan(0n)
    const balance = (await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao
    expect(await json(...online('register', '--netuid', '1', '--wallet', 'new'))).toEqual({
      ...first,
      alreadyRegistered: true,
      paidRao: '0',
      block: null,
    })
    expect((await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao).toBe(balance)
  })

  it('stake is added, shown and removed', async () => {
    const added = await json(...online('stake', 'add', '--netuid', '1', '--amount', '100', '--wallet', 'new'))
    expect(BigInt(String(added.stakeAfterRao))).toBeGreaterThan(BigInt(String(added.stakeBeforeRao)))
    const shown = await json(...online('stake', 'show', '--wallet', 'new', '--netuid', '1'))
    expect(shown.stakes).toMatchObject([{ netuid: 1, hotkeyName: 'default', hotkey: keys.hotkey }])
    const removed = await json(...online('stake', 'remove', '--netuid', '1', '--amount', '10', '--wallet', 'new'))
    expect(BigInt(String(removed.stakeAfterRao))).toBeLessThan(BigInt(String(removed.stakeBeforeRao)))
    expect(BigInt(String(removed.balanceRao))).toBeGreaterThan(BigInt(String(added.balanceRao)))
    const { err, code } = await arbor(
      home,
      ...online('stake', 'remove', '--netuid', '1', '--amount', '1000000', '--wallet', 'new'),
    )
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^STAKE_TOO_LOW: /) })
  })

  it('metagraph shows the newcomer, in JSON and as a table', async () => {
    const shown = (await json(...online('subnet', 'show', '1'))) as {
      neurons: { hotkey: string; coldkey: string; alphaStakeRao: string }[]
    }
    const neuron = shown.neurons.find(({ hotkey }) => hotkey === keys.hotkey)
    expect(neuron).toMatchObject({ coldkey: keys.coldkey })
    expect(BigInt(neuron?.alphaStakeRao ?? 0)).toBeGreaterThan(0n)
    const { out } = await arbor(home, ...online('subnet', 'show', '1'))
    expect(out).toContain(keys.hotkey)
  })

  it('subnet is created, started and listed', async () => {
    const before = (await json(...online('subnet', 'list'))) as { subnets: { netuid: number }[] }
    await json('wallet', 'create', '--wallet', 'poor')
    const poor = await arbor(home, ...online('subnet', 'create', '--wallet', 'poor'))
    expect(poor).toMatchObject({ code: 1, err: expect.stringMatching(/^BALANCE_TOO_LOW: creating a subnet takes /) })
    const balanceBefore = (await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao
    const created = await json(...online('subnet', 'create', '--wallet', 'new'))
    expect(created).toMatchObject({ owner: keys.coldkey, started: true, reason: null })
    const after = (await json(...online('subnet', 'list'))) as { subnets: { netuid: number }[] }
    expect(after.subnets.map(({ netuid }) => netuid)).toEqual([
      ...before.subnets.map(({ netuid }) => netuid),
      created.netuid,
    ])
    const balance = (await json(...online('stake', 'show', '--wallet', 'new'))).balanceRao
    expect(BigInt(String(balance))).toBeLessThan(BigInt(String(balanceBefore)))
  })

  it('chain that is not there is reported with its address', async () => {
    const { err, code } = await arbor(home, 'subnet', 'list', '--network', 'ws://127.0.0.1:1')
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^CHAIN_UNREACHABLE: no chain answers at ws:\/\/127\.0\.0\.1:1 .*\n$/),
    })
  })
})
