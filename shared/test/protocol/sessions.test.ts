import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Certificate } from '../../src/protocol/certificate.ts'
import { createMemorySessionStore, type SessionStore } from '../../src/protocol/session-store.ts'
import { openSessionTable, SESSION_LIMITS, type SessionTable } from '../../src/protocol/sessions.ts'
import { encodeSs58 } from '../../src/ss58.ts'
import type { UnixMs } from '../../src/units.ts'
import { alice, codeOf, NOW, open } from './support.ts'

const HOUR = 3_600_000
const real = (await open({ signer: alice, purpose: 'ask' })).certificate
let made = 0
/** A certificate as `verifyCertificate` lets through: tables look at names and times alone. */
const certificate = (
  of: { readonly hotkey?: number; readonly issuedAt?: number; readonly lifetimeMs?: number } = {},
): Certificate => {
  made += 1
  const issuedAt = of.issuedAt ?? NOW
  const hotkey = of.hotkey ?? 1
  const bytes = Buffer.alloc(32)
  bytes.writeUInt32BE(hotkey)
  const id = Buffer.alloc(16)
  id.writeUInt32BE(made)
  return {
    ...real,
    hotkey: bytes,
    address: encodeSs58(bytes),
    id,
    key: id.toString('base64url'),
    issuedAt: issuedAt as UnixMs,
    expiresAt: (issuedAt + (of.lifetimeMs ?? HOUR)) as UnixMs,
  }
}
const at = (later: number): UnixMs => (NOW + later) as UnixMs
const admit = (table: SessionTable, of: Certificate, later = 0): string => codeOf(table.admit(of, at(later)))
const find = (table: SessionTable, of: Certificate, later = 0): string => {
  const found = table.find(of.key, at(later))
  return found.ok ? (found.session === null ? 'unknown' : 'known') : found.code
}
const small = { perHotkey: 2, all: 4, hotkeys: 6 }
const openTable = (store: SessionStore = createMemorySessionStore(), limits = small): SessionTable =>
  openSessionTable({ store, limits })

describe('session table', () => {
  test('knows what it admitted until that expires, and admits it once', () => {
    const writes: unknown[] = []
    const store = createMemorySessionStore()
    const table = openTable({ ...store, admit: (session) => writes.push(store.admit(session)) })
    const one = certificate()
    expect(find(table, one)).toBe('unknown')
    const first = table.admit(one, at(0))
    expect(first.ok && first.session.window.take(1)).toEqual({ ok: true })
    const again = table.admit(one, at(1))
    expect(again.ok && again.session.window.take(1)).toMatchObject({ code: 'WIRE_REPLAY' })
    expect(writes).toHaveLength(1)
    expect([find(table, one, HOUR - 1), find(table, one, HOUR), find(table, one, -5_001)]).toEqual([
      'known',
      'WIRE_SESSION_EXPIRED',
      'WIRE_SESSION_EXPIRED',
    ])
  })

  test('takes sessions of one hotkey in any order, while it has room', () => {
    const table = openTable()
    const late = certificate({ issuedAt: at(10) })
    const early = certificate({ issuedAt: at(5) })
    expect([admit(table, late), admit(table, early), find(table, late), find(table, early)]).toEqual([
      'ok',
      'ok',
      'known',
      'known',
    ])
  })

  test('drops the oldest of a hotkey that opens too many, and never takes it or an older one again', () => {
    const table = openTable()
    const [a, b, c, older, between] = [1, 2, 3, 0, 1].map((issuedAt) => certificate({ issuedAt: at(issuedAt) }))
    if (!a || !b || !c || !older || !between) throw new Error('five')
    for (const each of [a, b, c]) expect(admit(table, each)).toBe('ok')
    expect([a, b, c].map((each) => find(table, each))).toEqual(['unknown', 'known', 'known'])
    for (const each of [a, older, between]) {
      expect(codeOf(table.judge(each))).toBe('WIRE_SESSION_OLD')
      expect(admit(table, each)).toBe('WIRE_SESSION_OLD')
    }
    expect(admit(table, certificate({ issuedAt: at(4) }))).toBe('ok')
  })

  test('takes no session older than all of a hotkey that has as many as it may', () => {
    const table = openTable()
    for (const issuedAt of [5, 6]) admit(table, certificate({ issuedAt: at(issuedAt) }))
    expect(admit(table, certificate({ issuedAt: at(4) }))).toBe('WIRE_SESSION_OLD')
    expect(table.size).toBe(2)
  })

  test('lets nobody push out others: the one with most loses first, and equals do not', () => {
    const table = openTable()
    const hog = [1, 2].map((issuedAt) => certificate({ hotkey: 1, issuedAt: at(issuedAt) }))
    const modest = [2, 3].map((hotkey) => certificate({ hotkey }))
    for (const each of [...hog, ...modest]) expect(admit(table, each)).toBe('ok')
    expect(admit(table, certificate({ hotkey: 4 }))).toBe('ok')
    expect([...hog, ...modest].map((each) => find(table, each))).toEqual(['unknown', 'known', 'known', 'known'])
    expect(admit(table, certificate({ hotkey: 5 }))).toBe('WIRE_SESSIONS_FULL')
    expect(admit(table, certificate({ hotkey: 2, issuedAt: at(9) }))).toBe('WIRE_SESSIONS_FULL')
    expect(admit(table, certificate({ hotkey: 5, issuedAt: at(HOUR) }), HOUR + 1)).toBe('ok') // the others are over
  })

  test('refuses after a restart what it knew before, and takes the session that its asker opens then', () => {
    const store = createMemorySessionStore()
    const before = openTable(store)
    const [used, unused] = [certificate({ issuedAt: at(1) }), certificate({ issuedAt: at(0) })]
    admit(before, used)
    const after = openTable(store)
    expect(find(after, used)).toBe('unknown')
    for (const each of [used, unused]) expect(admit(after, each)).toBe('WIRE_SESSION_OLD')
    expect(admit(after, certificate({ issuedAt: used.issuedAt + 1 }))).toBe('ok')
    expect(admit(after, certificate({ hotkey: 2, issuedAt: at(-10) }))).toBe('ok') // nobody else's floor
  })

  test('admits nothing that its store could not write, and says why', () => {
    const store = {
      ...createMemorySessionStore(),
      admit: () => {
        throw new Error('disk full')
      },
    }
    const table = openTable(store)
    const one = certificate()
    expect(() => table.admit(one, NOW)).toThrow('disk full')
    expect(find(table, one)).toBe('unknown')
  })

  test('opens nothing again when its clock goes back, before a restart or after', () => {
    const store = createMemorySessionStore()
    const table = openTable(store)
    const used = certificate({ lifetimeMs: HOUR })
    const neighbour = certificate({ hotkey: 2, issuedAt: at(-20), lifetimeMs: HOUR })
    for (const each of [used, neighbour]) admit(table, each)
    admit(table, certificate({ hotkey: 3, issuedAt: at(2 * HOUR) }), 2 * HOUR) // both are over and forgotten
    expect(table.hotkeys).toBe(1)
    expect(store.floors().size).toBe(1)
    for (const each of [table, openTable(store)]) {
      expect(admit(each, used, 60_000)).toBe('WIRE_SESSION_OLD')
      expect(admit(each, neighbour, 60_000)).toBe('WIRE_SESSION_OLD')
      expect(admit(each, certificate({ issuedAt: at(1) }), 60_000)).toBe('ok') // who opens a new one is not locked out
      expect(admit(each, certificate({ hotkey: 7, issuedAt: at(-5), lifetimeMs: 3 * HOUR }), 60_000)).toBe('ok')
    }
  })

  test('is not locked by a hotkey with sessions of every length that opens and ends them all the time', () => {
    const table = openTable()
    const victim = certificate({ hotkey: 9, issuedAt: at(0), lifetimeMs: 4 * HOUR })
    for (let minute = 1; minute < 120; minute += 1)
      expect(
        admit(table, certificate({ hotkey: 1, issuedAt: at(minute * 60_000), lifetimeMs: 1_000 }), minute * 60_000),
      ).toBe('ok')
    expect(admit(table, victim, 2 * HOUR)).toBe('ok')
    expect(table.size).toBeLessThanOrEqual(4)
  })

  test('stays within its bounds whoever calls, and forgets hotkeys that are gone', () => {
    const store = createMemorySessionStore()
    const table = openTable(store, SESSION_LIMITS)
    const codes = new Map<string, number>()
    for (let caller = 0; caller < 20_000; caller += 1) {
      const code = admit(table, certificate({ hotkey: caller % 5_000, issuedAt: at(caller), lifetimeMs: HOUR }), caller)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect(table.size).toBe(SESSION_LIMITS.all)
    expect(table.hotkeys).toBeLessThanOrEqual(SESSION_LIMITS.hotkeys)
    expect(codes.get('WIRE_SESSIONS_FULL')).toBeGreaterThan(10_000)
    admit(table, certificate({ hotkey: 9_999, issuedAt: at(2 * HOUR) }), 2 * HOUR)
    expect([table.size, table.hotkeys, store.floors().size]).toEqual([1, 1, 1])
  })

  test('keeps floors of no more hotkeys than its bound', () => {
    const table = openTable(createMemorySessionStore(), { perHotkey: 1, all: 100, hotkeys: 3 })
    const codes = [1, 2, 3, 4].map((hotkey) => admit(table, certificate({ hotkey, lifetimeMs: 1_000 })))
    expect(codes).toEqual(['ok', 'ok', 'ok', 'WIRE_SESSIONS_FULL'])
    expect(admit(table, certificate({ hotkey: 4, issuedAt: at(1_000) }), 1_001)).toBe('ok')
  })

  test('never takes a used counter of a used session again, through restarts, evictions and clocks that jump', () => {
    const step = fc.record({
      hotkey: fc.integer({ min: 1, max: 3 }),
      session: fc.nat(11),
      counter: fc.integer({ min: 1, max: 4 }),
      jump: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 60_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }) },
      ),
      restart: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const store = createMemorySessionStore()
        let table = openTable(store)
        let now = 0
        const all = [1, 2, 3].map((hotkey) =>
          Array.from({ length: 12 }, (_, index) =>
            certificate({ hotkey, issuedAt: at((index - 6) * 600_000), lifetimeMs: (1 + (index % 3)) * 1_200_000 }),
          ),
        )
        const used = new Set<string>()
        for (const { hotkey, session, counter, jump, restart } of steps) {
          now += jump
          if (restart) table = openTable(store)
          const one = all[hotkey - 1]?.[session]
          if (one === undefined || one.issuedAt > at(now) + 5_000 || at(now) >= one.expiresAt) continue // judgeCertificate
          const found = table.find(one.key, at(now))
          if (!found.ok) continue
          const live =
            found.session === null ? table.admit(one, at(now)) : { ok: true as const, session: found.session }
          if (!live.ok || !live.session.window.take(counter).ok) continue
          expect(used.has(`${one.key} ${counter}`)).toBe(false)
          used.add(`${one.key} ${counter}`)
          expect(table.size).toBeLessThanOrEqual(4)
        }
      }),
      { seed: 4, numRuns: 300 },
    )
  })
})
