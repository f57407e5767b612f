import { guarded } from '@arbor/chain/store/guard'
import type { StoreKind, StoreOwner } from '@arbor/chain/store/kind'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import { NO_MARK, newerMark, type SessionMark, type SessionStore } from '@arbor/shared/protocol/session-store'
import type { Ss58, UnixMs } from '@arbor/shared/units'

/**
 * `forgotten` holds the newest times of all rows that were dropped: it must outlive a clock that goes back.
 * Schema 1 was made before files bore a number: its SQL must leave alone what is there.
 */
const SESSIONS: StoreKind = {
  name: 'session store',
  mark: 'ArbS',
  table: 'sessions',
  migrations: [
    `CREATE TABLE IF NOT EXISTS sessions (
       hotkey TEXT PRIMARY KEY, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
     CREATE TABLE IF NOT EXISTS forgotten (
       id INTEGER PRIMARY KEY CHECK (id = 1), issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
     ) STRICT;
     INSERT OR IGNORE INTO forgotten (id, issued_at, expires_at) VALUES (1, ${NO_MARK.issuedAt}, ${NO_MARK.expiresAt});`,
  ],
  remedy:
    'move it away with the files beside it, and start no sooner than a session lasts: it is what refuses old sessions',
}

/** A session store that survives a restart: it is written once a session, not once a request. */
export interface SessionStoreFile extends SessionStore {
  close(): void
}

/**
 * Opens the store in a file.
 * @throws STORE_* when it cannot be used, or belongs to another chain or hotkey
 */
export const openSessionStore = (of: {
  readonly file: string
  readonly owner: Pick<StoreOwner, 'genesisHash' | 'hotkey'>
}): SessionStoreFile => {
  const database = openStore({ ...of, kind: SESSIONS })
  const all = database.prepare('SELECT hotkey, issued_at, expires_at FROM sessions')
  const forgotten = database.prepare('SELECT issued_at, expires_at FROM forgotten WHERE id = 1')
  const raise = database.prepare('UPDATE forgotten SET issued_at = ?, expires_at = ? WHERE id = 1')
  const drop = database.prepare('DELETE FROM sessions WHERE hotkey = ?')
  const put = database.prepare(`
    INSERT INTO sessions (hotkey, issued_at, expires_at) VALUES (?, ?, ?) ON CONFLICT (hotkey) DO UPDATE SET
      issued_at = max(issued_at, excluded.issued_at), expires_at = max(expires_at, excluded.expires_at)`)
  const readForgotten = (): SessionMark => markOf(forgotten.get() ?? {})
  const methods: SessionStoreFile = {
    floors: () => new Map(all.all().map((row) => [String(row.hotkey) as Ss58, markOf(row)])),
    forgotten: readForgotten,
    admit: ({ hotkey, issuedAt, expiresAt }) => {
      put.run(hotkey, issuedAt, expiresAt)
    },
    forget: (hotkeys, mark) => {
      const newest = newerMark(readForgotten(), mark)
      transaction(database, () => {
        raise.run(newest.issuedAt, newest.expiresAt)
        for (const hotkey of hotkeys) drop.run(hotkey)
      })
    },
    close: () => database.close(),
  }
  return guarded(methods, { kind: SESSIONS, file: of.file })
}

const markOf = (row: Record<string, unknown>): SessionMark => ({
  issuedAt: Number(row.issued_at) as UnixMs,
  expiresAt: Number(row.expires_at) as UnixMs,
})
