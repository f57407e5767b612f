import type { DatabaseSync } from 'node:sqlite'

/** Runs a body as one write transaction; nothing of it stays when it throws. */
export function transaction(db: DatabaseSync, body: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    body()
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
