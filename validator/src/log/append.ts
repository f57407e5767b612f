import type { DatabaseSync } from 'node:sqlite'
import { createTree, peaksOf } from '@arbor/shared/merkle'
import { blockOf, encodeEntry, leafOf } from './encode.ts'
import type { LogEntry, TermsEntry } from './entry.ts'
import { nodesOf } from './nodes.ts'

/** Adds entries to the end of a ledger's log; call it inside the transaction that makes what they tell true. */
export type Append = (entries: readonly LogEntry[]) => void

/**
 * Makes the log of an open ledger. An entry costs one row and, amortised, one node of the tree; a call reads O(log n) nodes.
 * A `state` always follows `terms`, which are said again before it: so whoever begins there knows by what the rest is to be read.
 */
export const appenderOf = (db: DatabaseSync): Append => {
  const next = db.prepare('SELECT coalesce(max(position) + 1, 0) AS next FROM log_entries')
  const insert = db.prepare('INSERT INTO log_entries (position, kind, block, leaf, body) VALUES (?, ?, ?, ?, ?)')
  const addNode = db.prepare('INSERT INTO log_nodes (level, position, hash) VALUES (?, ?, ?)')
  const addBody = db.prepare('INSERT OR IGNORE INTO log_bodies (receipt, position) VALUES (?, ?)')
  const termsNow = db.prepare(
    "SELECT body FROM log_entries INDEXED BY log_terms WHERE kind = 'terms' ORDER BY position DESC LIMIT 1",
  )
  const nodeAt = nodesOf(db)
  const kindAt = db.prepare('SELECT kind FROM log_entries WHERE position = ?')
  const sayTerms = (entries: readonly LogEntry[], size: number): readonly LogEntry[] =>
    entries.flatMap((entry, index): readonly LogEntry[] => {
      if (entry.kind !== 'state') return [entry]
      const before = index === 0 ? kindAt.get(size - 1)?.kind : entries[index - 1]?.kind
      if (before === 'terms') return [entry]
      const body = termsNow.get()?.body
      return typeof body === 'string' ? [{ ...(JSON.parse(body) as TermsEntry), block: entry.block }, entry] : [entry]
    })
  return (told) => {
    if (told.length === 0) return
    const size = Number(next.get()?.next)
    const entries = sayTerms(told, size)
    const tree = createTree({ size, peaks: peaksOf(size).map(({ level, position }) => nodeAt(level, position)) })
    for (const entry of entries) {
      const body = encodeEntry(entry)
      const leaf = leafOf(body)
      insert.run(tree.size, entry.kind, blockOf(entry), leaf, body)
      // Only what a verdict of a round names is served; users' answers never are.
      if (entry.kind === 'verdict' && entry.receipt !== null) addBody.run(Buffer.from(entry.receipt, 'hex'), tree.size)
      tree.add(leaf, (level, position, hash) => void addNode.run(level, position, hash))
    }
  }
}
