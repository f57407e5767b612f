import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { NodeAt } from '@arbor/shared/merkle'

/** Makes what reads the tree's full subtrees from the tables. @throws LOG_EDITED when one is not there */
export const nodesOf = (db: DatabaseSync): NodeAt => {
  const leaf = db.prepare('SELECT leaf AS hash FROM log_entries WHERE position = ?')
  const node = db.prepare('SELECT hash FROM log_nodes WHERE level = ? AND position = ?')
  return (level, position) => {
    const hash = (level === 0 ? leaf.get(position) : node.get(level, position))?.hash
    if (hash instanceof Uint8Array && hash.length === 32) return hash
    throw edited(`its tree has no node ${position} of level ${level}`)
  }
}

/** Says that a log is not as it was written. */
export const edited = (what: string): SubnetError =>
  new SubnetError({
    code: 'LOG_EDITED',
    message: `the log of receipts is not as it was written: ${what}; nothing was changed. Restore ledger.sqlite from a backup, or name another --data folder`,
  })
