import type { Block, Hex } from '@arbor/shared/units'
import type { BlockRef } from './types.ts'

/** The final blocks that were seen of one chain, over whatever connection. */
export interface Lineage {
  newest(): BlockRef | null
  /** Hash of a final block; null when it was not seen, or long ago. */
  hashAt(number: Block): Hex | null
  /** Writes down a block that is final. @returns the hash that it had before when that was another one, else null */
  add(block: BlockRef): Hex | null
}

/** The newest blocks that are kept: 3.4 hours of Bittensor's. */
const KEPT = 1_024
/** Of older ones each whose number is a multiple of this is kept, so that a chain that began anew is noticed; at most KEPT of them. */
const SPARSE = 256

export const createLineage = (): Lineage => {
  const recent = new Map<number, Hex>()
  const sparse = new Map<number, Hex>()
  let newest: BlockRef | null = null
  const hashAt: Lineage['hashAt'] = (number) => recent.get(number) ?? sparse.get(number) ?? null
  const prune = (map: Map<number, Hex>): void => {
    const [oldest] = map.keys()
    if (map.size > KEPT && oldest !== undefined) map.delete(oldest)
  }
  return {
    newest: () => newest,
    hashAt,
    add: (block) => {
      const known = hashAt(block.number)
      if (known !== null) return known === block.hash ? null : known
      if (block.number % SPARSE === 0) sparse.set(block.number, block.hash)
      else recent.set(block.number, block.hash)
      prune(recent)
      prune(sparse)
      if (newest === null || block.number > newest.number) newest = { number: block.number, hash: block.hash }
      return null
    },
  }
}
