import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/** Each entry takes the schema one version further; never edit one that was released, append. */
const migrations: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE rounds (round_block INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
   CREATE TABLE verdicts (
     round_block INTEGER NOT NULL REFERENCES rounds, round INTEGER NOT NULL, hotkey TEXT NOT NULL, uid INTEGER NOT NULL,
     registered_at INTEGER NOT NULL, task TEXT NOT NULL, seed TEXT NOT NULL, reason TEXT NOT NULL, value REAL NOT NULL,
     sigma REAL NOT NULL, total_ms REAL, PRIMARY KEY (round_block, uid)) STRICT;
   CREATE TABLE scores (
     hotkey TEXT NOT NULL, uid INTEGER NOT NULL, registered_at INTEGER NOT NULL, average REAL NOT NULL, sigma REAL NOT NULL,
     samples INTEGER NOT NULL, last_round_block INTEGER NOT NULL, PRIMARY KEY (hotkey, uid, registered_at)) STRICT;
   CREATE TABLE weights (
     id INTEGER PRIMARY KEY, row TEXT NOT NULL, state TEXT NOT NULL, computed_at INTEGER NOT NULL, included_at INTEGER,
     read_back_at INTEGER, error TEXT, at INTEGER NOT NULL) STRICT;`,
  `CREATE TABLE forfeits (
     hotkey TEXT NOT NULL, uid INTEGER NOT NULL, registered_at INTEGER NOT NULL, at_block INTEGER NOT NULL,
     until_block INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, receipt TEXT,
     PRIMARY KEY (hotkey, uid, registered_at, at_block)) STRICT;
   CREATE TABLE passes (
     before INTEGER PRIMARY KEY, up_to INTEGER NOT NULL, round INTEGER NOT NULL, epoch INTEGER NOT NULL, tokens REAL NOT NULL,
     closed INTEGER NOT NULL) STRICT;
   CREATE TABLE audit_plans (
     before INTEGER NOT NULL REFERENCES passes, hotkey TEXT NOT NULL, uid INTEGER NOT NULL, registered_at INTEGER NOT NULL,
     answers INTEGER NOT NULL, dropped INTEGER NOT NULL, share REAL NOT NULL, look INTEGER NOT NULL, outlook TEXT NOT NULL,
     PRIMARY KEY (before, hotkey, uid, registered_at)) STRICT;
   CREATE TABLE audits (
     id TEXT PRIMARY KEY, before INTEGER NOT NULL REFERENCES passes, hotkey TEXT NOT NULL, uid INTEGER NOT NULL,
     registered_at INTEGER NOT NULL, reason TEXT NOT NULL, value REAL NOT NULL, check_ms REAL, prefilled INTEGER, at INTEGER NOT NULL) STRICT;
   CREATE INDEX audits_by_pass ON audits (before, hotkey);
   ALTER TABLE verdicts ADD COLUMN check_ms REAL;
   ALTER TABLE verdicts ADD COLUMN prefilled INTEGER;
   ALTER TABLE verdicts ADD COLUMN receipt TEXT;`,
]

/** Brings a ledger to the newest schema. @throws LEDGER_NEWER when it was written by a later version */
export function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version > migrations.length) {
    throw new SubnetError({
      code: 'LEDGER_NEWER',
      message: `the ledger has schema ${version}, this version knows ${migrations.length}; update Arbor`,
    })
  }
  for (const [index, migration] of migrations.slice(version).entries()) {
    db.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${version + index + 1}; COMMIT`)
  }
}
