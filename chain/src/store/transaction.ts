import type { DatabaseSync } from 'node:sqlite'

/** Runs a body as one write transaction, or as a part of the one that runs; nothing of it stays when it throws. */
export function transaction<T>(db: DatabaseSync, body: () => T): T {
  if (db.isTransaction) return body()
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = body()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK') // SQLite itself rolls back on some errors, a full disk among them
    throw error
  }
}
