import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import type { Store } from './store/store.ts'
import { trieEdit } from './trie/edit.ts'
import type { Trie } from './trie/node.ts'
import type { StoredBlock } from './types.ts'

/** Blocks whose state is at hand; tries share all that did not change, so one costs what its block changed. */
const RECENT = 64
/** Older states that were asked for lately. */
const REBUILT = 8

/** States of the best block and of those before it. */
export interface History {
  best(): Trie
  /** @throws CHAIN_STATE_PRUNED */
  at(block: StoredBlock): Trie
  push(block: StoredBlock, trie: Trie): void
}

/** Creates the history on the state of the best block. */
export const createHistory = (store: Store, bestBlock: StoredBlock, bestTrie: Trie): History => {
  const recent = new Map<Hex, Trie>([[bestBlock.hash, bestTrie]])
  const rebuilt = new Map<Hex, Trie>()
  let best = bestTrie

  const rebuild = (block: StoredBlock): Trie => {
    const { number } = block.header
    if (number < store.firstState()) {
      throw new SubnetError({
        code: 'CHAIN_STATE_PRUNED',
        message: `The state of block ${number} is gone, the first one kept is that of block ${store.firstState()}; ask for a later block, or run the chain with an archive`,
        details: { block: number, first: store.firstState() },
      })
    }
    return trieEdit(best, store.valuesAt(number), 1)
  }
  return {
    best: () => best,
    at: (block) => {
      if (recent.has(block.hash)) return recent.get(block.hash)
      const trie = rebuilt.has(block.hash) ? rebuilt.get(block.hash) : rebuild(block)
      remember(rebuilt, block.hash, trie, REBUILT)
      return trie
    },
    push: (block, trie) => {
      best = trie
      remember(recent, block.hash, trie, RECENT)
    },
  }
}

/** Puts an entry last and drops the first ones above `most`. */
export const remember = <Entry, Name>(entries: Map<Name, Entry>, name: Name, entry: Entry, most: number): void => {
  entries.delete(name)
  entries.set(name, entry)
  for (const first of entries.keys()) {
    if (entries.size <= most) return
    entries.delete(first)
  }
}
