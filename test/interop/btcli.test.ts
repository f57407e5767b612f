import { adminSet, commitWeights, sudo } from '@arbor/chain/client/calls'
import { openHotkey } from '@arbor/chain/wallet/open'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Ss58, Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { arbor } from '../e2e/support/real-chain.ts'
import { btcliJson, runBtcli } from './support/btcli.ts'
import { describeWith } from './support/pythons.ts'
import { type Story, startStory } from './support/story.ts'

const TAO = 1_000_000_000n
const netuid = 1 as NetUid
const alice = keypairFromUri('//Alice').address
const key = ['--wallet-name', 'ours', '--hotkey', 'default']
/** What btcli 9.23.2 sends as version key. */
const BTCLI_VERSION = 9_023_002n
const yes = '--no-prompt'
const plain = '--no-mev-protection' // the chain has no MEV shield

// One story: each step needs the ones before it. What btcli does is read back by our own client.
describeWith('bittensor-10.5', 'btcli 9.23.2 on the chain', ({ btcli }) => {
  let story: Story
  const ours = { coldkey: '' as Ss58, hotkey: '' as Ss58 }
  let created = 0 as NetUid

  const json = <Result = Record<string, unknown>>(...words: string[]) =>
    btcliJson<Result>(btcli, story.home, [...words, '--network', story.chain.url])
  const offline = <Result>(...words: string[]) => btcliJson<Result>(btcli, story.home, words)
  const run = (...words: string[]) => runBtcli(btcli, story.home, [...words, '--network', story.chain.url])
  const own = async (...words: string[]) => {
    const { out, err, code } = await arbor(story.home, ...words, '--json')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    return JSON.parse(out) as Record<string, unknown>
  }
  const inTao = (rao: bigint): number => Number(rao) / 1e9
  const staked = () => story.client.stake({ hotkey: ours.hotkey, netuid, coldkey: ours.coldkey })

  beforeAll(async () => {
    story = await startStory()
  }, 120_000)
  afterAll(() => story?.close())

  it('wallet that arbor made is listed by btcli, and one that btcli made is used by arbor', async () => {
    const { coldkey, hotkey } = await own('wallet', 'create', '--wallet', 'ours')
    Object.assign(ours, { coldkey, hotkey })
    await runBtcli(btcli, story.home, [
      ...['wallet', 'create', '--wallet-name', 'theirs', '--hotkey', 'worker', '--wallet-path', story.wallets],
      ...['--n-words', '12', '--no-use-password', '--no-overwrite'],
    ])
    const { wallets } = await offline<{
      wallets: { name: string; ss58_address: string; hotkeys: { name: string; ss58_address: string }[] }[]
    }>('wallet', 'list', '--wallet-path', story.wallets)
    expect(wallets.find(({ name }) => name === 'ours')).toMatchObject({
      ss58_address: coldkey,
      hotkeys: [{ name: 'default', ss58_address: hotkey }],
    })
    const theirs = wallets.find(({ name }) => name === 'theirs')
    const shown = await own('faucet', '--wallet', 'theirs', '--amount', '7', '--network', story.chain.url)
    expect(shown).toMatchObject({ account: theirs?.ss58_address, balanceRao: '7000000000' })
    const registered = await own(
      'register',
      '--netuid',
      '1',
      '--wallet',
      'theirs',
      '--hotkey',
      'worker',
      '--network',
      story.chain.url,
    )
    expect(registered.hotkey).toBe(theirs?.hotkeys[0]?.ss58_address)
  })

  it('balance and overview are the chain’s', async () => {
    await own('faucet', '--wallet', 'ours', '--amount', '3000', '--network', story.chain.url)
    const { balances } = await json<{ balances: Record<string, { free: number }> }>(
      'wallet',
      'balance',
      '--wallet-name',
      'ours',
    )
    expect(balances.ours).toMatchObject({ coldkey: ours.coldkey, free: 3_000 })
    expect(await json('wallet', 'overview', '--wallet-name', 'ours')).toMatchObject({
      total_balance: 3_000,
      subnets: [],
    })
  })

  it('subnets are listed with their price and pools', async () => {
    const pool = async () =>
      Promise.all(
        ['SubnetTAO', 'SubnetAlphaIn'].map(async (item) =>
          inTao(BigInt(String(await story.client.read('SubtensorModule', item, [netuid])))),
        ),
      )
    const { subnets } = await json<{
      subnets: Record<string, { price: number; liquidity: { tao_in: number; alpha_in: number } }>
    }>('subnets', 'list')
    const now = await pool() // some blocks later, each of which changed both a little
    expect(Object.keys(subnets).map(Number)).toEqual(await story.client.netuids())
    const { tao_in, alpha_in } = subnets[netuid]?.liquidity ?? {}
    for (const [side, shown] of [tao_in, alpha_in].entries()) {
      expect((shown ?? 0) / (now[side] ?? 1)).toBeCloseTo(1, 1)
    }
    const { burn_cost } = await json<{ burn_cost: { rao: number } }>('subnets', 'burn-cost')
    expect(BigInt(burn_cost.rao)).toBe(await story.client.subnetCost())
  })

  it('neuron is registered', async () => {
    expect(await json('subnets', 'register', '--netuid', '1', ...key, yes)).toMatchObject({ success: true })
    const { neurons } = await story.client.metagraph(netuid)
    expect(neurons.find(({ hotkey }) => hotkey === ours.hotkey)).toMatchObject({ coldkey: ours.coldkey })
  })

  it('stake is added, listed and removed; a price beyond the tolerance is refused by name', async () => {
    const add = ['stake', 'add', '--netuid', '1', ...key, yes, plain]
    const tight = JSON.stringify(await json(...add, '--amount', '1000', '--tolerance', '0.001'))
    expect(tight).toContain('SlippageTooHigh')
    expect(await staked()).toBe(0n)
    expect(await json(...add, '--amount', '100', '--tolerance', '0.1')).toMatchObject({
      staking_success: { '1': { [ours.hotkey]: true } },
    })
    const first = await staked()
    expect(first).toBeGreaterThan(90n * TAO)
    const { stake_info } = await json<{ stake_info: Record<string, { netuid: number; stake_value: number }[]> }>(
      ...['stake', 'list', '--wallet-name', 'ours', yes],
    )
    const listed = stake_info[ours.hotkey]?.find((row) => row.netuid === netuid)?.stake_value ?? 0
    expect(listed).toBeGreaterThanOrEqual(inTao(first) - 0.01) // epochs meanwhile add to it
    expect(listed).toBeLessThanOrEqual(inTao(await staked()) + 0.01)
    const remove = ['stake', 'remove', '--netuid', '1', ...key, yes, plain, '--tolerance', '0.1']
    const held = await staked()
    await json(...remove, '--amount', '50')
    expect(await staked()).toBeLessThan(held - 30n * TAO)
  })

  it('transfer arrives', async () => {
    const before = await story.client.balance(alice)
    const sent = await json('wallet', 'transfer', '--wallet-name', 'ours', '--dest', alice, '--amount', '5.5', yes)
    expect(sent).toMatchObject({ success: true })
    expect(await story.client.balance(alice)).toBe(before + 5_500_000_000n)
  })

  it('subnet is created with its identity, set by its owner, and started', async () => {
    const made = await json<{ success: boolean; netuid: NetUid }>(
      ...['subnets', 'create', ...key, yes, plain, '--subnet-name', 'Arbour'],
      ...['--github-repo', 'https://github.com/arbor/arbor', '--subnet-contact', 'a@example.org'],
      ...['--subnet-url', 'https://example.org', '--discord', 'arbor', '--description', 'trees'],
      ...['--logo-url', 'https://example.org/logo.png', '--additional-info', 'none'],
    )
    expect(made.success).toBe(true)
    created = made.netuid
    expect(await story.client.read('SubtensorModule', 'SubnetOwner', [created])).toBe(ours.coldkey)
    expect(await story.client.read('SubtensorModule', 'SubnetIdentitiesV3', [created])).toMatchObject({
      subnet_name: `0x${Buffer.from('Arbour').toString('hex')}`,
    })
    const set = await json(
      'sudo',
      'set',
      '--netuid',
      String(created),
      ...key,
      '--param',
      'immunity_period',
      '--value',
      '77',
      yes,
    )
    expect(set).toMatchObject({ success: true })
    expect(await story.client.read('SubtensorModule', 'ImmunityPeriod', [created])).toBe(77n)
    const shown = await json<{ hyperparameter: string; value: unknown }[]>('sudo', 'get', '--netuid', String(created))
    expect(shown.find(({ hyperparameter }) => hyperparameter === 'immunity_period')?.value).toBe(77)
    const started = await run('subnets', 'start', '--netuid', String(created), ...key, yes)
    expect(started.out).toMatch(/success|started/i)
    expect(await story.client.read('SubtensorModule', 'FirstEmissionBlockNumber', [created])).not.toBeNull()
  })

  it('hyperparameters of another’s subnet are not set', async () => {
    const before = (await story.client.hyperparameters(netuid)).immunityPeriod
    const set = await json('sudo', 'set', '--netuid', '1', ...key, '--param', 'immunity_period', '--value', '78', yes)
    expect(set).toMatchObject({ success: false })
    expect((await story.client.hyperparameters(netuid)).immunityPeriod).toBe(before)
  })

  it('take is shown and lowered', async () => {
    expect(await json('sudo', 'get-take', ...key)).toEqual({ current_take: expect.closeTo(0.18, 3) })
    expect(await json('sudo', 'set-take', ...key, '--take', '0.12')).toMatchObject({ success: true })
    expect(await story.client.read('SubtensorModule', 'Delegates', [ours.hotkey])).toBe(7_864n)
  })

  it('metagraph shows each neuron with its stake', async () => {
    const shown = await json<{ uids: { uid: number; hotkey: string; coldkey: string; alpha_stake: number }[] }>(
      ...['subnets', 'show', '--netuid', '1', yes],
    )
    const { neurons } = await story.client.metagraph(netuid)
    expect(shown.uids.map(({ uid, hotkey, coldkey }) => `${uid} ${hotkey} ${coldkey}`).sort()).toEqual(
      neurons.map(({ uid, hotkey, coldkey }) => `${uid} ${hotkey} ${coldkey}`).sort(),
    )
  })

  it('weights that our client committed are opened', async () => {
    const { signal } = new AbortController()
    const root = { signer: keypairFromUri('//Alice'), signal }
    const tempo = async (blocks: number) => {
      const set = await story.client.submit(sudo(adminSet('tempo', { netuid, tempo: blocks })), root)
      expect(set.status).toBe('included')
    }
    const epoch = async (at?: `0x${string}`) => (await story.client.metagraph(netuid, at)).epochIndex
    await tempo(40) // 10 s to notice that the next epoch began
    await story.client.submit(sudo(adminSet('commit_reveal_weights_enabled', { netuid, enabled: true })), root)
    const graph = await story.client.metagraph(netuid)
    const uid = graph.neurons.find(({ hotkey }) => hotkey === ours.hotkey)?.uid ?? (0 as Uid)
    const row = [
      [0 as Uid, 65_535],
      [uid, 13_107],
    ] as const
    const salt = [1, 2, 3, 4, 5, 6, 7, 8]
    const signer = await openHotkey({ wallets: story.wallets, wallet: 'ours', hotkey: 'default' })
    const sealed = commitWeights({ netuid, mechanism: 0, hotkey: ours.hotkey, row, salt, version: BTCLI_VERSION })
    expect((await story.client.submit(sealed, { signer, signal })).status).toBe('included')
    const before = await epoch()
    await story.until(async (at) => ((await epoch(at)) > before ? true : undefined))
    await tempo(400) // btcli takes seconds to start
    const opened = await json(
      ...['weights', 'reveal', '--netuid', '1', ...key, '--uids', `0,${uid}`, '--weights', '1.0,0.2'],
      ...['--salt', salt.join(','), yes],
    )
    expect(opened).toMatchObject({ success: true }) // which btcli says without waiting for a block
    const held = await story.until(async (at) => {
      const weights = await story.client.weights(netuid, uid, at)
      return weights.length > 0 ? weights : undefined
    })
    expect(held).toEqual(row)
  })

  it('weights commit of btcli looks for a storage item that Bittensor’s chain does not have either', async () => {
    const { out, err } = await run(
      'weights',
      'commit',
      '--netuid',
      '1',
      ...key,
      '--uids',
      '0',
      '--weights',
      '1.0',
      '--salt',
      '1,2,3,4,5,6,7,8',
      yes,
    )
    expect(out + err).toContain('get_commit_reveal_weights_enabled')
  })
})
