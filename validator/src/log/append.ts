import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { LogEntry } from './entry.ts'

/** Adds entries to the end of a ledger's log; call it inside the transaction that makes what they tell true. */
export type Append = (entries: readonly LogEntry[]) => void

/** Encodes an entry: what is hashed, stored and served. */
export const encodeEntry = (entry: LogEntry): string => canonicalJson(entry)

/** Hashes an entry as a leaf: SHA-256 of a zero byte and its bytes. @source RFC 6962 §2.1 */
export const leafHash = (encoded: string): Uint8Array =>
  hash('sha256', Buffer.concat([Uint8Array.of(0), Buffer.from(encoded)]), 'buffer')

/** Makes the log of an open ledger. */
export const appenderOf = (db: DatabaseSync): Append => {
  const next = db.prepare('SELECT coalesce(max(position) + 1, 0) AS next FROM log_entries')
  const insert = db.prepare('INSERT INTO log_entries (position, kind, block, leaf, body) VALUES (?, ?, ?, ?, ?)')
  return (entries) => {
    let position = Number(next.get()?.next)
    for (const entry of entries) {
      const body = encodeEntry(entry)
      insert.run(position, entry.kind, blockOf(entry), leafHash(body), body)
      position += 1
    }
  }
}

/** The block that an entry speaks of, by which pages and epochs are found. */
const blockOf = (entry: LogEntry): number | null => {
  switch (entry.kind) {
    case 'terms':
    case 'state':
    case 'move':
      return entry.block
    case 'round':
      return entry.start.number
    case 'verdict':
    case 'round-end':
      return entry.roundBlock
    case 'score':
      return entry.lastRoundBlock
    case 'audit':
      return entry.before
    case 'forfeit':
      return entry.forfeit.atBlock
    case 'row':
      return entry.block.number
  }
}
