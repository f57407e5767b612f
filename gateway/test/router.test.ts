import { createManualClock } from '@arbor/shared/manual-clock'
import { describe, expect, test } from 'vitest'
import { type Candidate, createRouter, type Seat, type Seating } from '../src/routing/router.ts'
import { miner, seeded } from './support/gateway.ts'

const never = new AbortController().signal
const nobody: ReadonlySet<string> = new Set()
const open = (
  of: { miners?: readonly Candidate[]; inFlight?: number; perMiner?: number; waiting?: number; seed?: number } = {},
) => {
  const clock = createManualClock()
  const { inFlight = 100, perMiner = 100, waiting = 4 } = of
  const router = createRouter({ limits: { inFlight, perMiner, waiting }, clock, random: seeded(of.seed ?? 3) })
  router.update(of.miners ?? [miner('A'), miner('B'), miner('C')])
  const take = (tried = nobody): Promise<Seating> => router.take({ tried, late: never, signal: never })
  const sit = async (tried = nobody): Promise<Seat> => {
    const seating = await take(tried)
    if (!seating.ok) throw new Error(seating.reason)
    return seating.seat
  }
  return { router, clock, take, sit }
}
const names = (seats: readonly Seat[]): Record<string, number> =>
  seats.reduce<Record<string, number>>((counts, { miner: { hotkey } }) => {
    counts[hotkey] = (counts[hotkey] ?? 0) + 1
    return counts
  }, {})

describe('a router', () => {
  test('spreads questions evenly over miners that are alike', async () => {
    const { sit } = open()
    const seats: Seat[] = []
    for (let i = 0; i < 30; i += 1) seats.push(await sit())
    for (const count of Object.values(names(seats))) expect(Math.abs(count - 10)).toBeLessThanOrEqual(2)
  })

  test('asks miners in proportion to their weights while nobody is busy', async () => {
    const { sit } = open({ miners: [miner('A', 8), miner('B', 1), miner('C', 1)] })
    const seats: Seat[] = []
    for (let i = 0; i < 400; i += 1) {
      const seat = await sit()
      seat.settle({ kind: 'answered', ms: 100 })
      seats.push(seat)
    }
    const { '5A': best = 0, '5B': second = 0, '5C': third = 0 } = names(seats)
    expect(best).toBeGreaterThan(second + third)
    expect(Math.min(second, third)).toBeGreaterThan(10)
  })

  test('prefers the faster of two', async () => {
    const { sit } = open({ miners: [miner('A'), miner('B')] })
    for (const tried of ['5A', '5B'])
      (await sit(new Set([tried]))).settle({ kind: 'answered', ms: tried === '5A' ? 900 : 100 })
    const seats: Seat[] = []
    for (let i = 0; i < 20; i += 1) {
      const seat = await sit()
      seat.settle({ kind: 'void' })
      seats.push(seat)
    }
    expect(names(seats)).toEqual({ '5A': 20 })
  })

  test('never gives a miner or all of them more than their bounds', async () => {
    const { router, sit, take } = open({ perMiner: 2, inFlight: 5 })
    const seats = [await sit(), await sit(), await sit(), await sit(), await sit()]
    expect(Math.max(...Object.values(names(seats)))).toBe(2)
    const waiting = take()
    expect([router.inFlight, router.waiting]).toEqual([5, 1])
    seats[0]?.settle({ kind: 'void' })
    expect(await waiting).toMatchObject({ ok: true })
    expect([router.inFlight, router.waiting]).toEqual([5, 0])
  })

  test('lets as many wait as it may, first come first served, and refuses the rest', async () => {
    const { sit, take } = open({ inFlight: 1, waiting: 2 })
    const seat = await sit()
    const order: string[] = []
    const inOrder = async (name: string): Promise<Seating> => {
      const seating = await take()
      order.push(name)
      return seating
    }
    const first = inOrder('first')
    const second = inOrder('second')
    expect(await take()).toEqual({ ok: false, reason: 'full' })
    seat.settle({ kind: 'void' })
    const seating = await first
    if (seating.ok) seating.seat.settle({ kind: 'void' })
    await second
    expect(order).toEqual(['first', 'second'])
  })

  test('gives back the place of who left the queue', async () => {
    const { router, sit } = open({ inFlight: 1 })
    await sit()
    const gone = new AbortController()
    const late = new AbortController()
    const left = router.take({ tried: nobody, late: never, signal: gone.signal })
    const waited = router.take({ tried: nobody, late: late.signal, signal: never })
    gone.abort(new Error('gone'))
    late.abort()
    await expect(left).rejects.toThrow('gone')
    expect(await waited).toEqual({ ok: false, reason: 'late' })
    expect(router.waiting).toBe(0)
  })

  test('leaves a miner alone that failed, each time for longer, and tries it with one question then', async () => {
    const { router, clock, sit } = open({ miners: [miner('A'), miner('B')] })
    const isResting = (): boolean =>
      router.miners().some(({ miner: { hotkey }, resting }) => hotkey === '5A' && resting)
    const fail = async (): Promise<void> => (await sit(new Set(['5B']))).settle({ kind: 'failed', soft: false })
    await fail()
    expect(isResting()).toBe(true)
    for (let i = 0; i < 10; i += 1) expect((await sit()).miner.hotkey).toBe('5B')
    await clock.advance(2_000)
    expect(isResting()).toBe(false)
    const trial = await sit(new Set(['5B']))
    expect((await Promise.all([sit(), sit()])).map(({ miner: { hotkey } }) => hotkey)).toEqual(['5B', '5B'])
    trial.settle({ kind: 'failed', soft: false })
    await clock.advance(2_000)
    expect(isResting()).toBe(true)
    await clock.advance(2_000)
    expect(isResting()).toBe(false)
    ;(await sit(new Set(['5B']))).settle({ kind: 'answered', ms: 5 })
    await fail()
    await clock.advance(2_000)
    expect(isResting()).toBe(false)
  })

  test('asks miners that rest when nobody else is left', async () => {
    const { sit } = open({ miners: [miner('A')] })
    ;(await sit()).settle({ kind: 'failed', soft: false })
    expect((await sit()).miner.hotkey).toBe('5A')
  })

  test('counts failures that come together once', async () => {
    const { router, clock, sit } = open({ miners: [miner('A'), miner('B')] })
    const seats = await Promise.all(Array.from({ length: 6 }, () => sit(new Set(['5B']))))
    for (const seat of seats) seat.settle({ kind: 'failed', soft: false })
    await clock.advance(2_000)
    expect(router.miners().map(({ resting }) => resting)).toEqual([false, false])
  })

  test('says that nobody is left when all were tried, and forgets miners that have gone', async () => {
    const { router, take, sit } = open({ miners: [miner('A')] })
    expect(await take(new Set(['5A']))).toEqual({ ok: false, reason: 'none' })
    const seat = await sit()
    router.update([])
    seat.settle({ kind: 'answered', ms: 1 })
    expect(await take()).toEqual({ ok: false, reason: 'none' })
    router.update([miner('A')])
    expect(router.miners()).toMatchObject([{ inFlight: 0 }])
  })

  test('refuses everybody once it is closed', async () => {
    const { router, take, sit } = open({ inFlight: 1 })
    await sit()
    const waiting = take()
    router.close()
    expect(await waiting).toEqual({ ok: false, reason: 'closed' })
    expect(await take()).toEqual({ ok: false, reason: 'closed' })
  })
})
