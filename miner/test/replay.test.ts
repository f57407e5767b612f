import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Hex, UnixMs } from '@arbor/shared/units'
import { createMemoryReplayStore, type ReplayStore } from '@arbor/shared/wire/replay'
import { afterAll, describe, expect, test } from 'vitest'
import { openReplayStore } from '../src/replay-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const nextFile = (): string => {
  files += 1
  return join(folder, `${files}.sqlite`)
}

const [flooder, quiet, third] = ['//Flooder', '//Quiet', '//Third'].map((uri) => keypairFromUri(uri).address) as [
  never,
  never,
  never,
]
const nonce = (index: number): Hex => `0x${index.toString(16).padStart(32, '0')}`
const owner = { genesisHash: `0x${'ab'.repeat(32)}` as Hex, hotkey: quiet }
const limits = { perSender: 50, senders: 2 }
const start = 1_800_000_000_000
const claim = (
  store: ReplayStore,
  of: { sender?: typeof quiet; index: number; now?: number; lives?: number },
): string => {
  const now = of.now ?? start
  const verdict = store.claim({
    sender: of.sender ?? quiet,
    nonce: nonce(of.index),
    now: now as UnixMs,
    expiresAt: (now + (of.lives ?? 15_000)) as UnixMs,
  })
  return verdict.ok ? 'ok' : verdict.code
}

describe.each([
  ['in memory', () => createMemoryReplayStore(limits)],
  ['in a file', () => openReplayStore({ file: nextFile(), owner, limits })],
])('replay store %s', (_, open) => {
  test('accepts a nonce once for each sender', () => {
    const store = open()
    expect([
      claim(store, { index: 1 }),
      claim(store, { index: 1 }),
      claim(store, { index: 1, sender: flooder }),
    ]).toEqual(['ok', 'WIRE_REPLAY', 'ok'])
  })

  test('refuses who floods, and forgets nobody else for it', () => {
    const store = open()
    expect(claim(store, { index: 1, sender: quiet })).toBe('ok')
    const verdicts = Array.from({ length: 200 }, (_, index) => claim(store, { index, sender: flooder }))
    expect(verdicts.filter((verdict) => verdict === 'ok').length).toBe(50)
    expect(verdicts.slice(50).every((verdict) => verdict === 'WIRE_REPLAY_FULL')).toBe(true)
    expect(claim(store, { index: 1, sender: quiet })).toBe('WIRE_REPLAY')
    expect(claim(store, { index: 2, sender: quiet })).toBe('ok')
  })

  test('refuses a further sender while it remembers as many as it may', () => {
    const store = open()
    expect([
      claim(store, { index: 1, sender: quiet }),
      claim(store, { index: 1, sender: flooder }),
      claim(store, { index: 1, sender: third }),
    ]).toEqual(['ok', 'ok', 'WIRE_REPLAY_FULL'])
    expect(claim(store, { index: 1, sender: third, now: start + 20_000 })).toBe('ok')
  })

  test('has room again when the nonces have expired', () => {
    const store = open()
    for (let index = 0; index < 50; index += 1) claim(store, { index })
    expect(claim(store, { index: 50 })).toBe('WIRE_REPLAY_FULL')
    expect(claim(store, { index: 51, now: start + 15_000 })).toBe('ok')
  })

  test('refuses a nonce that it may have forgotten when the clock goes back', () => {
    const store = open()
    for (let index = 0; index < 50; index += 1) claim(store, { index })
    expect(claim(store, { index: 60, now: start + 30_000 })).toBe('ok') // by now the first fifty are forgotten
    expect(claim(store, { index: 0 })).toBe('WIRE_EXPIRED')
  })
})

test('replay store in a file refuses a used nonce after a restart, also when the clock went back', () => {
  const file = nextFile()
  const first = openReplayStore({ file, owner })
  expect(claim(first, { index: 1 })).toBe('ok')
  expect(claim(first, { index: 2, now: start + 60_000 })).toBe('ok')
  first.close()
  const second = openReplayStore({ file, owner })
  expect(claim(second, { index: 2, now: start + 60_000 })).toBe('WIRE_REPLAY')
  expect(claim(second, { index: 1 })).toBe('WIRE_EXPIRED')
  second.close()
})

test('replay store in a file refuses the store of another chain or hotkey, and leaves it as it was', () => {
  const file = nextFile()
  openReplayStore({ file, owner }).close()
  for (const other of [
    { ...owner, hotkey: third },
    { ...owner, genesisHash: nonce(1) },
  ]) {
    expect(() => openReplayStore({ file, owner: other })).toThrow(
      expect.objectContaining({ code: 'MINER_OTHER_CHAIN' }),
    )
  }
  openReplayStore({ file, owner }).close()
})

test('replay store in a file refuses a file that is none', () => {
  const file = nextFile()
  writeFileSync(file, 'no database '.repeat(1_000))
  expect(() => openReplayStore({ file, owner })).toThrow(expect.objectContaining({ code: 'MINER_DATA' }))
})
