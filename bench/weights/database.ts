import type { Key } from '../../chain/src/embedded/key.ts'
import { createOverlay, type Overlay } from '../../chain/src/embedded/state/overlay.ts'
import type { Trie } from '../../chain/src/embedded/trie/node.ts'

/** Keys that were read or written since the last reset; the first time of each, and the times after it. */
export interface Counts {
  readonly reads: number
  readonly repeatReads: number
  readonly writes: number
  readonly repeatWrites: number
}

/** State that benchmarks use: an overlay that can be made the state below it, and that counts keys. */
export interface BenchDatabase {
  /** The storage of a call. */
  readonly overlay: Overlay
  /** Makes all changes part of the trie, so that the next read of them costs what it does in a block. */
  commit(): void
  /** Goes back to the genesis. */
  wipe(): void
  counts(): Counts
  resetCounts(): void
  /** Names keys that are not counted: what every block reads and writes anyway. */
  setWhitelist(keys: readonly Key[]): void
}

const NONE: Counts = { reads: 0, repeatReads: 0, writes: 0, repeatWrites: 0 }

/** Opens a database on a genesis. @source sc-client-db bench.rs, which counts the same way */
export const createBenchDatabase = (genesis: Trie): BenchDatabase => {
  let inner = createOverlay(genesis)
  let opened = 0
  let counts = { ...NONE }
  let seen = new Map<Key, 'read' | 'written'>()
  let whitelist: readonly Key[] = []

  const resetCounts = (): void => {
    counts = { ...NONE }
    seen = new Map(whitelist.map((key) => [key, 'written']))
  }
  const read = (key: Key): void => {
    if (seen.has(key)) counts.repeatReads += 1
    else {
      counts.reads += 1
      seen.set(key, 'read')
    }
  }
  const written = (key: Key): void => {
    if (seen.get(key) === 'written') counts.repeatWrites += 1
    else {
      counts.writes += 1
      seen.set(key, 'written')
    }
  }
  const restart = (base: Trie): void => {
    inner = createOverlay(base)
    for (let depth = 0; depth < opened; depth += 1) inner.begin()
  }

  const overlay: Overlay = {
    get: (key) => {
      read(key)
      return inner.get(key)
    },
    set: (key, value) => {
      written(key)
      inner.set(key, value)
    },
    append: (key, item) => {
      written(key)
      inner.append(key, item)
    },
    next: (key) => {
      const next = inner.next(key)
      read(key)
      return next
    },
    clearPrefix: (prefix, limit) => {
      for (let key = inner.next(prefix); key?.startsWith(prefix); key = inner.next(key)) {
        read(key)
        written(key)
      }
      return inner.clearPrefix(prefix, limit)
    },
    begin: () => {
      opened += 1
      inner.begin()
    },
    commit: () => {
      opened -= 1
      inner.commit()
    },
    rollback: () => {
      opened -= 1
      inner.rollback()
    },
    depth: () => inner.depth(),
    trie: (version) => inner.trie(version),
    root: (version) => inner.root(version),
    retired: (version) => inner.retired(version),
    changes: (version) => inner.changes(version),
  }
  return {
    overlay,
    commit: () => restart(inner.trie(1)),
    wipe: () => restart(genesis),
    counts: () => counts,
    resetCounts,
    setWhitelist: (keys) => {
      whitelist = keys
      resetCounts()
    },
  }
}
