import type { Hex } from '@arbor/shared/units'

/** What was made of an entry of storage when it was read last. */
interface Known {
  readonly specVersion: number
  /** Null where the runtime has no such item. */
  readonly key: Hex | null
  /** Undefined until it was read. */
  raw: Hex | null | undefined
  value: unknown
}

/**
 * Keeps storage keys and decoded values, so that what did not change since it was read is not made again: of a subnet most entries
 * are the same in block after block, and to hash and decode them is what a read costs. A value is taken only for the very bytes and
 * the very version of the code that it was decoded from.
 */
export interface Memo {
  key(name: string, specVersion: number, make: () => Hex | null): Hex | null
  value(name: string, specVersion: number, raw: Hex | null, make: () => unknown): unknown
  readonly size: number
}

/** Entries that are kept: a subnet of 4 096 uids has 24 600, some 20 MB. */
const MOST = 65_536

export const createMemo = (): Memo => {
  const known = new Map<string, Known>()
  return {
    key: (name, specVersion, make) => {
      const found = known.get(name)
      if (found?.specVersion === specVersion) return found.key
      const key = make()
      known.delete(name)
      known.set(name, { specVersion, key, raw: undefined, value: null })
      const [oldest] = known.keys()
      if (known.size > MOST && oldest !== undefined) known.delete(oldest)
      return key
    },
    value: (name, specVersion, raw, make) => {
      const found = known.get(name)
      if (found?.specVersion !== specVersion) return make() // a block of other code was read meanwhile
      if (found.raw !== raw) {
        found.value = make()
        found.raw = raw
      }
      return found.value
    },
    get size() {
      return known.size
    },
  }
}
