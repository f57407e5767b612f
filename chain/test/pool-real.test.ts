import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Hex } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { reader } from '../src/embedded/scale.ts'
import { ALICE, BOB } from './support/embedded.ts'
import { extrinsicHash, startRpcChain } from './support/rpc.ts'

const CHARLIE = keypairFromUri('//Charlie')

let rpc: Awaited<ReturnType<typeof startRpcChain>>
beforeEach(async () => {
  rpc = await startRpcChain()
})
afterEach(() => rpc.chain.close())

type Signed = Parameters<typeof rpc.signer.signCall>
/** A transfer of `amount` rao to //Ferdie with a tip or an era. */
const transfer = (from: Signed[0], nonce: number, options: Signed[3] & { readonly amount?: bigint } = {}): Hex => {
  const { amount = 1_000_000n, ...signing } = options
  const call = rpc.signer.tx['balances']?.['transferKeepAlive']?.(keypairFromUri('//Ferdie').address, amount)
  if (call === undefined) throw new Error('no transfer in the metadata')
  return toHex(rpc.signer.signCall(from, nonce, call, signing))
}
const submit = (hex: Hex) => rpc.ask('author_submitExtrinsic', hex)
const watch = (hex: Hex) => rpc.get('author_submitAndWatchExtrinsic', hex)
const included = async (): Promise<Hex[]> => (await rpc.chain.produce()).extrinsics.slice(1).map(toHex)

describe('pool with signed extrinsics', () => {
  test('a larger tip goes first, but never before the nonce that it follows', async () => {
    const cheap = transfer(ALICE, 0)
    const follower = transfer(ALICE, 1, { tip: 10_000_000_000n })
    const dear = transfer(BOB, 0, { tip: 1_000_000_000n })
    for (const hex of [cheap, follower, dear]) expect((await submit(hex)).error).toBeUndefined()
    expect(await included()).toEqual([dear, cheap, follower])
  })

  test('a larger tip replaces an extrinsic of the same nonce, whose watcher hears by which', async () => {
    const [old, better, worse] = [0n, 1_000_000_000n, 1n].map((tip) => transfer(ALICE, 0, { tip })) as [Hex, Hex, Hex]
    const follower = await watch(transfer(ALICE, 1))
    const id = await watch(old)
    expect((await submit(better)).result).toBe(extrinsicHash(better))
    expect(rpc.heard(id)).toEqual(['ready', { usurped: extrinsicHash(better) }])
    expect((await submit(worse)).error).toMatchObject({ code: 1014 })
    expect(await included()).toEqual([better, expect.any(String)])
    expect(rpc.heard(follower).at(-1)).toHaveProperty('finalized')
  })

  test('a mortal extrinsic that waits becomes invalid when its era ends, and is banned before it is ancient', async () => {
    const birth = await rpc.chain.produce()
    const hex = transfer(ALICE, 1, { era: { period: 4, birth } })
    const id = await watch(hex)
    for (let made = 0; made < 2; made += 1) await rpc.chain.produce()
    expect(rpc.heard(id)).toEqual(['future']) // block 4 may still hold it, block 5 may not
    await rpc.chain.produce()
    expect(rpc.heard(id)).toEqual(['future', 'invalid'])
    expect((await submit(hex)).error).toEqual({ code: 1012, message: 'Transaction is temporarily banned' })
    await rpc.clock.advance(60_000)
    expect((await submit(hex)).error).toEqual({
      code: 1010,
      message: 'Invalid Transaction',
      data: 'Transaction has an ancient birth block',
    })
  })

  test('a mortal extrinsic is included while its era lasts', async () => {
    const birth = await rpc.chain.produce()
    const hex = transfer(ALICE, 0, { era: { period: 4, birth } })
    for (let made = 0; made < 2; made += 1) await rpc.chain.produce()
    await watch(hex)
    expect(await included()).toEqual([hex])
  })

  test('an extrinsic signed for another birth block has a bad signature', async () => {
    const birth = await rpc.chain.produce()
    const elsewhere = { ...birth, hash: `0x${'12'.repeat(32)}` as Hex }
    expect((await submit(transfer(ALICE, 0, { era: { period: 64, birth: elsewhere } }))).error).toEqual({
      code: 1010,
      message: 'Invalid Transaction',
      data: 'Transaction has a bad signature',
    })
  })

  test('an extrinsic that its sender can pay no longer becomes invalid, and its followers with it', async () => {
    const poor = keypairFromUri('//Poor')
    const fund = rpc.signer.tx['balances']?.['transferKeepAlive']?.(poor.address, 100_000_000n)
    await submit(toHex(rpc.signer.signCall(ALICE, 0, fund as object)))
    await rpc.chain.produce()
    const all = rpc.signer.tx['balances']?.['transferAll']?.(CHARLIE.address, false)
    const emptying = await watch(toHex(rpc.signer.signCall(poor, 0, all as object)))
    const [second, third] = [await watch(transfer(poor, 1)), await watch(transfer(poor, 2))]
    await rpc.chain.produce()
    expect(rpc.heard(emptying).at(-1)).toHaveProperty('finalized')
    expect([rpc.heard(second), rpc.heard(third)]).toEqual([
      ['ready', 'invalid'],
      ['ready', 'invalid'],
    ])
    expect(await rpc.get('author_pendingExtrinsics')).toEqual([])
  })

  test('a full pool and a sender’s full share are told as dropped at once', async () => {
    await rpc.chain.close()
    rpc = await startRpcChain({}, { count: 2, perSender: 1 })
    const full = {
      code: 1016,
      message: 'Immediately Dropped',
      data: "The transaction couldn't enter the pool because of the limit",
    }
    const held = await watch(transfer(ALICE, 0, { tip: 5n }))
    expect((await submit(transfer(ALICE, 1))).error).toEqual(full)
    await watch(transfer(BOB, 0, { tip: 9n }))
    expect((await submit(transfer(CHARLIE, 0))).error).toEqual(full)
    expect((await submit(transfer(CHARLIE, 0, { tip: 7n }))).error).toBeUndefined()
    expect(rpc.heard(held)).toEqual(['ready', 'dropped'])
  })

  test('what a reorganisation takes out of the chain is told, offered again, and included again', async () => {
    await rpc.chain.close()
    rpc = await startRpcChain({ finality: 'manual' })
    const id = await watch(transfer(ALICE, 0))
    const heads = await rpc.get('chain_subscribeNewHeads')
    const all = await rpc.get('chain_subscribeAllHeads')
    const first = await rpc.chain.produce()
    const nonces = await rpc.get('state_subscribeStorage', [accountKey(ALICE.publicKey)])
    rpc.chain.reorg(1)
    expect(rpc.heard(id)).toEqual(['ready', { inBlock: first.hash }, { retracted: first.hash }, 'ready'])
    expect(rpc.heard(nonces).length).toBe(2) // its nonce is 0 again
    const again = await rpc.chain.produce()
    rpc.chain.finalize(again.header.number)
    expect(rpc.heard(id).slice(-2)).toEqual([{ inBlock: again.hash }, { finalized: again.hash }])
    const numbers = (told: unknown[]): number[] => told.map((head) => Number((head as { number: string }).number))
    expect(numbers(rpc.heard(heads))).toEqual([0, 1, 2, 3])
    expect(numbers(rpc.heard(all))).toEqual([0, 1, 1, 2, 3])
  })
})

/** The key of System.Account, as any client computes it. */
const accountKey = (publicKey: Uint8Array): string => {
  const key = rpc.signer.query['system']?.['account']?.(publicKey)
  if (key === undefined) throw new Error('the metadata has no System.Account')
  return toHex(reader(key).vec())
}
