import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGate } from '@arbor/shared/gate'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Alpha } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { type Admission, createAdmission, type Seat } from '../src/admission/admission.ts'
import { openLists } from '../src/admission/lists.ts'
import { createRateLimit } from '../src/admission/rate-limit.ts'
import { remoteKey } from '../src/admission/remote.ts'
import { viewOf } from '../src/admission/subnet-view.ts'
import { metagraphOf, neurons, poor, rich, stranger } from './net.ts'

describe('rate limit', () => {
  test('gives a burst, then a steady rate, and says when the next place comes', async () => {
    const clock = createManualClock()
    const limit = createRateLimit({ perSecond: 0.5, burst: 2, clock })
    expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([
      { ok: true },
      { ok: true },
      { ok: false, retryAfterS: 2 },
    ])
    expect(limit.take('b').ok).toBe(true)
    await clock.advance(1_500)
    expect(limit.take('a')).toEqual({ ok: false, retryAfterS: 1 })
    await clock.advance(500)
    expect([limit.take('a').ok, limit.take('a').ok]).toEqual([true, false])
  })

  test('remembers as many keys as it may, and locks nobody out for it', () => {
    const limit = createRateLimit({ perSecond: 1, burst: 1, clock: createManualClock(), maxKeys: 100 })
    expect(limit.take('honest').ok).toBe(true)
    for (let index = 0; index < 10_000; index += 1) {
      expect(limit.take(`flooder ${index}`).ok).toBe(true)
      if (index === 50) expect(limit.take('honest').ok).toBe(false)
    }
    expect(limit.size).toBe(100)
    expect(limit.take('honest').ok).toBe(true)
  })
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2/64'],
  ['2001:db8::9', '2001:db8:0:0/64'],
  ['::1', '0:0:0:0/64'],
  ['fe80::1%eth0', 'fe80:0:0:0/64'],
  ['relay.example:8100', 'relay.example:8100'],
])('address %s counts for %s', (address, key) => {
  expect(remoteKey(address)).toBe(key)
})

describe('seats', () => {
  const MIB = 1 << 20
  const never = new AbortController().signal
  const open = (slots = 1, capacity = 0) => {
    const clock = createManualClock()
    const gate = createGate({ slots, capacity })
    const free = createRateLimit({ perSecond: 1_000, burst: 1_000, clock })
    const view = () => viewOf(metagraphOf(neurons))
    const minStake = 0n as Alpha
    const lists = { admits: () => true }
    return { gate, admission: createAdmission({ clock, minStake, view, lists, rate: free, checks: free, gate }) }
  }
  const of = (bytes: number, caller = rich.address, stake = 1n as Alpha) => ({ caller, stake, bytes })
  const seated = (seat: ReturnType<Admission['seat']>): Seat => {
    if (!seat.ok) throw new Error(seat.code)
    return seat
  }

  test('hold no thread until their body is there', async () => {
    const { gate, admission } = open()
    const [first, second] = [seated(admission.seat(of(1))), seated(admission.seat(of(1)))]
    expect(gate.working).toBe(0)
    expect((await second.work(never)).ok).toBe(true)
    expect(await first.work(never)).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    second.leave()
    expect([(await first.work(never)).ok, gate.working]).toEqual([true, 1])
    first.leave()
    first.leave()
    expect(gate.working).toBe(0)
  })

  test('are refused before the body when the queue has no room for the stake', async () => {
    const { admission } = open(1, 1)
    const [working, waiting] = [seated(admission.seat(of(1))), seated(admission.seat(of(1)))]
    await working.work(never)
    const place = waiting.work(never)
    expect(admission.seat(of(1))).toMatchObject({ ok: false, code: 'MINER_BUSY', retryAfterS: 1 })
    expect(admission.seat(of(1, poor.address, 2n as Alpha)).ok).toBe(true)
    working.leave()
    expect((await place).ok).toBe(true)
  })

  test('give a place back that comes when their caller is gone', async () => {
    const { gate, admission } = open(1, 1)
    const [working, waiting] = [seated(admission.seat(of(1))), seated(admission.seat(of(1)))]
    await working.work(never)
    const place = waiting.work(never)
    waiting.leave()
    working.leave()
    await place
    expect(gate.working).toBe(0)
  })

  test('bound the bytes of bodies, of one caller and of all', () => {
    const { admission } = open()
    const held = seated(admission.seat(of(170 * MIB)))
    expect(admission.seat(of(MIB))).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    expect(admission.seat(of(58 * MIB, poor.address))).toMatchObject({ ok: false, code: 'MINER_BUSY' })
    const other = seated(admission.seat(of(57 * MIB, poor.address)))
    held.leave()
    other.leave()
    expect(admission.seat(of(170 * MIB)).ok).toBe(true)
  })

  test('are had however much others hold of the room for bodies', () => {
    const { admission } = open()
    for (const holder of [poor.address, stranger.address]) while (admission.seat(of(MIB, holder)).ok);
    expect(admission.seat(of(16 * MIB, rich.address)).ok).toBe(true)
  })
})

describe('lists', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arbor-lists-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const clock = createManualClock()
  const log = createLogger({ name: 'miner', level: 'silent' })
  const open = (of: { readonly allow?: string; readonly deny?: string }) =>
    openLists({ ...of, cwd: folder, clock, log })
  const who = [rich.address, poor.address, stranger.address] as const
  const admitted = (lists: ReturnType<typeof open>) => who.map((hotkey) => lists.admits(hotkey))

  test('admit everybody, those allowed, or all but those denied; a deny wins', () => {
    expect(admitted(open({}))).toEqual([true, true, true])
    expect(admitted(open({ allow: `${rich.address}, ${poor.address}` }))).toEqual([true, true, false])
    expect(admitted(open({ deny: rich.address }))).toEqual([false, true, true])
    expect(admitted(open({ allow: rich.address, deny: rich.address }))).toEqual([false, false, false])
  })

  test('are read from a file with comments, and an empty allow list admits nobody', () => {
    writeFileSync(join(folder, 'some'), `# friends\n${rich.address}\n\n  ${poor.address} # the other\n`)
    writeFileSync(join(folder, 'none'), '# nobody yet\n')
    expect(admitted(open({ allow: 'some' }))).toEqual([true, true, false])
    expect(admitted(open({ allow: 'none' }))).toEqual([false, false, false])
  })

  test.each([
    ['a file that is missing', 'absent'],
    ['a mistyped hotkey', `${rich.address.slice(0, -1)}x`],
    ['a file with something else', 'wrong'],
    ['nothing', ''],
  ])('refuse to open with %s', (_, allow) => {
    writeFileSync(join(folder, 'wrong'), `${rich.address}\nmnemonic words that nobody should see\n`)
    const opening = () => open({ allow })
    expect(opening).toThrow(expect.objectContaining({ code: 'MINER_LIST' }))
    expect(opening).not.toThrow(/mnemonic/)
  })

  test('follow their files, and stay as they were when a file becomes unusable or goes', async () => {
    const file = join(folder, 'changing')
    writeFileSync(file, '')
    const lists = open({ deny: 'changing' })
    const stop = new AbortController()
    const following = lists.follow(stop.signal)
    await clock.advance(2_000)
    expect(lists.admits(rich.address)).toBe(true)
    writeFileSync(file, `${rich.address}\n`)
    await clock.advance(2_000)
    expect(lists.admits(rich.address)).toBe(false)
    writeFileSync(file, 'half a li')
    await clock.advance(2_000)
    expect(lists.admits(rich.address)).toBe(false)
    rmSync(file)
    await clock.advance(2_000)
    expect(lists.admits(rich.address)).toBe(false)
    writeFileSync(file, `${poor.address}\n`)
    await clock.advance(2_000)
    expect(admitted(lists)).toEqual([true, false, true])
    stop.abort(new Error('stop'))
    await expect(following).rejects.toThrow('stop')
  })
})
