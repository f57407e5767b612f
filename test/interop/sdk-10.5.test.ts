import { adminSet, sudo } from '@arbor/chain/client/calls'
import type { Metagraph } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Ss58 } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Driver, type SdkResponse, startDriver } from './support/driver.ts'
import { describeWith } from './support/pythons.ts'
import { type Story, startStory } from './support/story.ts'

const TAO = 1_000_000_000n
const netuid = 1 as NetUid
const alice = keypairFromUri('//Alice').address

const wallet = (name: string) => ({ $wallet: [name, 'default'] })
const tao = (amount: string) => ({ $tao: amount })
const done = { wait_for_inclusion: true, wait_for_finalization: true }

/** What the SDK calls a success, with the block it names. */
const succeeded = (response: SdkResponse): `0x${string}` => {
  expect(response).toMatchObject({ success: true, error: null, block: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
  return response.block ?? '0x'
}

// One story: each step needs the ones before it. What the SDK says is compared with what our own client reads.
describeWith('bittensor-10.5', 'bittensor 10.5.0 on the chain', ({ python }) => {
  let story: Story
  let sdk: Driver
  const own = { coldkey: '' as Ss58, hotkey: '' as Ss58 }
  const miner = { coldkey: '' as Ss58, hotkey: '' as Ss58 }
  const neuron = (graph: Metagraph, hotkey: string) => {
    const found = graph.neurons.find((entry) => entry.hotkey === hotkey)
    if (found === undefined) throw new Error(`${hotkey} is not registered`)
    return found
  }
  /** Reads one balance before and after, and gives the difference with the fee taken out. */
  const spent = async (account: Ss58, act: () => Promise<SdkResponse>) => {
    const before = await story.client.balance(account)
    const response = await act()
    const block = succeeded(response)
    const difference = before - (await story.client.balance(account, block))
    return { block, paid: difference - BigInt(response.fee ?? 0), response }
  }

  beforeAll(async () => {
    story = await startStory()
    sdk = startDriver({ python, script: 'sdk.py', words: [story.chain.url, story.wallets], home: story.home })
  }, 120_000)
  afterAll(async () => {
    await sdk?.close()
    await story?.close()
  })

  it('SDK connects and stands at the chain’s blocks', async () => {
    const { version, block } = await sdk.call<{ version: string; block: number }>('connect')
    expect(version).toBe('10.5.0')
    expect(await sdk.call('get_block_hash', { block: 0 })).toBe(story.client.genesisHash)
    expect(await sdk.call('get_block_hash', { block })).toBe(await story.client.blockHash(block as never))
    expect(await sdk.call('is_fast_blocks')).toBe(true)
  })

  it('balances are the chain’s to the rao', async () => {
    Object.assign(
      own,
      await sdk.call('make_wallet', { name: 'own', hotkey: 'default', coldkey_uri: '//Bob', hotkey_uri: '//Bob//own' }),
    )
    Object.assign(
      miner,
      await sdk.call('make_wallet', {
        name: 'miner',
        hotkey: 'default',
        coldkey_uri: '//Charlie',
        hotkey_uri: '//Charlie//miner',
      }),
    )
    expect(own).toEqual({ coldkey: keypairFromUri('//Bob').address, hotkey: keypairFromUri('//Bob//own').address })
    expect(BigInt(await sdk.call<number>('get_balance', { address: own.coldkey }))).toBe(
      await story.client.balance(own.coldkey),
    )
    expect(await sdk.call('get_balance', { address: own.hotkey })).toBe(0)
  })

  it('transfer arrives, and the fee that the SDK reads is the one that was paid', async () => {
    const before = await story.client.balance(alice)
    const { block, paid } = await spent(own.coldkey, () =>
      sdk.call('transfer', {
        wallet: wallet('own'),
        destination_ss58: alice,
        amount: { $rao: 1_234_567_891 },
        ...done,
      }),
    )
    expect(paid).toBe(1_234_567_891n)
    expect((await story.client.balance(alice, block)) - before).toBe(1_234_567_891n)
  })

  it('transfer of more than there is fails before it is sent', async () => {
    const response = await sdk.call<SdkResponse>('transfer', {
      wallet: wallet('own'),
      destination_ss58: alice,
      amount: tao('99999'),
      ...done,
    })
    expect(response).toMatchObject({ success: false, block: null })
  })

  it('subnet is registered for its price and belongs to the coldkey', async () => {
    const price = await story.client.subnetCost()
    expect(BigInt(await sdk.call<number>('get_subnet_burn_cost'))).toBe(price)
    const { block, paid } = await spent(own.coldkey, () =>
      sdk.call('register_subnet', { wallet: wallet('own'), ...done }),
    )
    expect(paid).toBe(price)
    const netuids = await story.client.netuids(block)
    expect(await sdk.call('get_all_subnets_netuid')).toEqual(netuids)
    expect(await story.client.read('SubtensorModule', 'SubnetOwner', [netuids.at(-1)], block)).toBe(own.coldkey)
  })

  it('neurons are registered by burned_register and by register, for the burn', async () => {
    const price = await story.client.registrationCost(netuid)
    const burned = await spent(own.coldkey, () =>
      sdk.call('burned_register', { wallet: wallet('own'), netuid, ...done }),
    )
    expect(burned.paid).toBeLessThanOrEqual(price)
    const limited = await spent(miner.coldkey, () =>
      sdk.call('register', { wallet: wallet('miner'), netuid, limit_price: tao('5'), ...done }),
    )
    expect(limited.paid).toBeGreaterThan(0n)
    const graph = await story.client.metagraph(netuid, limited.block)
    expect(neuron(graph, own.hotkey)).toMatchObject({ coldkey: own.coldkey })
    expect(neuron(graph, miner.hotkey)).toMatchObject({ coldkey: miner.coldkey })
    for (const { hotkey } of [own, miner])
      expect(await sdk.call('get_uid_for_hotkey_on_subnet', { hotkey_ss58: hotkey, netuid })).toBe(
        neuron(graph, hotkey).uid,
      )
  })

  it('register above its limit is refused by the chain’s error', async () => {
    await sdk.call('make_wallet', {
      name: 'late',
      hotkey: 'default',
      coldkey_uri: '//Dave',
      hotkey_uri: '//Dave//late',
    })
    const response = await sdk.call<SdkResponse>('register', {
      wallet: wallet('late'),
      netuid,
      limit_price: { $rao: 1 },
      ...done,
    })
    expect(response.success).toBe(false)
    expect(response.message).toContain('RegistrationPriceLimitExceeded')
  })

  it('axon is served', async () => {
    const axon = { $axon: { wallet: wallet('miner'), ip: '203.0.113.7', port: 8091 } }
    const block = succeeded(await sdk.call('serve_axon', { netuid, axon, ...done }))
    const graph = await story.client.metagraph(netuid, block)
    expect(neuron(graph, miner.hotkey).axon).toMatchObject({ ip: '203.0.113.7', port: 8091, protocol: 4 })
  })

  it('stake is added and removed, with and without a price limit', async () => {
    const staked = async (at?: `0x${string}`) =>
      story.client.stake({ hotkey: own.hotkey, netuid, coldkey: own.coldkey }, at)
    const position = { wallet: wallet('own'), netuid, hotkey_ss58: own.hotkey, ...done }
    expect(await staked()).toBe(0n)
    const added = await spent(own.coldkey, () => sdk.call('add_stake', { ...position, amount: tao('100') }))
    expect(added.paid).toBe(100n * TAO)
    const first = await staked(added.block)
    expect(first).toBeGreaterThan(0n)
    const safe = await spent(own.coldkey, () =>
      sdk.call('add_stake', { ...position, amount: tao('10'), safe_staking: true, rate_tolerance: 0.05 }),
    )
    expect(safe.paid).toBe(10n * TAO)
    const second = await staked(safe.block)
    expect(second).toBeGreaterThan(first)
    const removed = await spent(own.coldkey, () =>
      sdk.call('unstake', { ...position, amount: { $alpha: [String(20n * TAO), netuid] } }),
    )
    expect(removed.paid).toBeLessThan(0n)
    expect(await staked(removed.block)).toBeLessThan(second - 19n * TAO)
    expect(
      BigInt(await sdk.call<number>('get_stake', { coldkey_ss58: own.coldkey, hotkey_ss58: own.hotkey, netuid })),
    ).toBeGreaterThanOrEqual(await staked(removed.block))
  })

  it('hyperparameters are those of the chain’s storage', async () => {
    const shown = await sdk.call<Record<string, unknown>>('get_subnet_hyperparameters', { netuid })
    const own = await story.client.hyperparameters(netuid)
    expect(shown).toMatchObject({
      tempo: own.tempo,
      weights_rate_limit: own.weightsRateLimit,
      min_allowed_weights: own.minAllowedWeights,
      max_validators: own.maxValidators,
      immunity_period: own.immunityPeriod,
      commit_reveal_weights_enabled: own.commitRevealEnabled,
      registration_allowed: own.registrationAllowed,
      serving_rate_limit: own.servingRateLimit,
      kappa: own.kappa,
    })
    expect(await sdk.call('tempo', { netuid })).toBe(own.tempo)
    expect(await sdk.call('weights_rate_limit', { netuid })).toBe(own.weightsRateLimit)
  })

  it('metagraph says of every neuron what the chain says', async () => {
    for (const lite of [true, false]) {
      const shown = await sdk.call<Record<string, unknown[]> & { block: number; n: number }>('metagraph_of', {
        netuid,
        lite,
      })
      const at = await story.client.blockHash(shown.block as never)
      const { neurons } = await story.client.metagraph(netuid, at ?? '0x')
      expect(shown.n).toBe(neurons.length)
      expect(shown).toMatchObject({
        uids: neurons.map(({ uid }) => uid),
        hotkeys: neurons.map(({ hotkey }) => hotkey),
        coldkeys: neurons.map(({ coldkey }) => coldkey),
        validator_permit: neurons.map(({ validatorPermit }) => validatorPermit),
        last_update: neurons.map(({ lastUpdate }) => lastUpdate),
      })
      const stakes = neurons.map(({ alphaStake }) => Number(alphaStake) / 1e9)
      for (const [uid, stake] of stakes.entries()) expect(shown.AS?.[uid]).toBeCloseTo(stake, 2)
      expect(shown.axons?.map(axonOf)).toEqual(
        neurons.map(({ axon }) => (axon === null ? null : `${axon.ip}:${axon.port}`)),
      )
    }
  })

  it('weights are set and read back', async () => {
    await story.until(async (at) =>
      neuron(await story.client.metagraph(netuid, at), own.hotkey).validatorPermit ? true : undefined,
    )
    const uid = neuron(await story.client.metagraph(netuid), miner.hotkey).uid
    const block = succeeded(
      await sdk.call('set_weights', { wallet: wallet('own'), netuid, uids: [0, uid], weights: [0.25, 1], ...done }),
    )
    const validator = neuron(await story.client.metagraph(netuid, block), own.hotkey)
    const row = await story.client.weights(netuid, validator.uid, block)
    expect(row).toEqual([
      [0, 16_384],
      [uid, 65_535],
    ])
    expect(await sdk.call('weights', { netuid })).toContainEqual([validator.uid, row])
  })

  it('weights of an unregistered hotkey are refused', async () => {
    const response = await sdk.call<SdkResponse>('set_weights', {
      wallet: wallet('late'),
      netuid,
      uids: [0],
      weights: [1],
      ...done,
    })
    expect(response).toMatchObject({ success: false, block: null })
  })

  it('commitment is set and read back', async () => {
    const block = succeeded(
      await sdk.call('set_commitment', { wallet: wallet('miner'), netuid, data: 'ipfs://arbor', ...done }),
    )
    const uid = neuron(await story.client.metagraph(netuid, block), miner.hotkey).uid
    expect(await sdk.call('get_commitment', { netuid, uid })).toBe('ipfs://arbor')
    expect(await story.client.read('Commitments', 'CommitmentOf', [netuid, miner.hotkey], block)).toMatchObject({
      info: { fields: [{ Raw12: hexOf('ipfs://arbor') }] },
    })
  })

  it('subnet is started by its owner, once its time has come', async () => {
    const [, , created] = await story.client.netuids()
    const started = (at?: `0x${string}`) =>
      story.client.read('SubtensorModule', 'FirstEmissionBlockNumber', [created], at)
    expect(await started()).toBeNull()
    expect(await sdk.call('is_subnet_active', { netuid: created })).toBe(false)
    const registered = Number(await story.client.read('SubtensorModule', 'NetworkRegisteredAt', [created]))
    const delay = await sdk.call<number>('get_start_call_delay')
    await story.until(async () => ((await story.client.finalized()).number > registered + delay ? true : undefined))
    const block = succeeded(await sdk.call('start_call', { wallet: wallet('own'), netuid: created, ...done }))
    expect(await started(block)).toEqual(expect.any(BigInt))
    expect(await sdk.call('is_subnet_active', { netuid: created })).toBe(true)
  })

  it('delegate take is raised, and read as a share', async () => {
    const before = await sdk.call<number>('get_delegate_take', { hotkey_ss58: own.hotkey })
    const take = { wallet: wallet('own'), hotkey_ss58: own.hotkey, ...done }
    const block = succeeded(await sdk.call('set_delegate_take', { ...take, take: before - 0.05 }))
    const stored = Number(await story.client.read('SubtensorModule', 'Delegates', [own.hotkey], block))
    expect(stored).toBe(Math.floor((before - 0.05) * 65_535))
    expect(await sdk.call('get_delegate_take', { hotkey_ss58: own.hotkey })).toBeCloseTo(before - 0.05, 4)
  })

  it('hyperparameters are set by the owner, and by nobody else', async () => {
    await sdk.call('make_wallet', {
      name: 'owner',
      hotkey: 'default',
      coldkey_uri: '//Alice',
      hotkey_uri: '//Alice//default',
    })
    const set = (name: string, value: boolean) =>
      sdk.call<SdkResponse>('send', {
        wallet: wallet(name),
        pallet: 'AdminUtils',
        function: 'sudo_set_commit_reveal_weights_enabled',
        params: { netuid, enabled: value },
      })
    expect(await set('own', true)).toMatchObject({
      success: false,
      message: expect.stringMatching(/NotSubnetOwner|BadOrigin/),
    })
    const block = succeeded(await set('owner', true))
    expect((await story.client.hyperparameters(netuid, block)).commitRevealEnabled).toBe(true)
    expect(await sdk.call('commit_reveal_enabled', { netuid })).toBe(true)
  })

  it('weights are committed under a salt, and opened in the epoch that is theirs', async () => {
    const { signal } = new AbortController()
    const slower = sudo(adminSet('tempo', { netuid, tempo: 40 })) // 10 s an epoch: time to be early in, and to be in time in
    await story.client.submit(slower, { signer: keypairFromUri('//Alice'), signal })
    const uid = neuron(await story.client.metagraph(netuid), miner.hotkey).uid
    const row = {
      wallet: wallet('own'),
      netuid,
      uids: [0, uid],
      weights: [65_535, 32_768],
      salt: [5, 10, 15, 20],
      ...done,
    }
    const committed = succeeded(await sdk.call('commit_weights', row))
    const commits = (at: `0x${string}`) =>
      story.client.read('SubtensorModule', 'WeightCommits', [netuid, own.hotkey], at)
    expect(await commits(committed)).toMatchObject([
      [expect.stringMatching(/^0x[0-9a-f]{64}$/), expect.any(BigInt), expect.any(BigInt), expect.any(BigInt)],
    ])
    const early = await sdk.call<SdkResponse>('reveal_weights', { ...row, max_attempts: 1 })
    expect(early).toMatchObject({ success: false, message: expect.stringMatching(/RevealTooEarly/) })
    const epochOf = async (at?: `0x${string}`) => (await story.client.metagraph(netuid, at)).epochIndex
    const committedIn = await epochOf(committed)
    await story.until(async (at) => ((await epochOf(at)) > committedIn ? true : undefined))
    const opened = succeeded(await sdk.call('reveal_weights', row))
    const validator = neuron(await story.client.metagraph(netuid, opened), own.hotkey)
    expect(await story.client.weights(netuid, validator.uid, opened)).toEqual([
      [0, 65_535],
      [uid, 32_768],
    ])
    expect(await commits(opened)).toBeNull()
  })

  it('set_weights under commit-reveal sends a timelocked commit, which waits on the chain', async () => {
    const uid = neuron(await story.client.metagraph(netuid), miner.hotkey).uid
    const epoch = (await story.client.metagraph(netuid)).epochIndex
    const sent = await sdk.call<SdkResponse>('set_weights', {
      wallet: wallet('own'),
      netuid,
      uids: [uid],
      weights: [1],
      ...done,
    })
    const block = succeeded(sent)
    const queues = await Promise.all(
      [epoch, epoch + 1, epoch + 2].map((index) =>
        story.client.read('SubtensorModule', 'TimelockedWeightCommits', [netuid, index], block),
      ),
    )
    expect(queues.flat()).toContainEqual([
      own.hotkey,
      expect.any(BigInt),
      expect.stringMatching(/^0x[0-9a-f]+$/),
      expect.any(BigInt),
    ])
  })
})

const hexOf = (text: string): string => `0x${Buffer.from(text).toString('hex')}`
const axonOf = (text: unknown): string | null => {
  const { ip, port } = text as { ip: string; port: number }
  return port === 0 ? null : `${ip}:${port}`
}
