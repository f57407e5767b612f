import type { Ss58, UnixMs } from '../units.ts'
import type { NonceStore } from './nonce-store.ts'

/** A nonce that somebody signed, with what its age is judged by. */
export interface SignedNonce {
  readonly hotkey: Ss58
  readonly uuid: string | null
  /** Nanoseconds of Unix time. */
  readonly nonce: bigint
  readonly version: number | null
  /** Seconds, as the asker says; nobody signed it. */
  readonly timeoutS: number
  readonly now: UnixMs
}

/** Bounds of the nonces; all have a default. */
export interface NonceLimits {
  /** Requests of older dendrites are refused; 0 takes all. The rules are the same for all. */
  readonly minVersion?: number
  readonly maxHotkeys?: number
  /** Nonces that are remembered of one hotkey. */
  readonly maxPerHotkey?: number
  /** Nonces that are remembered in all. */
  readonly maxNonces?: number
}

/** Lets every signed nonce pass once, within its time. */
export interface Nonces {
  /** Judges a nonce before its signature is: the text of a refusal, or null. Changes nothing. */
  judge(nonce: SignedNonce): string | null
  /** Uses a nonce up once its signature held. */
  accept(nonce: SignedNonce): void
  /** Nonces that are remembered. */
  readonly size: number
}

/** The first version whose nonces are times. @source bittensor/core/axon.py V_7_2_0 */
export const MIN_VERSION = 7_002_000

const MS = 1_000_000n
const SECOND = 1_000_000_000n
/** What Python allows beside the asker's timeout. @source bittensor/core/settings.py ALLOWED_DELTA */
const GRACE = 4n * SECOND
/** The timeout widens the window, and anybody on the way can change it. */
const MAX_TIMEOUT_S = 60
/** How far an asker's clock may be ahead. */
const AHEAD = 5n * SECOND
/** Older nonces are refused by their age alone. */
const OLDEST = GRACE + BigInt(MAX_TIMEOUT_S) * SECOND
/** A mark is written so far ahead that a hotkey writes at most one in this time; after a restart as much is refused. */
const STEP = 2n * SECOND

/** What is remembered of one hotkey. */
interface Used {
  /** Nonces up to here are refused. */
  floor: bigint
  /** What the store has. */
  mark: bigint
  /** Second of the nonce → nonces and uuids. */
  readonly seconds: Map<bigint, Set<string>>
  count: number
}

/**
 * Opens the table of used nonces. A nonce is good once for its hotkey and uuid, in any order: requests that overtake each other are
 * all answered. When it is too old for the longest timeout it may be forgotten, also when the clock goes back, since the floor rises.
 */
export const openNonces = (of: { readonly store: NonceStore; readonly limits?: NonceLimits }): Nonces => {
  const { store } = of
  const { minVersion = MIN_VERSION, maxHotkeys = 4_096, maxPerHotkey = 32_768, maxNonces = 262_144 } = of.limits ?? {}
  const table = new Map<Ss58, Used>()
  let size = 0
  let sweptAt = 0n

  const openUsed = (mark: bigint): Used => ({ floor: mark, mark, seconds: new Map(), count: 0 })
  for (const [hotkey, mark] of store.marks()) table.set(hotkey, openUsed(mark))

  const dropSecond = (used: Used, second: bigint): void => {
    const dropped = used.seconds.get(second)?.size ?? 0
    used.seconds.delete(second)
    used.count -= dropped
    size -= dropped
    const end = (second + 1n) * SECOND - 1n
    if (end > used.floor) used.floor = end
  }
  const dropEarliest = (used: Used): void => {
    const [first, ...others] = used.seconds.keys()
    if (first !== undefined)
      dropSecond(
        used,
        others.reduce((least, one) => (one < least ? one : least), first),
      )
  }
  /** Forgets what age refuses anyway. */
  const sweep = (now: bigint): void => {
    if (now - sweptAt < 10n * SECOND && now >= sweptAt) return
    sweptAt = now
    for (const used of table.values())
      for (const second of used.seconds.keys()) if ((second + 1n) * SECOND <= now - OLDEST) dropSecond(used, second)
  }
  /** Forgets the hotkey whose nonces are the oldest. */
  const evict = (): void => {
    let least: readonly [Ss58, Used] | null = null
    for (const entry of table) if (least === null || entry[1].mark < least[1].mark) least = entry
    if (least === null) return
    const [hotkey, used] = least
    for (const second of used.seconds.keys()) dropSecond(used, second)
    table.delete(hotkey)
    store.forget(hotkey, used.mark)
  }
  const bound = (used: Used): void => {
    while (used.count > maxPerHotkey) dropEarliest(used)
    while (size > maxNonces) {
      const fullest = [...table.values()].reduce((most, one) => (one.count > most.count ? one : most), used)
      if (fullest.count === 0) return
      dropEarliest(fullest)
    }
  }

  return {
    judge: ({ hotkey, uuid, nonce, version, timeoutS, now }) => {
      if ((version ?? 0) < minVersion) return `Version is too old: ${minVersion} or later is needed`
      const at = BigInt(Math.floor(now)) * MS
      if (nonce > at + AHEAD) return 'Nonce is too new: it may be at most 5 seconds ahead'
      const delta = GRACE + BigInt(Math.round(Math.min(timeoutS, MAX_TIMEOUT_S) * 1_000)) * MS
      if (nonce <= at - delta)
        return `Nonce is too old: acceptable delta is ${seconds(delta)} seconds but request was ${seconds(at - nonce)} seconds old`
      const used = table.get(hotkey)
      const isUsed = used?.seconds.get(nonce / SECOND)?.has(keyOf(nonce, uuid)) ?? false
      return isUsed || nonce <= (used?.floor ?? store.forgotten())
        ? 'Nonce is too old, a newer one was last processed'
        : null
    },
    accept: ({ hotkey, uuid, nonce, now }) => {
      sweep(BigInt(Math.floor(now)) * MS)
      let used = table.get(hotkey)
      if (used === undefined) {
        while (table.size >= maxHotkeys) evict()
        used = openUsed(store.forgotten())
        table.set(hotkey, used)
      }
      if (nonce > used.mark) {
        used.mark = nonce + STEP
        store.raise(hotkey, used.mark)
      }
      const second = nonce / SECOND
      const inSecond = used.seconds.get(second) ?? new Set()
      used.seconds.set(second, inSecond.add(keyOf(nonce, uuid)))
      used.count += 1
      size += 1
      bound(used)
    },
    get size() {
      return size
    },
  }
}

const keyOf = (nonce: bigint, uuid: string | null): string => `${nonce}.${uuid ?? 'None'}`
const seconds = (span: bigint): string => (Number(span / MS) / 1_000).toFixed(2)
