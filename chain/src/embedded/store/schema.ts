import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/** 1 kept the best state's keys and what each block replaced; 2 keeps the nodes of the trie. */
const VERSION = 2

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
  -- Nodes of the tries of all kept states. A node belongs to one place in one trie, and to those of later blocks that share it.
  CREATE TABLE nodes (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  -- Blocks with their state, those of forks too. first, end: the nodes that the block made; retired: those of its parent's
  -- state that its own has not (64-bit floats); root: NULL when the state is gone.
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, number INTEGER NOT NULL, header BLOB NOT NULL, extrinsics BLOB NOT NULL,
    root INTEGER, first INTEGER NOT NULL, end INTEGER NOT NULL, retired BLOB NOT NULL, keys INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX blocks_by_number ON blocks (number);
  -- The best chain from genesis on; stays when blocks go.
  CREATE TABLE numbers (number INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
  CREATE INDEX numbers_by_hash ON numbers (substr(hash, 1, 8));`

/** Makes the tables of a new database. @throws CHAIN_DATA_VERSION when another Arbor wrote it */
export const migrate = (database: DatabaseSync): void => {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version === VERSION) return
  if (version === 0) return void database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`)
  const whose = version > VERSION ? 'a newer Arbor' : 'an older Arbor, whose state this one cannot read'
  throw new SubnetError({
    code: 'CHAIN_DATA_VERSION',
    message: `The chain's data has version ${version}, made by ${whose}; this one writes version ${VERSION}. Use that Arbor, or another folder`,
  })
}
