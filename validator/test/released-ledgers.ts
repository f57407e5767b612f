import { DatabaseSync } from 'node:sqlite'

/** Schemas of ledgers as released versions of Arbor made them; frozen here, so that an edit of a migration shows. */
const RELEASED: readonly string[] = [
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

/** What the validators of those versions left in their ledgers: two rounds, and from version 2 on a forfeit and a pass. */
const contents = (owner: string): readonly string[] => [
  `INSERT INTO meta VALUES ('owner', '${owner}');
   INSERT INTO rounds VALUES (180, 1790000000000), (360, 1790002160000);
   INSERT INTO verdicts (round_block, round, hotkey, uid, registered_at, task, seed, reason, value, sigma, total_ms) VALUES
     (180, 1, '5Anna', 1, 7, 'chat', '0x01', 'ok', 0.5, 0.01, 812.5), (180, 1, '5Bert', 2, 9, 'chat', '0x02', 'timeout', 0, 0, NULL),
     (360, 2, '5Anna', 1, 7, 'chat', '0x03', 'ok', 0.75, 0.02, 640), (360, 2, '5Bert', 2, 9, 'chat', '0x04', 'ok', 0.25, 0, 100);
   INSERT INTO scores VALUES ('5Anna', 1, 7, 0.625, 0.015, 2, 360), ('5Bert', 2, 9, 0.125, 0, 2, 360);
   INSERT INTO weights VALUES
     (1, '[[1,65535]]', 'confirmed', 190, 192, 193, NULL, 1790000100000),
     (2, '[[1,65535],[2,13107]]', 'finalised', 365, 367, NULL, NULL, 1790002170000);`,
  `INSERT INTO forfeits VALUES ('5Bert', 2, 9, 300, 900, 'user', 'wrong-output', 'ab12');
   INSERT INTO passes VALUES (360, 12, 2, 1, 40.5, 1);
   INSERT INTO audit_plans VALUES (360, '5Bert', 2, 9, 10, 1, 0.3, 2, '[]');
   INSERT INTO audits VALUES ('ab12', 360, '5Bert', 2, 9, 'wrong-output', 0, 12.5, 80, 1790002161000);
   UPDATE verdicts SET check_ms = 33.5, prefilled = 120, receipt = 'cd34' WHERE round_block = 360 AND uid = 1;`,
]

/** Versions of the schema that were released. */
export const RELEASED_VERSIONS: readonly number[] = RELEASED.map((_, index) => index + 1)

/** Makes a ledger as the released version made it, with what was in it. @param of.owner as it stands in the file */
export const releasedLedger = (of: {
  readonly file: string
  readonly version: number
  readonly owner: string
}): void => {
  const db = new DatabaseSync(of.file)
  db.exec('PRAGMA journal_mode = WAL')
  for (const [index, sql] of RELEASED.slice(0, of.version).entries())
    db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT`)
  for (const sql of contents(of.owner).slice(0, of.version)) db.exec(sql)
  db.close()
}
