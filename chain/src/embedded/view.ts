import { type Key, keyBytes, toKey } from './key.ts'
import type { Trie } from './trie/node.ts'
import { trieProof } from './trie/proof.ts'
import { trieFirstFrom, trieGet, trieNext } from './trie/read.ts'
import type { StateView } from './types.ts'

/** Shows a trie by its keys as bytes. */
export const createView = (trie: Trie): StateView => ({
  get: (key) => trieGet(trie, toKey(key)),
  keys: (prefix, { count, startKey }) => {
    const start = toKey(prefix)
    const after = startKey === undefined ? undefined : toKey(startKey)
    const keys: Uint8Array[] = []
    let key: Key | undefined = after === undefined || after < start ? trieFirstFrom(trie, start) : trieNext(trie, after)
    for (; key?.startsWith(start) && keys.length < count; key = trieNext(trie, key)) keys.push(keyBytes(key))
    return keys
  },
  proof: (keys) => trieProof(trie, keys.map(toKey)),
})
