import { describe, expect, test } from 'vitest'
import { createWorld, extrinsic, hashOf, refusal, STALE } from './pool-helpers.ts'

describe('pool', () => {
  test('pool refuses a second extrinsic of the same nonce when it is worth no more', async () => {
    const { pool } = createWorld()
    await pool.submit(extrinsic({ account: 1, nonce: 0, priority: 5 }))
    expect(await pool.submit(extrinsic({ account: 1, nonce: 0, priority: 5, salt: 1 }))).toEqual({
      ok: false,
      refusal: { reason: 'priority', held: 5n, offered: 5n },
    })
  })

  test('pool replaces an extrinsic and tells its watcher when one worth more comes, and followers stay ready', async () => {
    const { watch, ready } = createWorld()
    const old = await watch(extrinsic({ account: 1, nonce: 0, priority: 5 }))
    const follower = await watch(extrinsic({ account: 1, nonce: 1, priority: 5 }))
    const better = extrinsic({ account: 1, nonce: 0, priority: 6 })
    await watch(better)
    expect(old.events).toEqual(['ready', 'usurped'])
    expect(follower.events).toEqual(['ready'])
    expect(ready()[0]).toEqual(better)
  })

  test('pool refuses what it holds already', async () => {
    const { pool } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    await pool.submit(bytes)
    expect(await pool.submit(bytes)).toEqual({ ok: false, refusal: { reason: 'imported', hash: hashOf(bytes) } })
  })

  test('pool bans refused bytes without asking the runtime until the ban ends', async () => {
    const { pool, clock, answers, validations } = createWorld({ banMs: 1_000 })
    const bytes = extrinsic({ account: 1, nonce: 0 })
    answers.set(hashOf(bytes), refusal(1))
    expect(await pool.submit(bytes)).toMatchObject({ refusal: { reason: 'invalid' } })
    expect(await pool.submit(bytes)).toEqual({ ok: false, refusal: { reason: 'banned' } })
    expect(validations()).toBe(1)
    await clock.advance(1_000)
    answers.clear()
    expect((await pool.submit(bytes)).ok).toBe(true)
  })

  test('pool does not ban what the runtime cannot judge', async () => {
    const { pool, answers } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    answers.set(hashOf(bytes), { valid: false, kind: 'unknown', index: 0, custom: null })
    expect(await pool.submit(bytes)).toMatchObject({ refusal: { reason: 'unknown' } })
    expect(await pool.submit(bytes)).toMatchObject({ refusal: { reason: 'unknown' } })
  })

  test('pool refuses an extrinsic without tags', async () => {
    const { pool, answers } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const [priority, longevity] = [1n, 64n]
    answers.set(hashOf(bytes), { valid: true, priority, longevity, requires: [], provides: [], propagate: true })
    expect(await pool.submit(bytes)).toEqual({ ok: false, refusal: { reason: 'no-tags' } })
  })

  test('pool refuses the least when it is full, and drops the least when something better comes', async () => {
    const { pool, watch } = createWorld({ count: 2 })
    const least = await watch(extrinsic({ account: 1, nonce: 0, priority: 3 }))
    await pool.submit(extrinsic({ account: 2, nonce: 0, priority: 5 }))
    expect(await pool.submit(extrinsic({ account: 3, nonce: 0, priority: 2 }))).toEqual({
      ok: false,
      refusal: { reason: 'full' },
    })
    expect((await pool.submit(extrinsic({ account: 4, nonce: 0, priority: 9 }))).ok).toBe(true)
    expect(least.events).toEqual(['ready', 'dropped'])
    expect(pool.status()).toMatchObject({ ready: 2, future: 0, bytes: 10 })
  })

  test('pool bounds bytes, waiting extrinsics, and one sender', async () => {
    const bytes = createWorld({ bytes: 12 })
    const future = createWorld({ future: 2 })
    const sender = createWorld({ perSender: 2 })
    for (const nonce of [0, 1, 2]) await bytes.pool.submit(extrinsic({ account: 1, nonce }))
    for (const nonce of [5, 6, 7]) await future.pool.submit(extrinsic({ account: 1, nonce }))
    for (const nonce of [0, 1, 2]) await sender.pool.submit(extrinsic({ account: 1, nonce }))
    expect(bytes.pool.status().bytes).toBe(10)
    expect(future.pool.status().future).toBe(2)
    expect(sender.pool.status().ready).toBe(2)
    expect((await sender.pool.submit(extrinsic({ account: 2, nonce: 0 }))).ok).toBe(true)
  })

  test('an included extrinsic is told in block, then finalised, and leaves the pool', async () => {
    const { pool, block, watch, ready } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events } = await watch(bytes)
    const made = block([bytes])
    expect(ready()).toEqual([])
    pool.onFinalized(made)
    pool.onFinalized(made)
    expect(events).toEqual(['ready', 'inBlock', 'finalized'])
  })

  test('a watch gives up when finality does not come', async () => {
    const { block, watch } = createWorld({ finalityBlocks: 2 })
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events } = await watch(bytes)
    for (const included of [[bytes], [], [], []]) block(included)
    expect(events).toEqual(['ready', 'inBlock', 'finalityTimeout'])
  })

  test('a mortal extrinsic becomes invalid when its time is over', async () => {
    const { block, watch, ready } = createWorld({ revalidate: 0 })
    const { events } = await watch(extrinsic({ account: 1, nonce: 0, longevity: 2 }))
    block([])
    expect(events).toEqual(['ready'])
    block([])
    expect(events).toEqual(['ready', 'invalid'])
    expect(ready()).toEqual([])
  })

  test('what the block refuses is told invalid, banned, and leaves', async () => {
    const { pool, block, watch } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events } = await watch(bytes)
    block([], new Map([[hashOf(bytes), refusal(STALE)]]))
    expect(events).toEqual(['ready', 'invalid'])
    expect(await pool.submit(bytes)).toEqual({ ok: false, refusal: { reason: 'banned' } })
  })

  test('held extrinsics are asked about again, so many a block, those asked longest ago first', async () => {
    const { pool, block, answers, validations, ready } = createWorld({ revalidate: 2 })
    const all = [1, 2, 3].map((account) => extrinsic({ account, nonce: 0 }))
    for (const bytes of all) await pool.submit(bytes)
    for (const bytes of all) answers.set(hashOf(bytes), refusal(1))
    block([])
    expect(validations()).toBe(5)
    expect(ready()).toEqual([all[2]])
    block([])
    expect(ready()).toEqual([])
  })

  test('an ended watch hears nothing more', async () => {
    const { pool, block, watch } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events, listener } = await watch(bytes)
    pool.unwatch(hashOf(bytes), listener)
    block([bytes])
    expect(events).toEqual(['ready'])
  })
})
