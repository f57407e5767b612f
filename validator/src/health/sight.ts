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

/** Tempos since the chain took weights of ours; null while we are not registered. @param included block of the last ones that we know of */
export function temposSinceInclusion({ snapshot, newest }: Sight, included: number | null): number | null {
  if (snapshot?.me === undefined || newest === null) return null
  const { tempo } = snapshot.metagraph
  const last = Math.max(snapshot.me.lastUpdate, included ?? 0)
  return tempo === 0 ? null : Math.max(0, newest.number - last) / tempo
}
