import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBudget } from '../src/rpc/budget.ts'
import { ALICE } from './support/embedded.ts'
import { startRpcChain } from './support/rpc.ts'

/** twox128("System") ++ twox128("Account"), as any client computes it. */
const ACCOUNTS = '0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9'
/** twox128("Timestamp") ++ twox128("Now") */
const NOW = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb'
const ABSENT = `0x${'12'.repeat(32)}`

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeAll(async () => {
  rpc = await startRpcChain()
  for (let made = 0; made < 3; made += 1) await rpc.chain.produce()
})
afterAll(() => rpc.chain.close())

const hashOf = (number: number): Promise<unknown> => rpc.get('chain_getBlockHash', number)

describe('keys without pages', () => {
  test('keys and pairs of a prefix agree with the pages and the values', async () => {
    const keys = (await rpc.get('state_getKeys', ACCOUNTS)) as string[]
    expect(keys).toEqual(await rpc.get('state_getKeysPaged', ACCOUNTS, 1_000))
    const pairs = (await rpc.get('state_getPairs', ACCOUNTS, null)) as [string, string][]
    expect(pairs.map(([key]) => key)).toEqual(keys)
    for (const [key, value] of pairs) expect(await rpc.get('state_getStorage', key)).toBe(value)
    expect(await rpc.get('state_getKeys', ABSENT)).toEqual([])
  })
})

describe('state_queryStorage', () => {
  test('tells all keys at the first block, then what each later one changed', async () => {
    const blocks = await Promise.all([0, 1, 2, 3].map(hashOf))
    const sets = (await rpc.get('state_queryStorage', [NOW, ABSENT], blocks[0], blocks[3])) as {
      block: string
      changes: [string, string | null][]
    }[]
    expect(sets.map(({ block }) => block)).toEqual(blocks)
    expect(sets[0]?.changes).toEqual([
      [NOW, null],
      [ABSENT, null],
    ])
    for (const [index, { block, changes }] of sets.entries()) {
      if (index > 0) expect(changes).toEqual([[NOW, await rpc.get('state_getStorage', NOW, block)]])
    }
    expect(await rpc.get('state_queryStorage', [NOW], blocks[1])).toEqual(
      sets.slice(1).map(({ block, changes }) => ({ block, changes: changes.filter(([key]) => key === NOW) })),
    )
  })

  test('a range that is none, is unknown or is too long is refused with its ends', async () => {
    const [first, last] = [await hashOf(1), await hashOf(3)]
    for (const ends of [
      [last, first],
      [ABSENT, last],
      [null, last],
      [first, ABSENT],
    ]) {
      const { error } = await rpc.ask('state_queryStorage', [NOW], ...ends)
      expect(error?.code).toBe(4001)
      expect(error?.message).toContain(`Cannot resolve a block range ['${ends[0]}'`)
    }
    const many = Array.from({ length: 30_000 }, (_, index) => `0x${index.toString(16).padStart(8, '0')}`)
    expect((await rpc.ask('state_queryStorage', many, first, last)).error?.message).toContain('At most 65536 values')
  })
})

describe('state_getReadProof', () => {
  const CODE = '0x3a636f6465'
  const prove = async (keys: readonly string[], at: unknown = null) => {
    const { at: hash, proof } = (await rpc.get('state_getReadProof', keys, at)) as { at: string; proof: string[] }
    const { stateRoot } = (await rpc.get('chain_getHeader', hash)) as { stateRoot: string }
    return { hash, stateRoot, proof, byHash: new Map(proof.map((entry) => [blake(entry), entry])) }
  }
  const blake = (entry: string): string => toHex(blake2b256(Buffer.from(entry.slice(2), 'hex')))

  test('leads from the state root to the values by hashes alone, and holds nothing else', async () => {
    const keys = [NOW, CODE, `${ACCOUNTS}${await accountTail()}`]
    for (const at of [null, await hashOf(2)]) {
      const { stateRoot, byHash, proof } = await prove(keys, at)
      const reached = new Set([stateRoot])
      for (const hash of reached) {
        const entry = byHash.get(hash)
        expect(entry).toBeDefined()
        for (const other of byHash.keys()) if (entry?.includes(other.slice(2))) reached.add(other)
      }
      expect([...reached].sort()).toEqual([...byHash.keys()].sort())
      for (const key of keys) {
        const value = String(await rpc.get('state_getStorage', key, at)).slice(2)
        expect(proof.some((entry) => entry.includes(value))).toBe(true)
      }
    }
  })

  test('of an absent key shows the way to where it would be', async () => {
    const { stateRoot, byHash, hash } = await prove([ABSENT])
    expect(hash).toBe(rpc.chain.best().hash)
    expect(byHash.has(stateRoot)).toBe(true)
    expect((await prove([])).proof).toEqual([])
    expect((await rpc.ask('state_getReadProof', Array(1_001).fill('0x00'))).error?.code).toBe(4002)
    expect((await rpc.ask('state_getReadProof', [NOW], ABSENT)).error?.code).toBe(4003)
  })

  const accountTail = async (): Promise<string> => {
    const [first] = (await rpc.get('state_getKeysPaged', ACCOUNTS, 1)) as string[]
    return String(first).slice(ACCOUNTS.length)
  }
})

describe('bounds of an answer', () => {
  test('a question that names one long value many times is refused, since its answer would not fit', async () => {
    const { error } = await rpc.ask('state_queryStorageAt', Array(100).fill('0x3a636f6465'))
    expect(error).toEqual({
      code: -32_008,
      message: 'Response is too big',
      data: `Exceeded max limit of ${16 * 2 ** 20}`,
    })
    expect((await rpc.ask('state_queryStorageAt', Array(65_537).fill('0x00'))).error?.code).toBe(-32_602)
    expect(await rpc.get('state_queryStorageAt', Array(3).fill('0x3a636f6465'))).toHaveLength(1)
  })

  test('a budget is spent to its last byte', () => {
    const { spend } = createBudget(10)
    spend(4)
    spend(6)
    expect(() => spend(1)).toThrow('Response is too big')
  })
})

describe('metadata', () => {
  test('is asked of the runtime once for each version and code', async () => {
    const calls: string[] = []
    const counted = await startRpcChain()
    const { call } = counted.chain
    Object.assign(counted.chain, {
      call: (...of: Parameters<typeof call>) => {
        calls.push(of[0])
        return call(...of)
      },
    })
    for (let asked = 0; asked < 3; asked += 1) {
      await counted.get('state_getMetadata')
      await counted.get('state_call', 'Metadata_metadata_at_version', '0x0f000000')
      await counted.chain.produce()
    }
    expect(calls.filter((name) => name.startsWith('Metadata_'))).toEqual([
      'Metadata_metadata',
      'Metadata_metadata_at_version',
    ])
    await counted.chain.close()
  })
})

describe('state_subscribeStorage without keys', () => {
  test('tells every key that a block changes', async () => {
    const id = await rpc.get('state_subscribeStorage')
    await rpc.get('author_submitExtrinsic', rpc.transfer(ALICE, 0))
    const { hash } = await rpc.chain.produce()
    const [told] = rpc.heard(id) as { block: string; changes: [string, string | null][] }[]
    expect(told?.block).toBe(hash)
    const keys = told?.changes.map(([key]) => key) ?? []
    expect(keys).toContain(NOW)
    expect(keys.some((key) => key.startsWith(ACCOUNTS) && key.endsWith(toHex(ALICE.publicKey).slice(2)))).toBe(true)
  })
})
