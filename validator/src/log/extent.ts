import type { DatabaseSync } from 'node:sqlite'

/** What a log holds: entries [0, size), of which those from `first` on have their bodies. */
export interface Extent {
  readonly size: number
  readonly first: number
}

/** Makes what measures a log in O(log n): pruning takes bodies from the front only. */
export const extentOf = (db: DatabaseSync): (() => Extent) => {
  const last = db.prepare('SELECT coalesce(max(position) + 1, 0) AS size FROM log_entries')
  const body = db.prepare('SELECT body IS NULL AS pruned FROM log_entries WHERE position = ?')
  return () => {
    const size = Number(last.get()?.size)
    let [low, high] = [0, size]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (Number(body.get(middle)?.pruned ?? 0) === 1) low = middle + 1
      else high = middle
    }
    return { size, first: low }
  }
}
