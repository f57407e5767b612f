import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { account, createWorld, extrinsic, FUTURE, hashOf, refusal } from './pool-helpers.ts'

describe('pool', () => {
  test('pool offers higher priority first and older first among equals', async () => {
    const { pool, ready } = createWorld()
    const [low, high, same] = [
      extrinsic({ account: 1, nonce: 0, priority: 1 }),
      extrinsic({ account: 2, nonce: 0, priority: 9 }),
      extrinsic({ account: 3, nonce: 0, priority: 1 }),
    ]
    for (const bytes of [low, high, same]) expect((await pool.submit(bytes)).ok).toBe(true)
    expect(ready()).toEqual([high, low, same])
  })

  test('pool offers what expires sooner first when priorities are equal', async () => {
    const { pool, ready } = createWorld()
    const long = extrinsic({ account: 1, nonce: 0 })
    const short = extrinsic({ account: 2, nonce: 0, longevity: 8 })
    for (const bytes of [long, short]) await pool.submit(bytes)
    expect(ready()).toEqual([short, long])
  })

  test('an extrinsic waits when a nonce before it is missing, and becomes ready when it comes', async () => {
    const { pool, ready, watch } = createWorld()
    const of = (nonce: number) => extrinsic({ account: 1, nonce, priority: nonce + 1 })
    const [zero, one, two] = [of(0), of(1), of(2)]
    const late = await watch(two)
    const mid = await watch(one)
    expect(ready()).toEqual([])
    expect(pool.status()).toMatchObject({ ready: 0, future: 2 })
    await pool.submit(zero)
    expect(ready()).toEqual([zero, one, two])
    expect(late.events).toEqual(['future', 'ready'])
    expect(mid.events).toEqual(['future', 'ready'])
  })

  test('nextNonce counts ready extrinsics and stops at a gap', async () => {
    const { pool } = createWorld()
    for (const nonce of [0, 1, 3]) await pool.submit(extrinsic({ account: 1, nonce }))
    expect(pool.nextNonce(account(1), 0)).toBe(2)
    expect(pool.nextNonce(account(2), 5)).toBe(5)
  })

  test('ready followers go with an extrinsic that is removed, are not banned, and may come again', async () => {
    const { pool, watch, ready } = createWorld()
    const [zero, one, three] = [0, 1, 3].map((nonce) => extrinsic({ account: 1, nonce })) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const first = await watch(zero)
    const follower = await watch(one)
    const waiting = await watch(three)
    expect(pool.remove([hashOf(zero)])).toEqual([hashOf(zero), hashOf(one)])
    expect([first.events, follower.events, waiting.events]).toEqual([
      ['ready', 'invalid'],
      ['ready', 'invalid'],
      ['future'],
    ])
    expect(ready()).toEqual([])
    expect(await pool.submit(zero)).toEqual({ ok: false, refusal: { reason: 'banned' } })
    expect((await pool.submit(one)).ok).toBe(true)
  })

  test('a follower stays ready when the one before it is included', async () => {
    const { block, watch, ready } = createWorld({ revalidate: 0 })
    const [zero, one] = [extrinsic({ account: 1, nonce: 0 }), extrinsic({ account: 1, nonce: 1 })]
    await watch(zero)
    const follower = await watch(one)
    block([zero])
    expect(follower.events).toEqual(['ready'])
    expect(ready()).toEqual([one])
  })

  test('an extrinsic that the block put off as future stays and is asked about again', async () => {
    const { block, watch, ready } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events } = await watch(bytes)
    block([], new Map([[hashOf(bytes), refusal(FUTURE)]]))
    expect(events).toEqual(['ready'])
    expect(ready()).toEqual([bytes])
  })

  test('the order keeps every nonce after the one before it whatever arrives in whatever order', async () => {
    const arrivals = fc.uniqueArray(
      fc.record({
        account: fc.integer({ min: 1, max: 4 }),
        nonce: fc.integer({ min: 0, max: 6 }),
        priority: fc.nat(20),
      }),
      { selector: ({ account: who, nonce }) => `${who}/${nonce}`, maxLength: 28 },
    )
    await fc.assert(
      fc.asyncProperty(arrivals, async (all) => {
        const { pool, ready } = createWorld()
        for (const one of all) await pool.submit(extrinsic(one))
        const next = new Map<number, number>()
        for (const [who = 0, nonce = 0] of ready()) {
          expect(nonce).toBe(next.get(who) ?? 0)
          next.set(who, nonce + 1)
        }
        const runs = [1, 2, 3, 4].map((who) => {
          const nonces = new Set(all.filter((one) => one.account === who).map((one) => one.nonce))
          return [...Array(8).keys()].findIndex((nonce) => !nonces.has(nonce))
        })
        expect(ready().length).toBe(runs.reduce((sum, run) => sum + run, 0))
        expect(pool.status().ready + pool.status().future).toBe(all.length)
      }),
      { seed: 7, numRuns: 200 },
    )
  })
})
