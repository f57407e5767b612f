import { createMemoryNonceStore } from '@arbor/shared/bittensor/nonce-store'
import { type NonceLimits, openNonces, type SignedNonce } from '@arbor/shared/bittensor/nonces'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Ss58, UnixMs } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'

const NOW = 1_800_000_000_000
const SECOND = 1_000_000_000n
const nowNs = BigInt(NOW) * 1_000_000n
const alice = keypairFromUri('//Alice').address
const bob = keypairFromUri('//Bob').address

const signed = (of: Partial<SignedNonce> = {}): SignedNonce => ({
  hotkey: alice,
  uuid: 'u',
  nonce: nowNs,
  version: 10_005_000,
  timeoutS: 12,
  now: NOW as UnixMs,
  ...of,
})
const open = (limits: NonceLimits = {}, store = createMemoryNonceStore()) => {
  const nonces = openNonces({ store, limits })
  const use = (of: Partial<SignedNonce> = {}): string | null => {
    const nonce = signed(of)
    const why = nonces.judge(nonce)
    if (why === null) nonces.accept(nonce)
    return why
  }
  return { nonces, store, use }
}
const USED = 'Nonce is too old, a newer one was last processed'

describe('a nonce', () => {
  it('is good once for its hotkey and uuid', () => {
    const { use } = open()
    expect(use()).toBeNull()
    expect(use()).toBe(USED)
    expect(use({ uuid: 'v' })).toBeNull()
    expect(use({ hotkey: bob })).toBeNull()
  })

  it('may be lower than others of its uuid, since requests overtake each other', () => {
    const { use } = open()
    for (const step of [5n, 3n, 4n, 1n, 2n]) expect(use({ nonce: nowNs + step })).toBeNull()
    for (const step of [1n, 2n, 3n, 4n, 5n]) expect(use({ nonce: nowNs + step })).toBe(USED)
  })

  it('counts as the same without a uuid and with the text None, which sign the same', () => {
    const { use } = open()
    expect(use({ uuid: null })).toBeNull()
    expect(use({ uuid: 'None' })).toBe(USED)
  })

  it.each([
    ['within timeout and grace', 15n, 12, null],
    ['beyond them', 17n, 12, 'Nonce is too old: acceptable delta is 16.00 seconds but request was 17.00 seconds old'],
    ['within a timeout of 60 s', 63n, 60, null],
    [
      'beyond 64 s, whatever the timeout',
      65n,
      1_000_000,
      'Nonce is too old: acceptable delta is 64.00 seconds but request was 65.00 seconds old',
    ],
    ['5 s ahead', -5n, 12, null],
    ['6 s ahead', -6n, 12, 'Nonce is too new: it may be at most 5 seconds ahead'],
    ['an hour ahead', -3600n, 12, 'Nonce is too new: it may be at most 5 seconds ahead'],
  ])('is judged by its age when it is %s', (_name, age, timeoutS, why) => {
    const { use } = open()
    expect(use({ nonce: nowNs - age * SECOND, timeoutS })).toBe(why)
    // also when its hotkey is known
    expect(use({ uuid: 'known', nonce: nowNs })).toBeNull()
    expect(use({ uuid: 'known', nonce: nowNs - age * SECOND, timeoutS })).toBe(why)
  })

  it('of an old or unnamed version is refused, unless told otherwise', () => {
    for (const version of [null, 1, 7_001_999]) expect(open().use({ version })).toMatch(/^Version is too old/)
    expect(open().use({ version: 7_002_000 })).toBeNull()
    expect(open({ minVersion: 0 }).use({ version: null })).toBeNull()
    expect(open({ minVersion: 0 }).use({ version: null, nonce: 1n })).toMatch(/^Nonce is too old/)
  })
})

describe('used nonces', () => {
  it('stay refused after a restart, those of the same hotkey below them too', () => {
    const first = open()
    expect(first.use({ nonce: nowNs - SECOND })).toBeNull()
    expect(first.use()).toBeNull()
    const again = open({}, first.store)
    expect(again.use()).toBe(USED)
    expect(again.use({ nonce: nowNs - SECOND })).toBe(USED)
    expect(again.use({ uuid: 'another', nonce: nowNs - 1n })).toBe(USED)
    expect(again.use({ hotkey: bob })).toBeNull()
    const later = { now: (NOW + 3_000) as UnixMs, nonce: nowNs + 3n * SECOND }
    expect(again.use(later)).toBeNull()
  })

  it('stay refused when they were forgotten and the clock goes back', () => {
    const { use, nonces } = open()
    expect(use()).toBeNull()
    expect(use({ now: (NOW + 120_000) as UnixMs, nonce: nowNs + 120n * SECOND })).toBeNull()
    expect(nonces.size).toBe(1)
    expect(use()).toBe(USED)
  })

  it('are written at most once in two seconds for a hotkey', () => {
    let writes = 0
    const memory = createMemoryNonceStore()
    const store = {
      ...memory,
      raise: (hotkey: Ss58, mark: bigint) => {
        writes += 1
        memory.raise(hotkey, mark)
      },
    }
    const { use } = open({}, store)
    for (let step = 0; step < 1_000; step += 1)
      expect(use({ nonce: nowNs + BigInt(step) * 10_000_000n, now: (NOW + step * 10) as UnixMs })).toBeNull()
    expect(writes).toBe(5)
  })

  it('are bounded for a hotkey, the earliest first, and stay refused', () => {
    const { use, nonces } = open({ maxPerHotkey: 100 })
    for (let step = 0n; step < 300n; step += 1n) expect(use({ nonce: nowNs + step * 10_000_000n })).toBeNull()
    expect(nonces.size).toBeLessThanOrEqual(100)
    for (let step = 0n; step < 300n; step += 1n) expect(use({ nonce: nowNs + step * 10_000_000n })).toBe(USED)
  })

  it('are bounded in all: who has the most loses first', () => {
    const { use, nonces } = open({ maxNonces: 50 })
    expect(use({ hotkey: bob })).toBeNull()
    for (let step = 0n; step < 200n; step += 1n) {
      const nonce = nowNs + step * 100_000_000n
      expect(use({ nonce, now: (NOW + Number(step) * 100) as UnixMs })).toBeNull()
      expect(nonces.size).toBeLessThanOrEqual(50)
    }
    expect(use({ hotkey: bob })).toBe(USED)
    expect(use({ hotkey: bob, nonce: nowNs + 1n })).toBeNull()
  })

  it('are bounded in hotkeys, and a forgotten one cannot be replayed', () => {
    const { use, store } = open({ maxHotkeys: 3 })
    const hotkeys = ['//A', '//B', '//C', '//D', '//E'].map((uri) => keypairFromUri(uri).address)
    hotkeys.forEach((hotkey, step) => {
      const at = step * 3_000
      expect(use({ hotkey, nonce: nowNs + BigInt(at) * 1_000_000n, now: (NOW + at) as UnixMs })).toBeNull()
    })
    expect(store.marks().size).toBe(3)
    const [first] = hotkeys
    if (first !== undefined) expect(use({ hotkey: first, now: (NOW + 12_000) as UnixMs })).toBe(USED)
  })
})
