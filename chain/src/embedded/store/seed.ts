import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { Key } from '../key.ts'
import { trieEdit } from '../trie/edit.ts'
import type { Trie } from '../trie/node.ts'
import { trieRoot } from '../trie/root.ts'
import type { StoredBlock } from '../types.ts'
import type { Nodes } from './nodes.ts'

/** A key of a state that comes from elsewhere. */
export interface SeedEntry {
  readonly key: Key
  readonly value: Uint8Array
  /** The trie keeps the value by its hash. */
  readonly hashed: boolean
}

/** A chain that begins with the state of a later block. */
export interface Seed {
  /** What the genesis was made with. */
  readonly settings: string
  readonly genesis: StoredBlock
  /** Block whose state this is; it counts as final. */
  readonly base: StoredBlock
  /** Hashes of the blocks from genesis to the base. */
  readonly hashes: readonly Hex[]
  readonly entries: Iterable<SeedEntry>
}

/** Entries put in at once; the nodes of as many are in memory. */
const AT_ONCE = 20_000

/**
 * Writes a state piece by piece, so that it need not fit in memory; call within a transaction.
 * @throws CHAIN_DATA_CORRUPT when it does not have the root that the header names
 */
export const writeState = (of: {
  readonly nodes: Nodes
  readonly drop: (id: number) => void
  readonly seed: Seed
}): { readonly trie: Trie; readonly keys: number } => {
  const { nodes, drop, seed } = of
  let trie: Trie
  let keys = 0
  let open: SeedEntry[] = []
  const put = (): void => {
    const retired: number[] = []
    for (const version of [0, 1] as const) {
      const batch = open.filter(({ hashed }) => hashed === (version === 1))
      trie = trieEdit(
        trie,
        batch.map(({ key, value }) => [key, value] as const),
        version,
        retired,
      )
    }
    // What the transaction wrote can be read within it, and all of it goes when it fails.
    trie = nodes.write(trie).settle()
    for (const id of retired) drop(id)
    keys += open.length
    open = []
  }
  for (const entry of seed.entries) {
    open.push(entry)
    if (open.length >= AT_ONCE) put()
  }
  put()
  const { header } = seed.base
  if (toHex(trieRoot(trie)) === header.stateRoot) return { trie, keys }
  throw new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: `The state of block ${header.number} does not have the root that its header names; take another copy of it`,
  })
}
