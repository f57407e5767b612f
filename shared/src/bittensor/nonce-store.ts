import type { Ss58 } from '../units.ts'

/** What outlives a restart of the nonces that were used; all times are nanoseconds of Unix time. */
export interface NonceStore {
  /** For each hotkey a nonce that is not below any of its used ones. */
  marks(): ReadonlyMap<Ss58, bigint>
  /** A nonce that is not below any used one of the hotkeys that were dropped. */
  forgotten(): bigint
  /** Writes a hotkey's mark; called before a nonce above the last mark is accepted. */
  raise(hotkey: Ss58, mark: bigint): void
  /** Drops a hotkey and raises the mark of the forgotten ones. */
  forget(hotkey: Ss58, mark: bigint): void
}

/** Creates a store that lasts as long as its process. */
export const createMemoryNonceStore = (): NonceStore => {
  const marks = new Map<Ss58, bigint>()
  let forgotten = 0n
  return {
    marks: () => new Map(marks),
    forgotten: () => forgotten,
    raise: (hotkey, mark) => {
      marks.set(hotkey, mark)
    },
    forget: (hotkey, mark) => {
      marks.delete(hotkey)
      if (mark > forgotten) forgotten = mark
    },
  }
}
