import { SubnetError } from '@arbor/shared/errors'
import type { Key } from '../key.ts'
import { trieEdit } from '../trie/edit.ts'
import { isHashed, type StateVersion, type Trie, type TrieNode } from '../trie/node.ts'
import { trieFirstFrom, trieGet, trieNext, trieNode } from '../trie/read.ts'
import { trieRoot } from '../trie/root.ts'
import { type Appended, append, wholeList } from './appended.ts'
import { deleteKey, insertKey, position } from './sorted.ts'

/** What the runtime reads and writes: changes over a trie that itself stays as it is. */
export interface Overlay {
  get(key: Key): Uint8Array | undefined
  /** Writes a value; undefined removes it. */
  set(key: Key, value: Uint8Array | undefined): void
  /** Appends an item to a SCALE list. */
  append(key: Key, item: Uint8Array): void
  /** First key after `key`, in byte order. */
  next(key: Key): Key | undefined
  /**
   * Removes keys under a prefix: all that were written here, and of the keys below the first `limit`.
   * @source sp_state_machine Ext::clear_prefix, whose count is that of the keys below
   */
  clearPrefix(prefix: Key, limit: number): { readonly visited: number; readonly more: boolean }
  /** Opens a transaction; they nest. */
  begin(): void
  commit(): void
  rollback(): void
  /** Transactions that are open. */
  depth(): number
  /** The trie with all changes; computed once and kept until the next change. */
  trie(version: StateVersion): Trie
  root(version: StateVersion): Uint8Array
  /** Numbers of the stored nodes that the trie below has and the changed one has not. */
  retired(version: StateVersion): readonly number[]
  /** Keys whose value, or the way it is kept, differs from the trie below, with the values. */
  changes(version: StateVersion): Change[]
}

/** A key and its new value; undefined removes it. */
export type Change = readonly [key: Key, value: Uint8Array | undefined]

type Entry = Uint8Array | Appended | null

interface Merged {
  readonly version: StateVersion
  readonly trie: Trie
  readonly retired: readonly number[]
}

/** Creates an overlay without changes. */
export const createOverlay = (base: Trie): Overlay => {
  const entries = new Map<Key, Entry>()
  const journals: (readonly [Key, Entry | undefined])[][] = []
  let sorted: Key[] | undefined
  let merged: Merged | undefined

  const stored = (key: Key): Uint8Array | Appended | undefined => {
    const entry = entries.get(key)
    return entry === undefined ? trieGet(base, key) : (entry ?? undefined)
  }
  const get = (key: Key): Uint8Array | undefined => asBytes(stored(key))
  const put = (key: Key, entry: Entry | undefined): void => {
    merged = undefined
    if (entry === undefined) {
      entries.delete(key)
      if (sorted !== undefined) deleteKey(sorted, key)
      return
    }
    if (sorted !== undefined && !entries.has(key)) insertKey(sorted, key)
    entries.set(key, entry)
  }
  const write = (key: Key, entry: Entry): void => {
    journals.at(-1)?.push([key, entries.get(key)])
    put(key, entry)
  }
  const nextChanged = (key: Key): Key | undefined => {
    sorted ??= [...entries.keys()].sort()
    return sorted[position(sorted, key, true)]
  }
  const next = (key: Key): Key | undefined => {
    for (let from = key; ; ) {
      const below = trieNext(base, from)
      const changed = entries.size === 0 ? undefined : nextChanged(from)
      const first = changed === undefined || (below !== undefined && below < changed) ? below : changed
      if (first === undefined || entries.get(first) !== null) return first
      from = first
    }
  }
  const closeJournal = (): (readonly [Key, Entry | undefined])[] => {
    const journal = journals.pop()
    if (journal === undefined)
      throw new SubnetError({
        code: 'CHAIN_NO_TRANSACTION',
        message: 'The runtime closed a storage transaction that is not open; the runtime is broken',
      })
    return journal
  }
  const merge = (version: StateVersion): Merged => {
    if (merged?.version === version) return merged
    const retired: number[] = []
    merged = { version, trie: trieEdit(base, written(entries), version, retired), retired }
    return merged
  }

  return {
    get,
    set: (key, value) => write(key, value ?? null),
    append: (key, item) => write(key, append(stored(key), item)),
    next,
    clearPrefix: (prefix, limit) => {
      for (const [key, entry] of [...entries]) if (entry !== null && key.startsWith(prefix)) write(key, null)
      let visited = 0
      let key = trieFirstFrom(base, prefix)
      for (; key?.startsWith(prefix) && visited < limit; visited += 1) {
        if (entries.get(key) !== null) write(key, null)
        key = trieNext(base, key)
      }
      return { visited, more: key?.startsWith(prefix) ?? false }
    },
    begin: () => void journals.push([]),
    commit: () => {
      const journal = closeJournal()
      const outer = journals.at(-1)
      if (outer !== undefined) for (const change of journal) outer.push(change)
    },
    rollback: () => {
      for (const [key, before] of closeJournal().reverse()) put(key, before)
    },
    depth: () => journals.length,
    trie: (version) => merge(version).trie,
    root: (version) => trieRoot(merge(version).trie),
    retired: (version) => merge(version).retired,
    changes: (version) => [...written(entries)].filter(([key, value]) => !isKept(trieNode(base, key), value, version)),
  }
}

const asBytes = (entry: Uint8Array | Appended | undefined): Uint8Array | undefined =>
  entry === undefined || entry instanceof Uint8Array ? entry : wholeList(entry)

function* written(entries: ReadonlyMap<Key, Entry>): Generator<Change> {
  for (const [key, entry] of entries) yield [key, asBytes(entry ?? undefined)]
}

const isKept = (node: TrieNode | undefined, value: Uint8Array | undefined, version: StateVersion): boolean => {
  if (value === undefined || node?.value === undefined) return value === node?.value
  return node.hashed === isHashed(value, version) && Buffer.compare(node.value, value) === 0
}
