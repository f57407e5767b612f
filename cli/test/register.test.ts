import type { BlockRef, Submission } from '@arbor/chain/client/types'
import type { Block, Hex, NetUid, Rao } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { type Quote, type RegisterDeps, registerWithin } from '../src/register-wait.ts'

const hash: Hex = `0x${'11'.repeat(32)}`
const block = { number: 9 as Block, hash }
const taken: Submission = { status: 'included', block, hash, events: [] }
const failed = (error: string): Submission => ({ status: 'failed', block, hash, error, docs: '' })
const refused = (error: string): Submission => ({ status: 'refused', code: 1010, error, retryable: true })
const price = (rao: bigint, isOpen = true): Quote => ({ priceRao: rao as Rao, isOpen })

/** A chain that quotes, answers and knows uids block by block; the last of each stays. */
const chainOf = (of: {
  readonly quotes: readonly Quote[]
  readonly answers?: readonly Submission[]
  readonly uids?: readonly (number | null)[]
  readonly maxBurn?: bigint | null
  readonly wait?: number
}) => {
  const limits: bigint[] = []
  const said: string[] = []
  let at = 0
  const now = <T>(list: readonly T[]): T => list[Math.min(at, list.length - 1)] as T
  const deps: RegisterDeps = {
    netuid: 1 as NetUid,
    maxBurnRao: (of.maxBurn === undefined ? 100n : of.maxBurn) as Rao | null,
    waitBlocks: of.wait ?? 0,
    quote: async () => now(of.quotes),
    uid: async () => now(of.uids ?? [null]),
    submit: async ({ limitRao }) => {
      limits.push(limitRao)
      return now(of.answers ?? [taken])
    },
    heads: async function* (signal): AsyncGenerator<BlockRef> {
      yield block
      for (; !signal.aborted; ) {
        at += 1
        yield { ...block, number: (9 + at) as Block }
      }
    },
    say: (line) => void said.push(line),
  }
  return { limits, said, run: () => registerWithin(deps, new AbortController().signal) }
}

describe('registration', () => {
  it('pays at most --max-burn, and without one a tenth above the price of the moment', async () => {
    const named = chainOf({ quotes: [price(90n)] })
    expect(await named.run()).toBe(taken)
    const free = chainOf({ quotes: [price(90n)], maxBurn: null })
    await free.run()
    expect([named.limits, free.limits]).toEqual([[100n], [99n]])
  })

  it.each([
    ['too dear', [price(101n)], undefined, 'REGISTER_TOO_DEAR'],
    ['closed', [price(1n, false)], undefined, 'REGISTER_CLOSED'],
    ['full', [price(1n)], [failed('SubtensorModule.TooManyRegistrationsThisBlock')], 'CHAIN_CALL_FAILED'],
  ])('subnet that is %s is told at once without --wait', async (_, quotes, answers, code) => {
    const { run, said } = chainOf({ quotes, ...(answers === undefined ? {} : { answers }) })
    await expect(run()).rejects.toMatchObject({ code })
    expect(said).toEqual([])
  })

  it.each([
    ['the price falls', [price(200n), price(150n), price(100n)], undefined],
    ['the subnet opens', [price(1n, false), price(1n, false), price(1n)], undefined],
    [
      'there is room',
      [price(1n)],
      [
        failed('SubtensorModule.TooManyRegistrationsThisInterval'),
        refused('InvalidTransaction.ExhaustsResources'),
        taken,
      ],
    ],
    ['the limit is met', [price(1n)], [failed('SubtensorModule.RegistrationPriceLimitExceeded'), taken]],
  ])('--wait registers as soon as %s, and says once that it waits', async (_, quotes, answers) => {
    const { run, said } = chainOf({ quotes, wait: 5, ...(answers === undefined ? {} : { answers }) })
    expect(await run()).toBe(taken)
    expect(said).toEqual([expect.stringContaining('waiting up to 5 blocks')])
  })

  it('--wait ends after so many blocks with the reason', async () => {
    const { run, limits } = chainOf({ quotes: [price(500n)], wait: 3 })
    await expect(run()).rejects.toMatchObject({ code: 'REGISTER_TOO_DEAR', details: { priceRao: '500' } })
    expect(limits).toEqual([])
  })

  it('refusal that no block mends ends it at once', async () => {
    const answers = [failed('SubtensorModule.NotEnoughBalanceToStake')]
    const { run, limits } = chainOf({ quotes: [price(1n)], answers, wait: 9 })
    await expect(run()).rejects.toMatchObject({ code: 'CHAIN_CALL_FAILED' })
    expect(limits).toHaveLength(1)
  })

  it('registration that may have happened unseen is not paid for again', async () => {
    const answers: readonly Submission[] = [{ status: 'unseen', hash, error: 'Chain.Unseen' }]
    const { run, limits } = chainOf({ quotes: [price(1n)], answers, wait: 9 })
    await expect(run()).rejects.toMatchObject({ code: 'CHAIN_CALL_UNSEEN', message: expect.stringContaining(hash) })
    expect(limits).toHaveLength(1)
  })

  it('hotkey that got its uid meanwhile is not paid for again', async () => {
    const answers = [refused('InvalidTransaction.Expired'), taken]
    const { run, limits } = chainOf({ quotes: [price(1n)], answers, uids: [null, 7], wait: 9 })
    expect(await run()).toBe(7)
    expect(limits).toHaveLength(1)
  })
})
