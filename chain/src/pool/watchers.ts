import type { Block, Hex } from '@arbor/shared/units'
import type { StoredBlock } from '../embedded/types.ts'
import type { PoolEvent, PoolListener } from './types.ts'

interface Included {
  readonly number: Block
  readonly block: Hex
  readonly index: number
  readonly listeners: Set<PoolListener>
}

/** Tells listeners what happens to their extrinsics, and forgets them at the end. */
export interface Watchers {
  add(hash: Hex, listener: PoolListener): void
  remove(hash: Hex, listener: PoolListener): void
  tell(hash: Hex, event: PoolEvent): void
  /** Moves a watched extrinsic from the pool to the blocks that wait for finality. */
  included(hash: Hex, block: StoredBlock, index: number): void
  /** Moves the extrinsics of a block that left the best chain back, and tells so. */
  retracted(block: Hex): void
  finalized(number: Block): void
  /** Gives up on blocks older than this one. */
  expire(before: number): void
}

const LAST: ReadonlySet<PoolEvent['kind']> = new Set(['finalized', 'finalityTimeout', 'usurped', 'dropped', 'invalid'])

/** Creates an empty set of listeners; whoever adds one bounds their number. */
export const createWatchers = (): Watchers => {
  const waiting = new Map<Hex, Set<PoolListener>>()
  const included = new Map<Hex, Included>()

  const end = (before: (entry: Included) => boolean, kind: 'finalized' | 'finalityTimeout'): void => {
    for (const [hash, entry] of included) {
      if (!before(entry)) continue
      included.delete(hash)
      for (const listener of entry.listeners) listener({ kind, block: entry.block, index: entry.index })
    }
  }

  return {
    add: (hash, listener) => {
      const held = waiting.get(hash)
      if (held) held.add(listener)
      else waiting.set(hash, new Set([listener]))
    },
    remove: (hash, listener) => {
      for (const [map, listeners] of [
        [waiting, waiting.get(hash)],
        [included, included.get(hash)?.listeners],
      ] as const) {
        listeners?.delete(listener)
        if (listeners?.size === 0) map.delete(hash)
      }
    },
    tell: (hash, event) => {
      const listeners = waiting.get(hash)
      if (LAST.has(event.kind)) waiting.delete(hash)
      for (const listener of [...(listeners ?? [])]) listener(event)
    },
    included: (hash, block, index) => {
      const listeners = waiting.get(hash)
      if (listeners === undefined) return
      waiting.delete(hash)
      included.set(hash, { number: block.header.number, block: block.hash, index, listeners })
      for (const listener of [...listeners]) listener({ kind: 'inBlock', block: block.hash, index })
    },
    retracted: (block) => {
      for (const [hash, entry] of included) {
        if (entry.block !== block) continue
        included.delete(hash)
        waiting.set(hash, entry.listeners)
        for (const listener of [...entry.listeners]) listener({ kind: 'retracted', block })
      }
    },
    finalized: (number) => end((entry) => entry.number <= number, 'finalized'),
    expire: (before) => end((entry) => entry.number < before, 'finalityTimeout'),
  }
}
