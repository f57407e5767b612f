import { SubnetError } from '@arbor/shared/errors'
import type { Block } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import type { Validity } from '../src/embedded/types.ts'
import { createPool } from '../src/pool/pool.ts'
import { defaultPoolLimits } from '../src/pool/types.ts'
import { account, createWorld, extrinsic, hashOf, refusal, STALE } from './pool-helpers.ts'

describe('pool beside a chain', () => {
  test('an included extrinsic is banned, since asking again could only find it outdated', async () => {
    const { pool, block, clock } = createWorld({ banMs: 1_000 })
    const bytes = extrinsic({ account: 1, nonce: 0 })
    await pool.submit(bytes)
    block([bytes])
    expect(await pool.submit(bytes)).toEqual({ ok: false, refusal: { reason: 'banned' } })
    await clock.advance(1_000)
    expect(await pool.submit(bytes)).toMatchObject({ refusal: { reason: 'invalid', validity: { index: STALE } } })
  })

  test('what is dropped for want of room is banned, what was refused for its sender’s share is not', async () => {
    const { pool } = createWorld({ count: 1, perSender: 1 })
    const [least, better] = [1, 2].map((priority) => extrinsic({ account: priority, nonce: 0, priority }))
    await pool.submit(least as Uint8Array)
    await pool.submit(better as Uint8Array)
    expect(await pool.submit(least as Uint8Array)).toEqual({ ok: false, refusal: { reason: 'banned' } })
    const second = extrinsic({ account: 2, nonce: 1 })
    expect(await pool.submit(second)).toEqual({ ok: false, refusal: { reason: 'full' } })
    expect(await pool.submit(second)).toEqual({ ok: false, refusal: { reason: 'full' } })
  })

  test('what is expired or found invalid takes its ready followers along', async () => {
    const { block, watch, ready, answers } = createWorld()
    const expiring = await watch(extrinsic({ account: 1, nonce: 0, longevity: 1 }))
    const after = await watch(extrinsic({ account: 1, nonce: 1 }))
    const bad = extrinsic({ account: 2, nonce: 0 })
    const refused = await watch(bad)
    const later = await watch(extrinsic({ account: 2, nonce: 1 }))
    answers.set(hashOf(bad), refusal(1))
    block([])
    for (const { events } of [expiring, after, refused, later]) expect(events).toEqual(['ready', 'invalid'])
    expect(ready()).toEqual([])
  })

  test('a retracted extrinsic is told so, is offered again before its followers, and is not banned', async () => {
    const { pool, block, reorg, watch, ready } = createWorld()
    const [zero, one, two] = [0, 1, 2].map((nonce) => extrinsic({ account: 1, nonce })) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const [first, second] = [await watch(zero), await watch(one)]
    const blocks = [block([zero]), block([one])]
    const third = await watch(two)
    expect(ready()).toEqual([two])
    reorg(blocks, [[], [], []])
    expect(first.events).toEqual(['ready', 'inBlock', 'retracted', 'ready'])
    expect(second.events).toEqual(['ready', 'inBlock', 'retracted', 'ready'])
    expect(third.events).toEqual(['ready'])
    expect(ready()).toEqual([zero, one, two])
    expect(pool.nextNonce(account(1), 0)).toBe(3)
    expect(await pool.submit(zero)).toEqual({ ok: false, refusal: { reason: 'imported', hash: hashOf(zero) } })
    const made = block([zero, one, two])
    pool.onFinalized(made)
    expect(first.events.slice(-3)).toEqual(['ready', 'inBlock', 'finalized'])
  })

  test('an extrinsic that the new branch holds too goes from one block to the other', async () => {
    const { pool, block, reorg, watch, ready } = createWorld()
    const bytes = extrinsic({ account: 1, nonce: 0 })
    const { events } = await watch(bytes)
    const old = block([bytes])
    const [, enacted] = reorg([old], [[], [bytes]])
    expect(events).toEqual(['ready', 'inBlock', 'retracted', 'inBlock'])
    expect(ready()).toEqual([])
    pool.onFinalized(old)
    expect(events.at(-1)).toBe('inBlock') // block 1 is final, the extrinsic is in block 2
    if (enacted) pool.onFinalized(enacted)
    expect(events.at(-1)).toBe('finalized')
  })

  test('a retracted extrinsic whose nonce the new branch used otherwise is invalid', async () => {
    const { block, reorg, watch, ready } = createWorld()
    const { events } = await watch(extrinsic({ account: 1, nonce: 0 }))
    const old = block([extrinsic({ account: 1, nonce: 0 })])
    reorg([old], [[extrinsic({ account: 1, nonce: 0, salt: 9 })]])
    expect(events).toEqual(['ready', 'inBlock', 'retracted', 'invalid'])
    expect(ready()).toEqual([])
  })

  test('what is held is asked about again on the new branch, so many at once', async () => {
    const { pool, block, reorg, validations } = createWorld({ revalidateAtReorg: 3, revalidate: 0 })
    const old = block([])
    for (let who = 1; who <= 10; who += 1) await pool.submit(extrinsic({ account: who, nonce: 0 }))
    const before = validations()
    reorg([old], [[], []])
    expect(validations() - before).toBe(3)
  })
})

describe('pool while a check runs', () => {
  const setUp = () => {
    const checks: ((answer: Validity | Error) => void)[] = []
    let hash = hashOf(Uint8Array.of(0))
    let asked = 0
    const good = (bytes: Uint8Array): Validity => ({
      valid: true,
      priority: 1n,
      longevity: 64n,
      requires: [],
      provides: [hashOf(bytes)],
      propagate: true,
    })
    const pool = createPool({
      validate: (bytes) => {
        asked += 1
        return good(bytes)
      },
      check: () =>
        new Promise((resolve, reject) => {
          checks.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)))
        }),
      best: () => ({ hash, number: 0 as Block }),
      clock: createWorld().clock,
      limits: defaultPoolLimits,
    })
    const advance = (): void => {
      hash = hashOf(Uint8Array.of(1))
    }
    return { pool, checks, good, advance, asked: () => asked }
  }
  const bytes = extrinsic({ account: 1, nonce: 0 })

  test('the same bytes sent twice are held once', async () => {
    const { pool, checks, good } = setUp()
    const both = [pool.submit(bytes), pool.submit(bytes)]
    for (const answer of checks) answer(good(bytes))
    expect((await Promise.all(both)).map(({ ok }) => ok)).toEqual([true, false])
    expect(pool.status().ready).toBe(1)
  })

  test('a block in the meantime has the runtime asked again', async () => {
    const { pool, checks, good, advance, asked } = setUp()
    const submitted = pool.submit(bytes)
    advance()
    checks[0]?.(good(bytes))
    expect((await submitted).ok).toBe(true)
    expect(asked()).toBe(1)
  })

  test('too many checks at once are told as a full pool, and nothing is banned', async () => {
    const { pool, checks, good } = setUp()
    const refused = pool.submit(bytes)
    checks[0]?.(new SubnetError({ code: 'CHAIN_CHECKS_FULL', message: 'full' }))
    expect(await refused).toEqual({ ok: false, refusal: { reason: 'full' } })
    const again = pool.submit(bytes)
    checks[1]?.(good(bytes))
    expect((await again).ok).toBe(true)
  })

  test('what stops the runtime is no extrinsic, and any other failure is not hidden', async () => {
    const { pool, checks } = setUp()
    const trapped = pool.submit(bytes)
    checks[0]?.(new SubnetError({ code: 'CHAIN_RUNTIME_TRAP', message: 'panicked' }))
    expect(await trapped).toEqual({ ok: false, refusal: { reason: 'malformed', why: 'panicked' } })
    const broken = pool.submit(extrinsic({ account: 2, nonce: 0 }))
    checks[1]?.(new Error('the worker died'))
    await expect(broken).rejects.toThrow('the worker died')
  })
})
