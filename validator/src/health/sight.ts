import type { BlockRef } from '@arbor/chain/client/types'
import type { Snapshot } from '../chain-view.ts'

/** What a validator sees of its chain, fresh or not. */
export interface Sight {
  readonly snapshot: Snapshot | null
  readonly newest: BlockRef | null
  /** The first head of this process. */
  readonly first: BlockRef | null
  /** Since a newer finalised head came, or since the start. */
  readonly headAgeMs: number
  /** Blocks from the snapshot to the newest head. */
  readonly behind: number
  /** Whether nothing may be decided by it any more; false while the first one is awaited. */
  readonly isStale: boolean
}

/** What is known of our own weights, of the mechanism that they are of. */
export interface Included {
  readonly mechanism: number
  /** Block in which the chain took the last row, by the ledger; null without any. */
  readonly block: number | null
}

/**
 * Tempos since the chain took weights of ours; null while we are not registered, or nothing is seen. The chain's own record of our last
 * update counts where it means just that: not with commit-reveal, where a commit that is never opened may move it, nor for other mechanisms.
 * Without any record it counts from the first head of this process.
 */
export function temposSinceInclusion(
  { snapshot, newest, first }: Sight,
  { mechanism, block }: Included,
): number | null {
  if (snapshot?.me === undefined || newest === null || first === null) return null
  const { tempo } = snapshot.metagraph
  const isOpen = mechanism === 0 && !snapshot.hyperparameters.commitRevealEnabled
  const last = isOpen ? Math.max(snapshot.me.lastUpdate, block ?? 0) : (block ?? first.number)
  return tempo === 0 ? null : Math.max(0, newest.number - last) / tempo
}
