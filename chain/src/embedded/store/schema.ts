import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/** One step per version of the schema; a step that was released never changes. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
   CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL, extrinsics BLOB NOT NULL) STRICT;
   -- The state of the best block. kept: the state version whose way the trie keeps the value in.
   CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL, kept INTEGER NOT NULL) WITHOUT ROWID, STRICT;
   -- What each block replaced: the value before it, or NULL where there was none.
   CREATE TABLE journal (block INTEGER NOT NULL, key BLOB NOT NULL, before BLOB, PRIMARY KEY (block, key)) WITHOUT ROWID, STRICT;`,
]

/** Brings a database to the present schema. @throws CHAIN_DATA_VERSION when a newer Arbor wrote it */
export const migrate = (database: DatabaseSync): void => {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > MIGRATIONS.length) {
    throw new SubnetError({
      code: 'CHAIN_DATA_VERSION',
      message: `The chain's data has version ${version}, this Arbor knows up to ${MIGRATIONS.length}; use a newer Arbor or another folder`,
    })
  }
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < version) continue
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}
