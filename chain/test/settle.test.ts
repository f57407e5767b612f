import type { Block, Hex } from '@arbor/shared/units'
import { blake2AsHex } from '@polkadot/util-crypto'
import { expect, test } from 'vitest'
import { type SubmitDeps, settleSent } from '../src/client/submit.ts'

const hashOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`
const OURS = '0x0102' as Hex
const sent = { hash: blake2AsHex(OURS) as Hex, birth: 10 as Block, lastBlock: 14 as Block }
const never = new AbortController().signal
const unseen = { status: 'unseen', hash: sent.hash, error: 'Chain.Unseen' }

/**
 * A chain whose finalised heads come one by one, and whose block 12 has our bytes.
 * @param has tells whether the endpoint can read a block while a head is the newest
 */
const settledBy = (heads: readonly number[], has: (block: number, head: number) => boolean) => {
  let newest = 0
  const deps = {
    socket: {
      dead: never,
      request: async (_: string, [hash]: readonly Hex[]) => {
        const number = Number(hash)
        if (!has(number, newest)) return null
        return { block: { header: { number: hashOf(number) }, extrinsics: number === 12 ? [OURS] : [] } }
      },
    },
    reader: { runtimeAt: async () => null, many: async () => [null] },
    hashOf: async (number: Block) => hashOf(number),
    heads: async function* () {
      for (const number of heads) {
        newest = number
        yield { number: number as Block, hash: hashOf(number) }
      }
    },
  } as unknown as SubmitDeps
  return settleSent(deps, sent, never)
}
const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('a block that an endpoint does not have yet is asked for again, and not passed over', async () => {
  const late = settledBy(range(11, 20), (block, head) => block <= head - 3)
  expect(await late).toMatchObject({ status: 'finalised', block: { number: 12 } })
})

test('bytes whose era is over are unseen, and not expired, where a block could not be read', async () => {
  const without = settledBy(range(11, 30), (block, head) => block !== 12 && block <= head - 3)
  expect(await without).toEqual(unseen) // block 12 never came
  const lost = settledBy([20], (block) => block !== 12)
  expect(await lost).toEqual(unseen)
})

test('blocks that an endpoint forgot long ago are not waited for', async () => {
  expect(await settledBy([300], () => false)).toEqual(unseen)
})

test('a block that does not hold the bytes any more tells nothing of them', async () => {
  let asked = 0
  const turned = settledBy([20], (block) => {
    if (block !== 12) return true
    asked += 1
    return asked < 2
  })
  expect(await turned).toEqual(unseen)
  expect(asked).toBe(2)
})
