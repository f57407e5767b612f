import type { DatabaseSync } from 'node:sqlite'

/**
 * Brings tables to the newest version, one version a transaction: killed or failing half-way, the version before stands.
 * @param migrations SQL of each version
 * @param applicationId written into the header with the first that runs
 */
export const migrate = (
  db: DatabaseSync,
  { migrations, applicationId }: { readonly migrations: readonly string[]; readonly applicationId: number },
): void => {
  if (versionOf(db) === migrations.length) return
  db.exec('PRAGMA foreign_keys = OFF') // or a table that is rebuilt under its old name takes its children along
  try {
    while (versionOf(db) < migrations.length) step(db, migrations, applicationId)
  } finally {
    db.exec('PRAGMA foreign_keys = ON')
  }
}

const step = (db: DatabaseSync, migrations: readonly string[], applicationId: number): void => {
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = versionOf(db) // another process may have been here since
    db.exec(migrations[version] ?? '')
    const astray = db.prepare('PRAGMA foreign_key_check').get()
    if (astray !== undefined)
      throw new Error(`version ${version + 1} leaves rows of ${astray.table} without ${astray.parent}`)
    db.exec(
      `PRAGMA user_version = ${Math.min(version + 1, migrations.length)}; PRAGMA application_id = ${applicationId}; COMMIT`,
    )
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const versionOf = (db: DatabaseSync): number => Number(db.prepare('PRAGMA user_version').get()?.user_version)
