import type { Block, Ss58 } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { createNonces, type Nonces } from '../src/client/nonces.ts'

const account = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58
const take = (nonces: Nonces, chainNext: number, now: number) =>
  nonces.alone(account, async (choose) => choose(chainNext, now as Block))

describe('nonces of an account', () => {
  test('are free ones when the chain does not count ours yet', async () => {
    const nonces = createNonces()
    const given = [await take(nonces, 7, 10), await take(nonces, 7, 10), await take(nonces, 7, 12)]
    expect(given.map(({ nonce }) => nonce)).toEqual([7, 8, 9])
  })

  test('are given again when no pool counts what was signed with them three blocks ago', async () => {
    const nonces = createNonces()
    await take(nonces, 7, 10)
    expect((await take(nonces, 7, 13)).nonce).toBe(7)
    expect((await take(nonces, 7, 13)).nonce).toBe(8)
  })

  test('are free again when released, and whoever has them then keeps them when the first releases twice', async () => {
    const nonces = createNonces()
    const first = await take(nonces, 7, 10)
    first.release()
    const second = await take(nonces, 7, 10)
    first.release()
    expect([second.nonce, (await take(nonces, 7, 10)).nonce]).toEqual([7, 8])
  })
})
