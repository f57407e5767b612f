import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

/** twox128("System") ++ twox128("Account"), as any client computes it. */
const ACCOUNTS = '0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9'
/** twox128("Timestamp") ++ twox128("Now") */
const NOW = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb'
const UNKNOWN = `0x${'12'.repeat(32)}`

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeAll(async () => {
  rpc = await startRpcChain({ keep: 8 })
  for (let made = 0; made < 3; made += 1) await rpc.chain.produce()
})
afterAll(() => rpc.chain.close())

describe('chain methods', () => {
  test('head, hash by number and finalised head agree with the chain', async () => {
    const best = rpc.chain.best()
    expect(await rpc.get('chain_getHead')).toBe(best.hash)
    expect(await rpc.get('chain_getBlockHash')).toBe(best.hash)
    expect(await rpc.get('chain_getBlockHash', null)).toBe(best.hash)
    expect(await rpc.get('chain_getFinalizedHead')).toBe(best.hash)
    expect(await rpc.get('chain_getBlockHash', 0)).toBe(rpc.chain.genesisHash)
    expect(await rpc.get('chain_getBlockHash', '0x3')).toBe(best.hash)
    expect(await rpc.get('chain_getBlockHash', 99)).toBeNull()
    expect(await rpc.get('chain_getBlockHash', [0, 3, 99])).toEqual([rpc.chain.genesisHash, best.hash, null])
  })

  test('a header is written as Substrate does, and an unknown one is null', async () => {
    const { hash, header } = rpc.chain.best()
    const expected = {
      parentHash: header.parentHash,
      number: '0x3',
      stateRoot: header.stateRoot,
      extrinsicsRoot: header.extrinsicsRoot,
      digest: { logs: header.digest },
    }
    expect(await rpc.get('chain_getHeader', hash)).toEqual(expected)
    expect(await rpc.get('chain_getHeader', null)).toEqual(expected)
    expect(await rpc.get('chain_getHeader', hash.slice(2))).toEqual(expected)
    expect(await rpc.get('chain_getHeader', UNKNOWN)).toBeNull()
    expect(await rpc.get('chain_getBlock', UNKNOWN)).toBeNull()
  })
})

describe('state methods', () => {
  const state = () => rpc.chain.state(rpc.chain.best().hash)

  test('storage is read under both names, with and without a hash or 0x, and nothing is null', async () => {
    const value = toHex(state().get(Buffer.from(NOW.slice(2), 'hex')) ?? new Uint8Array())
    expect(value).toMatch(/^0x[0-9a-f]{16}$/)
    for (const method of ['state_getStorage', 'state_getStorageAt']) {
      expect(await rpc.get(method, NOW)).toBe(value)
      expect(await rpc.get(method, NOW.slice(2), null)).toBe(value)
      expect(await rpc.get(method, NOW, rpc.chain.best().hash)).toBe(value)
      expect(await rpc.get(method, NOW, rpc.chain.genesisHash)).toBeNull()
    }
    expect(await rpc.get('state_getStorageSize', NOW)).toBe(8)
    expect(await rpc.get('state_getStorageHash', NOW)).toBe(toHex(blake2b256(Buffer.from(value.slice(2), 'hex'))))
    expect(await rpc.get('state_getStorageSize', UNKNOWN)).toBeNull()
    expect(await rpc.get('state_getStorageHash', UNKNOWN)).toBeNull()
  })

  test('keys come in pages, in order, strictly after the start key, until a short page', async () => {
    const all: string[] = []
    let start: string = ACCOUNTS // clients begin with the prefix itself
    for (;;) {
      const page = (await rpc.get('state_getKeysPaged', ACCOUNTS, 4, start, null)) as string[]
      all.push(...page)
      if (page.length < 4) break
      start = page.at(-1) ?? ''
    }
    expect(all.length).toBeGreaterThan(5)
    expect(all).toEqual([...new Set(all)].sort())
    expect(all.every((key) => key.startsWith(ACCOUNTS))).toBe(true)
    expect(await rpc.get('state_getKeysPaged', ACCOUNTS, 1000)).toEqual(all)
    expect((await rpc.ask('state_getKeysPaged', ACCOUNTS, 1001)).error?.code).toBe(4002)
  })

  test('several keys are read at one block with nulls for what is absent', async () => {
    const best = rpc.chain.best().hash
    const [result] = (await rpc.get('state_queryStorageAt', [NOW, UNKNOWN], best)) as [
      { block: string; changes: [string, string | null][] },
    ]
    expect(result.block).toBe(best)
    expect(result.changes.map(([key]) => key)).toEqual([NOW, UNKNOWN])
    expect(result.changes[1]?.[1]).toBeNull()
    expect(await rpc.get('state_queryStorageAt', [NOW], null)).toEqual([{ block: best, changes: [result.changes[0]] }])
  })

  test('runtime calls take arguments with and without 0x, and metadata comes in both versions', async () => {
    const account = toHex(ALICE.publicKey)
    expect(await rpc.get('state_call', 'AccountNonceApi_account_nonce', account)).toBe('0x00000000')
    expect(await rpc.get('state_call', 'AccountNonceApi_account_nonce', account.slice(2), null)).toBe('0x00000000')
    const v15 = String(await rpc.get('state_call', 'Metadata_metadata_at_version', '0x0f000000', rpc.chain.genesisHash))
    expect(v15.slice(0, 40)).toMatch(/^0x01[0-9a-f]{2,10}6d6574610f/)
    expect(String(await rpc.get('state_getMetadata'))).toMatch(/^0x6d6574610e/)
  })

  test('the runtime version is that of Core_version', async () => {
    expect(await rpc.get('state_getRuntimeVersion', rpc.chain.genesisHash)).toMatchObject({
      specName: expect.any(String),
      specVersion: expect.any(Number),
      transactionVersion: expect.any(Number),
      stateVersion: expect.any(Number),
      apis: expect.arrayContaining([['0xdf6acb689907609b', expect.any(Number)]]), // Core
    })
  })

  test('an unknown block, a missing function, a panic and a pruned state are told in Substrate’s words', async () => {
    expect((await rpc.ask('state_getStorage', NOW, UNKNOWN)).error).toEqual({
      code: 4003,
      message: `Client error: UnknownBlock: Header was not found in the database: ${UNKNOWN}`,
    })
    expect((await rpc.ask('state_call', 'Nope_nope', '0x')).error).toEqual({
      code: 4003,
      message: 'Client error: Execution failed: Other: Exported method Nope_nope is not found',
    })
    const panic = (await rpc.ask('state_call', 'TransactionPaymentApi_query_info', '0x00')).error
    expect(panic).toMatchObject({ code: 4003, message: expect.stringMatching(/^Client error: Execution failed: /) })
    expect((await rpc.ask('childstate_getStorage', '0x00', '0x00')).error?.code).toBe(4003)
  })

  test('a state that is gone is told as discarded', async () => {
    const old = await startRpcChain({ keep: 1 })
    for (let made = 0; made < 3; made += 1) await old.chain.produce()
    const genesis = old.chain.genesisHash
    expect((await old.ask('state_getStorage', NOW, genesis)).error).toEqual({
      code: 4003,
      message: `Client error: Api called for an unknown Block: State already discarded for ${genesis}`,
    })
    expect(await old.get('chain_getHeader', genesis)).toMatchObject({ number: '0x0' })
    await old.chain.close()
  })
})

describe('system and payment methods', () => {
  test('the network is named as its clients expect', async () => {
    expect(await rpc.get('system_chain')).toBe('Arbor Development')
    expect(await rpc.get('system_chainType')).toBe('Development')
    expect(await rpc.get('system_properties')).toEqual({ ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' })
    expect(await rpc.get('system_health')).toEqual({ peers: 0, isSyncing: false, shouldHavePeers: false })
    expect(await rpc.get('system_syncState')).toMatchObject({ currentBlock: 3 })
  })

  test('the next index counts what waits in the pool', async () => {
    const extrinsics = [0, 1].map((nonce) => rpc.transfer(ALICE, nonce))
    for (const hex of extrinsics) await rpc.get('author_submitExtrinsic', hex)
    expect(await rpc.get('system_accountNextIndex', ALICE.address)).toBe(2)
    expect(await rpc.get('account_nextIndex', ALICE.address)).toBe(2)
    expect(await rpc.get('author_pendingExtrinsics')).toEqual(extrinsics)
    const { extrinsics: included } = await rpc.chain.produce()
    expect(included.map(toHex).slice(-2)).toEqual(extrinsics)
    expect(await rpc.get('account_nextIndex', ALICE.address)).toBe(2)
    const best: Hex = rpc.chain.best().hash
    expect(await rpc.get('chain_getBlock', best)).toMatchObject({
      block: { extrinsics: expect.arrayContaining(extrinsics) },
      justifications: null,
    })
  })

  test('a fee is what the runtime says', async () => {
    const hex = rpc.transfer(ALICE, 2)
    const info = (await rpc.get('payment_queryInfo', hex)) as { partialFee: string; class: string; weight: object }
    expect(info).toMatchObject({ class: 'normal', weight: { ref_time: expect.any(Number) } })
    const details = (await rpc.get('payment_queryFeeDetails', hex, null)) as { inclusionFee: Record<string, string> }
    const parts = Object.values(details.inclusionFee).map(BigInt)
    expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(BigInt(info.partialFee))
  })

  test('a dry run applies to a copy of the state', async () => {
    expect(await rpc.get('system_dryRun', rpc.transfer(ALICE, 2))).toMatch(/^0x0[01]/)
    expect(await rpc.get('account_nextIndex', ALICE.address)).toBe(2)
  })
})
