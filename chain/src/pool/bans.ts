import type { Clock } from '@arbor/shared/clock'
import type { Hex } from '@arbor/shared/units'

/** Remembers refused extrinsics for a while, so that repeating them costs no validation. */
export interface Bans {
  has(hash: Hex): boolean
  add(hash: Hex): void
  /** Takes a hash off the list, such as that of an extrinsic whose block was retracted. */
  remove(hash: Hex): void
}

/** Creates an empty list that holds at most `capacity` hashes for `banMs` each; the oldest make room. */
export const createBans = (of: { readonly clock: Clock; readonly banMs: number; readonly capacity: number }): Bans => {
  const until = new Map<Hex, number>()
  return {
    remove: (hash) => void until.delete(hash),
    has: (hash) => {
      const end = until.get(hash)
      if (end !== undefined && end > of.clock.monotonic()) return true
      until.delete(hash)
      return false
    },
    add: (hash) => {
      until.delete(hash)
      until.set(hash, of.clock.monotonic() + of.banMs)
      for (const oldest of until.keys()) {
        if (until.size <= of.capacity) break
        until.delete(oldest)
      }
    },
  }
}
