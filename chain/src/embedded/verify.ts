import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { hashHeader } from './header.ts'
import { reading } from './store/failures.ts'
import type { Store } from './store/store.ts'
import { openNode, type Trie } from './trie/node.ts'
import type { StoredBlock } from './types.ts'

/**
 * Looks whether the best block is whole: its header has the hash that it is kept under, its parent is there, and the top of
 * its state hashes to the root in the header. Every other node is verified when it is read, so this costs the same for
 * any size of the state.
 * @throws CHAIN_DATA_CORRUPT
 */
export const verifyHead = (store: Store): StoredBlock => {
  const best = store.best()
  if (best === null) throw corrupt('it has no best block')
  const { hash, header } = best
  if (hashHeader(header) !== hash) throw corrupt(`the header of block ${header.number} is not the one of ${hash}`)
  if (store.hashAt(header.number) !== hash) throw corrupt(`block ${header.number} has two hashes`)
  if (header.number > 0 && store.hashAt(header.number - 1) !== header.parentHash) {
    throw corrupt(`block ${header.number} does not follow the one before it`)
  }
  openNode(store.state(hash))
  return best
}

/**
 * Stands on the best block, or, when it is damaged and not final, on the newest whole one before it.
 * @throws CHAIN_DATA_CORRUPT when the final block itself is damaged
 */
export const standOnWhole = (store: Store, onDamage: (damage: SubnetError) => void): void => {
  try {
    verifyHead(store)
  } catch (error) {
    if (!(error instanceof SubnetError && error.code === 'CHAIN_DATA_CORRUPT')) throw error
    const whole = newestWhole(store)
    if (whole === null) throw error
    store.switchTo(whole)
    verifyHead(store)
    onDamage(error)
  }
}

const newestWhole = (store: Store): Hex | null => {
  const final = store.finalizedNumber()
  for (let number = store.bestNumber() - 1; number >= final; number -= 1) {
    const hash = store.hashAt(number)
    if (hash !== null && isWhole(store, hash)) return hash
  }
  return null
}

const isWhole = (store: Store, hash: Hex): boolean => {
  try {
    const block = store.block(hash)
    if (block === null || hashHeader(block.header) !== hash) return false
    openNode(store.state(hash))
    return true
  } catch (error) {
    if (error instanceof SubnetError) return false
    throw error
  }
}

/** Lets SQLite check its own file. @throws CHAIN_DATA_CORRUPT */
export const verifyFile = (database: DatabaseSync): void => {
  const said = reading(() => database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'])
  if (said !== 'ok') throw corrupt(`SQLite says "${said}"`)
}

/** What a whole chain consists of. */
export interface Verified {
  readonly keys: number
  readonly nodes: number
  /** Blocks whose headers follow from each other. */
  readonly blocks: number
}

/**
 * Walks through the whole state of the best block and all kept headers; every node is hashed.
 * @throws CHAIN_DATA_CORRUPT
 */
export const verifyAll = (store: Store): Verified => {
  const best = verifyHead(store)
  const { keys, nodes } = countNodes(store.state(best.hash))
  const counted = store.keys(best.hash)
  if (keys !== counted) throw corrupt(`the state has ${keys} keys, ${counted} were counted`)
  let blocks = 1
  for (let block = best; block.header.number > Math.max(store.firstState(), 0); blocks += 1) {
    block = follow(store, block.header.parentHash)
  }
  return { keys, nodes, blocks }
}

const follow = (store: Store, hash: Hex): StoredBlock => {
  const block = store.block(hash)
  if (block === null) throw corrupt(`block ${hash} is missing`)
  if (hashHeader(block.header) !== hash) throw corrupt(`the header of block ${block.header.number} was changed`)
  return block
}

const countNodes = (trie: Trie): { readonly keys: number; readonly nodes: number } => {
  let keys = 0
  let nodes = 0
  const open = [trie]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = openNode(next)
    nodes += 1
    if (node?.value !== undefined) keys += 1
    for (const child of node?.children ?? []) if (child !== undefined) open.push(child)
  }
  return { keys, nodes }
}

const corrupt = (why: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: `The chain's data is damaged: ${why}; restore the folder from a copy or an export, or begin anew in another one`,
  })
