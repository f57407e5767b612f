import { SubnetError } from '@arbor/shared/errors'
import type { Block, NetUid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { findEpoch } from '../../src/auditor/epoch.ts'
import type { ChainFacts } from '../../src/auditor/facts.ts'
import { hashOf } from './written.ts'

/** A chain whose epochs end after these blocks; state of blocks before `keptFrom` is gone. */
function chainOf(
  ends: readonly number[],
  of: { readonly head: number; readonly tempo: number; readonly keptFrom?: number },
) {
  const byHash = new Map(Array.from({ length: of.head + 1 }, (_, block) => [hashOf(block), block]))
  const commitReveal = async (_: NetUid, at: string) => {
    const block = byHash.get(at as never) ?? -1
    if (block < (of.keptFrom ?? 0)) throw new SubnetError({ code: 'CHAIN_RPC', message: 'State already discarded' })
    const epoch = ends.filter((end) => end < block).length
    const lastEpochBlock = epoch === 0 ? 0 : (ends[epoch - 1] ?? 0) + 1
    return { epoch, epochDue: false, schedule: { lastEpochBlock, tempo: of.tempo }, enabled: true, revealPeriod: 2 }
  }
  const blockHash = async (block: Block) => (block > of.head ? null : hashOf(block))
  const facts = { head: { number: of.head, hash: hashOf(of.head) }, blockHash } as unknown as ChainFacts
  return { chain: { commitReveal } as never, facts, netuid: 1 as NetUid }
}

describe('the blocks of an epoch', () => {
  test('are counted back by the tempo where it never changed', async () => {
    const chain = chainOf([19, 39, 59, 79], { head: 95, tempo: 20 })
    expect(await findEpoch({ ...chain, epoch: 2 })).toEqual({
      epoch: 2,
      first: 40,
      last: 59,
      revealPeriod: 2,
      exact: true,
    })
    expect(await findEpoch({ ...chain, epoch: undefined })).toMatchObject({ epoch: 3, first: 60, last: 79 })
  })

  test('are searched for where the tempo was another one, or an epoch was put off', async () => {
    const chain = chainOf([7, 31, 38, 61, 79], { head: 95, tempo: 20 })
    for (const [epoch, first, last] of [
      [0, 0, 7],
      [1, 8, 31],
      [2, 32, 38],
      [3, 39, 61],
      [4, 62, 79],
    ] as const)
      expect(await findEpoch({ ...chain, epoch })).toMatchObject({ first, last, exact: true })
  })

  test('are counted back, and said to be, where the chain has no state of then', async () => {
    const chain = chainOf([19, 39, 59, 79], { head: 95, tempo: 20, keptFrom: 70 })
    expect(await findEpoch({ ...chain, epoch: 1 })).toMatchObject({ first: 20, last: 39, exact: false })
  })

  test('are refused for an epoch that has not ended, and before the first has', async () => {
    const chain = chainOf([19, 39], { head: 45, tempo: 20 })
    await expect(findEpoch({ ...chain, epoch: 2 })).rejects.toMatchObject({ code: 'AUDIT_EPOCH' })
    await expect(findEpoch({ ...chainOf([], { head: 5, tempo: 20 }), epoch: undefined })).rejects.toMatchObject({
      code: 'AUDIT_EPOCH',
    })
  })
})
