import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, NetUid } from '@arbor/shared/units'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { arbor } from '../e2e/support/real-chain.ts'
import { type Driver, type SdkResponse, startDriver } from './support/driver.ts'
import { describeWith } from './support/pythons.ts'
import { type Story, startStory } from './support/story.ts'

const netuid = 1 as NetUid
const alice = keypairFromUri('//Alice').address
const bob = keypairFromUri('//Bob').address

describeWith('bittensor-10.2', 'bittensor 10.2.0 on the chain', ({ python }) => {
  let story: Story
  let sdk: Driver
  beforeAll(async () => {
    story = await startStory()
    sdk = startDriver({ python, script: 'sdk.py', words: [story.chain.url, story.wallets], home: story.home })
  }, 120_000)
  afterAll(async () => {
    await sdk?.close()
    await story?.close()
  })

  it('SDK connects, and blocks are the chain’s', async () => {
    const { version, block } = await sdk.call<{ version: string; block: Block }>('connect')
    expect(version).toBe('10.2.0')
    expect(await sdk.call('get_block_hash', { block })).toBe(await story.client.blockHash(block))
    expect(await sdk.call('wait_for_block', { block: block + 2 })).toBe(true)
    expect((await story.client.best()).number).toBeGreaterThanOrEqual(block + 2)
  })

  it('balances and hyperparameters are the chain’s', async () => {
    expect(BigInt(await sdk.call<number>('get_balance', { address: bob }))).toBe(await story.client.balance(bob))
    expect(await sdk.call('get_balance', { address: keypairFromUri('//Nobody').address })).toBe(0)
    expect(await sdk.call('tempo', { netuid })).toBe((await story.client.metagraph(netuid)).tempo)
  })

  // This SDK takes type 0 of the metadata for AccountId32, whatever the metadata says.
  it('transfer is signed', async () => {
    await sdk.call('make_wallet', { name: 'bob', hotkey: 'default', coldkey_uri: '//Bob', hotkey_uri: '//Bob//own' })
    const sent = await sdk.call<SdkResponse>('transfer', {
      ...{ wallet: { $wallet: ['bob', 'default'] }, destination_ss58: alice, amount: { $rao: 1_500_000_001 } },
      ...{ wait_for_inclusion: true, wait_for_finalization: true },
    })
    expect(sent).toMatchObject({ success: true, error: null })
  })
})

describeWith('bittensor-11', 'bittensor 11.3.0 on the chain', ({ python }) => {
  let story: Story
  let sdk: Driver
  beforeAll(async () => {
    story = await startStory()
    sdk = startDriver({ python, script: 'modern.py', words: [story.chain.url, story.wallets], home: story.home })
  }, 120_000)
  afterAll(async () => {
    await sdk?.close()
    await story?.close()
  })

  it('SDK connects, and blocks are the chain’s', async () => {
    const { version, block, spec } = await sdk.call<{ version: string; block: Block; spec: number }>('connect')
    expect({ version, spec }).toEqual({ version: '11.3.0', spec: story.client.specVersion })
    expect(await sdk.call('block_hash', { block })).toBe(await story.client.blockHash(block))
    expect(await sdk.call('wait_for_block', { block: block + 2 })).toBeGreaterThanOrEqual(block + 2)
  })

  it('balances, storage and subnets are the chain’s', async () => {
    expect(BigInt(await sdk.call<number>('get_balance', { address: bob }))).toBe(await story.client.balance(bob))
    expect(await sdk.call('netuids')).toEqual(await story.client.netuids())
    const { tempo } = await story.client.metagraph(netuid)
    expect(await sdk.call('storage', { pallet: 'SubtensorModule', item: 'Tempo', params: [netuid] })).toBe(tempo)
  })

  it('transfer from a wallet that arbor made arrives', async () => {
    const { code } = await arbor(story.home, 'wallet', 'create', '--wallet', 'eleven')
    expect(code).toBe(0)
    await arbor(story.home, 'faucet', '--wallet', 'eleven', '--amount', '20', '--network', story.chain.url)
    const before = await story.client.balance(bob)
    const sent = await sdk.call<{ success: boolean; block: `0x${string}` }>('transfer', {
      ...{ name: 'eleven', hotkey: 'default', dest: bob, amount_tao: 1.5 },
    })
    expect(sent.success).toBe(true)
    expect(await story.client.balance(bob, sent.block)).toBe(before + 1_500_000_000n)
  })
})
