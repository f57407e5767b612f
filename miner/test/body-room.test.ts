import { createGate } from '@arbor/shared/gate'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Alpha, Ss58 } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import largeEcho from '../../test/e2e/support/large-echo-spec.ts'
import { type Admission, createAdmission, type Seat } from '../src/admission/admission.ts'
import { createBodyRoom } from '../src/admission/body-room.ts'
import { createRateLimit } from '../src/admission/rate-limit.ts'
import { viewOf } from '../src/admission/subnet-view.ts'
import { askerOf, headersOf, metagraphOf, neurons, poor, rich, testNet, write } from './net.ts'

const MIB = 1 << 20
const never = new AbortController().signal

describe('room for bodies', () => {
  const open = () => {
    const room = createBodyRoom()
    const evicted: string[] = []
    const take = (caller: string, stake: number, bytes: number, name = caller) =>
      room.take({
        caller: caller as Ss58,
        stake: BigInt(stake) as Alpha,
        bytes,
        evict: () => void evicted.push(name),
      })
    /** Has callers of one stake take all that there is, each as much as it gets. */
    const fill = (stake: number): number => {
      let bodies = 0
      for (let caller = 0; caller < 40; caller += 1) while (take(`${stake}/${caller}`, stake, MIB)) bodies += 1
      return bodies
    }
    return { take, fill, evicted }
  }

  test('is taken from those with the least stake, who waited longest first', () => {
    const { take, fill, evicted } = open()
    take('middle', 2, 4 * MIB)
    take('low', 1, MIB, 'old')
    take('low', 1, MIB, 'young')
    fill(3)
    expect(evicted).toEqual(['old', 'young', 'middle'])
    expect(take('low', 1, MIB)).toBeNull()
    expect(take('middle', 2, MIB)).toBeNull()
    expect(evicted).toHaveLength(3)
    expect(take('high', 4, MIB)).not.toBeNull()
    expect(evicted[3]).toBe('3/0')
  })

  test('is there for more stake however many callers hold all of it, and for no more than a quarter', () => {
    const { take, fill, evicted } = open()
    const bodies = fill(1)
    expect(bodies).toBeGreaterThan(250)
    let taken = 0
    while (take('high', 2, MIB)) taken += 1
    expect(taken).toBe(64)
    expect(evicted.length).toBeGreaterThanOrEqual(64)
    expect(evicted.length).toBeLessThan(bodies)
    expect(take('higher', 3, 64 * MIB)).not.toBeNull()
    expect(evicted).not.toContain('high')
  })

  test('is taken from nobody with as much stake, nor from the caller itself', () => {
    const { take, fill, evicted } = open()
    fill(5)
    expect(take('same', 5, MIB)).toBeNull()
    expect(take('5/0', 6, MIB)).toBeNull() // its stake grew; it holds more than a quarter
    expect(evicted).toEqual([])
  })

  test('is taken from nobody when all that can be taken is too little', () => {
    const { take, fill, evicted } = open()
    fill(3)
    expect(take('low', 1, 65_536)).not.toBeNull()
    expect(take('high', 2, 32 * MIB)).toBeNull()
    expect(evicted).toEqual([])
  })

  test('is kept by who is worked on, and counted once when it is given back after it was taken', () => {
    const { take, fill, evicted } = open()
    take('kept', 1, MIB)?.keep()
    const lost = take('lost', 1, MIB)
    fill(2)
    expect(take('high', 3, MIB)).not.toBeNull()
    expect(evicted).toContain('lost')
    expect(evicted).not.toContain('kept')
    lost?.giveBack()
    lost?.giveBack()
    expect(take('2/39', 2, MIB)).toBeNull()
  })

  test('is whole again when all have left', () => {
    const { take } = open()
    const first = Array.from({ length: 170 }, () => take('alone', 1, MIB))
    expect(take('alone', 1, MIB)).toBeNull()
    for (const room of first) room?.giveBack()
    expect(Array.from({ length: 170 }, () => take('alone', 1, MIB))).not.toContain(null)
  })
})

describe('a seat whose room is taken', () => {
  const open = (slots: number, capacity: number) => {
    const clock = createManualClock()
    const gate = createGate({ slots, capacity })
    const free = createRateLimit({ perSecond: 10_000, burst: 10_000, clock })
    const view = () => viewOf(metagraphOf(neurons))
    const minStake = 0n as Alpha
    const lists = { admits: () => true }
    const admission = createAdmission({ clock, minStake, view, lists, rate: free, checks: free, gate })
    return { gate, admission }
  }
  const seated = (seat: ReturnType<Admission['seat']>): Seat => {
    if (!seat.ok) throw new Error(seat.code)
    return seat
  }
  /** Has callers of least stake hold all the room with bodies that do not come. */
  const trickle = (admission: Admission): Seat[] => {
    const seats: Seat[] = []
    for (let caller = 0; caller < 20; caller += 1)
      for (;;) {
        const seat = admission.seat({ caller: `trickler ${caller}` as Ss58, stake: 1n as Alpha, bytes: MIB })
        if (!seat.ok) break
        seats.push(seat)
      }
    return seats
  }

  test('is told so before it works, and leaves once', async () => {
    const { gate, admission } = open(1, 8)
    const seats = trickle(admission)
    const high = seated(admission.seat({ caller: rich.address, stake: 9n as Alpha, bytes: 16 * MIB }))
    const lost = seats.filter(({ evicted }) => evicted.aborted)
    expect(lost.length).toBeGreaterThanOrEqual(16)
    expect(lost[0]).toBe(seats[0])
    expect(await lost[0]?.work(never)).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    for (const seat of lost) seat.leave()
    expect((await high.work(never)).ok).toBe(true)
    expect(high.evicted.aborted).toBe(false)
    expect(gate.working).toBe(1)
  })

  test('loses its place in the queue, not one at work', async () => {
    const { gate, admission } = open(1, 8)
    const working = seated(admission.seat({ caller: poor.address, stake: 1n as Alpha, bytes: MIB }))
    expect((await working.work(never)).ok).toBe(true)
    const queued = seated(admission.seat({ caller: poor.address, stake: 1n as Alpha, bytes: MIB }))
    const place = queued.work(never)
    trickle(admission)
    seated(admission.seat({ caller: rich.address, stake: 9n as Alpha, bytes: 16 * MIB }))
    expect(await place).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    expect([working.evicted.aborted, gate.working, gate.waiting]).toEqual([false, 1, 0])
  })

  test('that got its place in the same turn gives it back', async () => {
    const { gate, admission } = open(1, 8)
    const first = seated(admission.seat({ caller: poor.address, stake: 1n as Alpha, bytes: MIB }))
    await first.work(never)
    const second = seated(admission.seat({ caller: poor.address, stake: 1n as Alpha, bytes: MIB }))
    const place = second.work(never)
    trickle(admission)
    first.leave() // the place passes on to the second
    seated(admission.seat({ caller: rich.address, stake: 9n as Alpha, bytes: 16 * MIB }))
    expect(await place).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    expect(gate.working).toBe(0)
  })
})

describe('a request whose room is taken', () => {
  test('ends while its body is on its way, and is refused when that is there', async () => {
    const free = createRateLimit({ perSecond: 10_000, burst: 10_000, clock: createManualClock() })
    const gate = createGate({ slots: 1, capacity: 1_000 })
    const solve = async () => ({ reply: 'r' })
    const net = await testNet({ spec: largeEcho, gate, rate: free, checks: free, solve })
    const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(2 * MIB) }))
    const opener = async (signer: typeof rich) => {
      const asker = await askerOf(net, { signer })
      return async () => {
        const written = write(asker, { now: net.clock.now(), body, path: '/echo', isSealed: false })
        const headers = { ...headersOf(asker, written), 'content-length': String(body.length) }
        const head = { method: 'POST', path: '/echo', remote: '192.0.2.1', sealedOnly: false }
        const opened = await net.service.open({ ...head, rawHeaders: Object.entries(headers).flat() }, never)
        return opened.kind === 'admitted' ? opened.admitted : null
      }
    }
    const [byPoor, byRich] = [await opener(poor), await opener(rich)]
    const trickling = []
    for (let admitted = await byPoor(); admitted !== null; admitted = await byPoor()) trickling.push(admitted)
    const served = []
    for (let admitted = await byRich(); admitted !== null; admitted = await byRich()) served.push(admitted)
    expect(served.length).toBe(31) // 62 MiB and a little: the next would be above a quarter
    const ended = trickling.filter(({ signal }) => signal.aborted)
    expect(ended.length).toBeGreaterThan(0)
    expect(ended).toEqual(trickling.slice(0, ended.length))
    const [lost, first] = [ended[0], served[0]]
    if (lost === undefined || first === undefined) throw new Error('the test misses requests')
    expect((await net.service.answer(lost, body)).head.status).toBe(503)
    expect((await net.service.answer(first, body)).head.status).toBe(200)
    for (const { release } of [...trickling, ...served]) release()
    expect([gate.working, (await byPoor()) === null]).toEqual([0, false])
  })
})
