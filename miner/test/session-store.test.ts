import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createManualClock } from '@arbor/shared/manual-clock'
import { createMemorySessionStore, type SessionStore } from '@arbor/shared/protocol/session-store'
import type { Hex, Ss58, UnixMs } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { openSessionStore } from '../src/session-store.ts'
import { ask, expectSigned, expectUnsigned } from './ask.ts'
import {
  askerOf,
  headersOf,
  manualNet,
  miner,
  openSessions,
  poor,
  post,
  requestOf,
  rich,
  testNet,
  write,
} from './net.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-sessions-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const nextFile = (): string => {
  files += 1
  return join(folder, `${files}.sqlite`)
}
const owner = { genesisHash: `0x${'ab'.repeat(32)}` as Hex, hotkey: miner.address }
const at = (issuedAt: number, hotkey: Ss58 = rich.address) => ({
  hotkey,
  id: new Uint8Array(16),
  issuedAt: issuedAt as UnixMs,
  expiresAt: (issuedAt + 1_000) as UnixMs,
})
const mark = (issuedAt: number, expiresAt: number) => ({ issuedAt: issuedAt as UnixMs, expiresAt: expiresAt as UnixMs })

describe.each<[string, () => SessionStore]>([
  ['in memory', () => createMemorySessionStore()],
  ['in a file', () => openSessionStore({ file: nextFile(), owner })],
])('session store %s', (_, open) => {
  test('keeps the newest times of each hotkey', () => {
    const store = open()
    expect([store.floors().size, store.forgotten()]).toEqual([0, mark(0, 0)])
    for (const session of [at(5), at(9), at(7), at(3, poor.address)]) store.admit(session)
    expect([...store.floors()].toSorted()).toEqual(
      [
        [rich.address, mark(9, 1_009)],
        [poor.address, mark(3, 1_003)],
      ].toSorted(),
    )
  })

  test('never lowers the mark of what it forgot', () => {
    const store = open()
    store.admit(at(5))
    store.forget([rich.address], mark(5, 1_005))
    store.forget([], mark(4, 2_000))
    expect([store.floors().size, store.forgotten()]).toEqual([0, mark(5, 2_000)])
  })
})

test('session store in a file keeps what it was told after a restart', () => {
  const file = nextFile()
  const first = openSessionStore({ file, owner })
  first.admit(at(5))
  first.forget([poor.address], mark(1, 2))
  first.close()
  const second = openSessionStore({ file, owner })
  expect([second.floors().get(rich.address), second.forgotten()]).toEqual([mark(5, 1_005), mark(1, 2)])
  second.close()
})

test('session store in a file keeps what it was told when the process is killed right after', () => {
  const file = nextFile()
  const module = fileURLToPath(new URL('../src/session-store.ts', import.meta.url))
  const script = `
    import { openSessionStore } from ${JSON.stringify(module)}
    const store = openSessionStore(${JSON.stringify({ file, owner })})
    store.admit({ hotkey: ${JSON.stringify(rich.address)}, id: new Uint8Array(16), issuedAt: 5, expiresAt: 6 })
    process.kill(process.pid, 'SIGKILL')`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect([child.signal, child.stderr]).toEqual(['SIGKILL', ''])
  const store = openSessionStore({ file, owner })
  expect(store.floors().get(rich.address)).toEqual(mark(5, 6))
  store.close()
})

test('session store in a file refuses the store of another chain or hotkey, and leaves it as it was', () => {
  const file = nextFile()
  openSessionStore({ file, owner }).close()
  for (const [other, code] of [
    [{ ...owner, hotkey: poor.address }, 'STORE_OTHER_HOTKEY'],
    [{ ...owner, genesisHash: `0x${'cd'.repeat(32)}` as Hex }, 'STORE_OTHER_CHAIN'],
  ] as const)
    expect(() => openSessionStore({ file, owner: other })).toThrow(expect.objectContaining({ code }))
  openSessionStore({ file, owner }).close()
})

test('session store in a file refuses a file that is none', () => {
  const file = nextFile()
  writeFileSync(file, 'no database '.repeat(1_000))
  expect(() => openSessionStore({ file, owner })).toThrow(expect.objectContaining({ code: 'STORE_NOT_A_DATABASE' }))
})

describe('miner that was restarted', () => {
  const solve = async () => ({})

  test('refuses a session from before, and serves a new one at once', async () => {
    const file = nextFile()
    const store = openSessionStore({ file, owner })
    const before = await manualNet({ store, solve })
    const asker = await askerOf(before)
    const signed = { pair: null, isSealed: false, proof: 'signature' } as const
    const captured = write(asker, { now: before.clock.now(), body: requestOf(before.spec), ...signed })
    expect((await post(before, headersOf(asker, captured), captured.body)).statusCode).toBe(200)
    store.close()
    const after = await manualNet({ store: openSessionStore({ file, owner }), solve })
    const replayed = await post(after, headersOf(asker, captured), captured.body)
    expectUnsigned(replayed, 401, 'WIRE_SESSION_OLD')
    const now = after.clock.now() + 1 // no two sessions of a hotkey are issued in the same millisecond
    expect((await ask(after, await askerOf(after, { now })).response).statusCode).toBe(200)
  })

  test('locks nobody out and takes nothing again when its clock was a day ahead for a while', async () => {
    const clock = createManualClock()
    const wrong = { byMs: 0 }
    const sessions = await openSessions(clock) // whose own clock is right: here it is the table's that is not
    const net = await testNet({
      clock: { ...clock, now: () => (clock.now() + wrong.byMs) as UnixMs },
      sessions,
      store: openSessionStore({ file: nextFile(), owner }),
      solve,
    })
    const signed = { pair: null, isSealed: false, proof: 'signature' } as const
    const asker = await askerOf(net)
    const captured = write(asker, { now: clock.now(), body: requestOf(net.spec), timeoutMs: 60_000, ...signed })
    expect((await post(net, headersOf(asker, captured), captured.body)).statusCode).toBe(200)
    wrong.byMs = 86_400_000
    // What comes now makes it forget all that has expired by its clock.
    expect((await ask(net, await askerOf(net, { signer: poor }), signed).response).statusCode).toBe(200)
    wrong.byMs = 0
    await clock.advance(1)
    const again = await post(net, headersOf(asker, captured), captured.body)
    expectUnsigned(again, 401, 'WIRE_SESSION_OLD')
    for (const signer of [rich, poor])
      expect((await ask(net, await askerOf(net, { signer }), signed).response).statusCode).toBe(200)
  })

  test('writes once a session, and not at all for one whose proof fails', async () => {
    const store = createMemorySessionStore()
    let writes = 0
    const counting: SessionStore = {
      ...store,
      admit: (session) => {
        writes += 1
        store.admit(session)
      },
    }
    const net = await manualNet({ store: counting, solve })
    const [asker, thief] = [await askerOf(net), await askerOf(net, { signer: poor })]
    const written = write(
      { ...asker, session: { ...asker.session, sign: thief.session.sign } },
      {
        now: net.clock.now(),
        body: requestOf(net.spec),
        pair: null,
        isSealed: false,
        proof: 'signature',
      },
    )
    expectUnsigned(await post(net, headersOf(asker, written), written.body), 401, 'WIRE_PROOF')
    expect(writes).toBe(0)
    for (let index = 0; index < 5; index += 1) expect((await ask(net, asker).response).statusCode).toBe(200)
    expect(writes).toBe(1)
  })

  test('refuses a session that it cannot write down', async () => {
    const full: SessionStore = {
      ...createMemorySessionStore(),
      admit: () => {
        throw new Error('disk full')
      },
    }
    const net = await manualNet({ store: full, solve })
    const asker = await askerOf(net)
    await expectSigned(asker, ask(net, asker), { status: 500, code: 'MINER_FAILED' })
  })
})
