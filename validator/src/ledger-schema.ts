import type { StoreKind } from '@arbor/chain/store/kind'

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
  `ALTER TABLE rounds ADD COLUMN block_hash TEXT;
   ALTER TABLE rounds ADD COLUMN ended_at INTEGER;
   UPDATE rounds SET ended_at = round_block;
   CREATE TABLE verdicts_3 (
     round_block INTEGER NOT NULL REFERENCES rounds, round INTEGER NOT NULL, hotkey TEXT NOT NULL, uid INTEGER NOT NULL,
     registered_at INTEGER NOT NULL, task TEXT NOT NULL, seed TEXT NOT NULL, reason TEXT NOT NULL, value REAL NOT NULL,
     sigma REAL NOT NULL, total_ms REAL, check_ms REAL, prefilled INTEGER, receipt TEXT, repeat INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (round_block, uid, repeat)) STRICT;
   INSERT INTO verdicts_3 (round_block, round, hotkey, uid, registered_at, task, seed, reason, value, sigma, total_ms, check_ms, prefilled, receipt)
     SELECT round_block, round, hotkey, uid, registered_at, task, seed, reason, value, sigma, total_ms, check_ms, prefilled, receipt FROM verdicts;
   DROP TABLE verdicts;
   ALTER TABLE verdicts_3 RENAME TO verdicts;
   ALTER TABLE verdicts ADD COLUMN answer_hash TEXT;
   ALTER TABLE verdicts ADD COLUMN drawn_at INTEGER;
   ALTER TABLE verdicts ADD COLUMN signed INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE runs (
     round_block INTEGER PRIMARY KEY, round INTEGER NOT NULL, block_hash TEXT NOT NULL, length INTEGER NOT NULL, tempo INTEGER NOT NULL,
     spec TEXT NOT NULL, miners INTEGER NOT NULL, state TEXT NOT NULL, pass INTEGER NOT NULL, after_block INTEGER, draw_block INTEGER, draw_hash TEXT,
     reason TEXT, at INTEGER NOT NULL) STRICT;
   CREATE TABLE run_answers (
     round_block INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, uid INTEGER NOT NULL, repeat INTEGER NOT NULL, hotkey TEXT NOT NULL,
     registered_at INTEGER NOT NULL, outcome TEXT, verdict TEXT, PRIMARY KEY (round_block, repeat, uid)) STRICT;
   CREATE TABLE attempts (
     id INTEGER PRIMARY KEY, mechanism INTEGER NOT NULL, method TEXT NOT NULL, row TEXT NOT NULL, version TEXT NOT NULL,
     registrations TEXT NOT NULL, salt TEXT, commit_hash TEXT, round TEXT, state TEXT NOT NULL, computed_at INTEGER NOT NULL,
     block_hash TEXT, committed_at INTEGER, opens_from INTEGER, opens_to INTEGER, included_at INTEGER, read_back_at INTEGER,
     sent_hash TEXT, sent_birth INTEGER, sent_until INTEGER, inherited TEXT, log_position INTEGER, error TEXT, at INTEGER NOT NULL) STRICT;
   CREATE TABLE attempt_moves (
     id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL REFERENCES attempts ON DELETE CASCADE, state TEXT NOT NULL, block INTEGER,
     extrinsic TEXT, error TEXT, at INTEGER NOT NULL) STRICT;
   CREATE INDEX attempt_moves_of ON attempt_moves (attempt);
   INSERT INTO attempts (id, mechanism, method, row, version, registrations, state, computed_at, included_at, read_back_at, error, at)
     SELECT id, 0, 'open', row, '0', '[]', iif(state = 'computed', 'setting', state), computed_at, included_at, read_back_at, error, at FROM weights;
   DROP TABLE weights;
   CREATE TABLE weight_plans (mechanism INTEGER PRIMARY KEY, block INTEGER NOT NULL, plan TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
   CREATE TABLE log_entries (
     position INTEGER PRIMARY KEY, kind TEXT NOT NULL, block INTEGER, leaf BLOB NOT NULL, body TEXT) STRICT;
   CREATE INDEX log_terms ON log_entries (position) WHERE kind = 'terms';
   CREATE INDEX log_states ON log_entries (position, block) WHERE kind = 'state';
   CREATE INDEX log_rows ON log_entries (position) WHERE kind = 'row';
   CREATE TABLE log_bodies (receipt BLOB PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE log_nodes (level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, position)) STRICT, WITHOUT ROWID;
   CREATE TABLE log_heads (
     size INTEGER PRIMARY KEY, root BLOB NOT NULL, block INTEGER NOT NULL, signature BLOB NOT NULL, anchored_at INTEGER) STRICT;`,
  `CREATE TABLE training_judged (
     round_block INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, uid INTEGER NOT NULL, judged TEXT NOT NULL,
     PRIMARY KEY (round_block, uid)) STRICT;
   CREATE TABLE training_votes (
     round INTEGER PRIMARY KEY, base TEXT NOT NULL, accepted TEXT NOT NULL, block INTEGER, at INTEGER NOT NULL) STRICT;
   CREATE TABLE training_rounds (
     round INTEGER PRIMARY KEY, base TEXT, before TEXT NOT NULL, checkpoint TEXT NOT NULL, merged TEXT NOT NULL, held_out REAL,
     tokens INTEGER NOT NULL, at INTEGER NOT NULL, position INTEGER NOT NULL) STRICT;
   CREATE TABLE training_verdicts (
     round INTEGER NOT NULL, uid INTEGER NOT NULL, hotkey TEXT NOT NULL, reason TEXT NOT NULL, value REAL NOT NULL, bytes INTEGER NOT NULL,
     mu REAL, sigma REAL, position INTEGER NOT NULL, PRIMARY KEY (round, uid)) STRICT;
   CREATE TABLE training_heads (
     hotkey TEXT PRIMARY KEY, round INTEGER NOT NULL, base TEXT NOT NULL, states TEXT NOT NULL) STRICT;
   CREATE TABLE training_files (
     name TEXT PRIMARY KEY, kind TEXT NOT NULL, round INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;`,
]

/** A validator's ledger. */
export const LEDGER: StoreKind = {
  name: 'ledger',
  mark: 'ArbL',
  table: 'verdicts',
  migrations,
  remedy: 'restore a backup (arbor validator restore), or name another --data folder',
}
