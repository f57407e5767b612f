import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { NO_MARK, newerMark, type SessionMark, type SessionStore } from '@arbor/shared/protocol/session-store'
import type { Hex, Ss58, UnixMs } from '@arbor/shared/units'
import { openStoreFile } from './store-file.ts'

/** `forgotten` holds the newest times of all rows that were dropped: it must outlive a clock that goes back. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (
    hotkey TEXT PRIMARY KEY, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS forgotten (
    id INTEGER PRIMARY KEY CHECK (id = 1), issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO forgotten (id, issued_at, expires_at) VALUES (1, ${NO_MARK.issuedAt}, ${NO_MARK.expiresAt});`

/** Whose store it is. */
interface Owner {
  readonly genesisHash: Hex
  readonly hotkey: Ss58
}

/** A session store that survives a restart: it is written once a session, not once a request. */
export interface SessionStoreFile extends SessionStore {
  close(): void
}

/**
 * Opens the store in a file.
 * @throws MINER_DATA when the file cannot be used, MINER_OTHER_CHAIN when it belongs to another chain or hotkey
 */
export const openSessionStore = (of: { readonly file: string; readonly owner: Owner }): SessionStoreFile => {
  const database = openStoreFile({ file: of.file, what: 'session store', schema: SCHEMA })
  claimFolder(database, of)
  const all = database.prepare('SELECT hotkey, issued_at, expires_at FROM sessions')
  const forgotten = database.prepare('SELECT issued_at, expires_at FROM forgotten WHERE id = 1')
  const raise = database.prepare('UPDATE forgotten SET issued_at = ?, expires_at = ? WHERE id = 1')
  const drop = database.prepare('DELETE FROM sessions WHERE hotkey = ?')
  const put = database.prepare(`
    INSERT INTO sessions (hotkey, issued_at, expires_at) VALUES (?, ?, ?) ON CONFLICT (hotkey) DO UPDATE SET
      issued_at = max(issued_at, excluded.issued_at), expires_at = max(expires_at, excluded.expires_at)`)
  const readForgotten = (): SessionMark => markOf(forgotten.get() ?? {})
  return {
    floors: () => new Map(all.all().map((row) => [String(row.hotkey) as Ss58, markOf(row)])),
    forgotten: readForgotten,
    admit: ({ hotkey, issuedAt, expiresAt }) => {
      put.run(hotkey, issuedAt, expiresAt)
    },
    forget: (hotkeys, mark) => {
      const newest = newerMark(readForgotten(), mark)
      database.exec('BEGIN IMMEDIATE')
      try {
        raise.run(newest.issuedAt, newest.expiresAt)
        for (const hotkey of hotkeys) drop.run(hotkey)
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}

const markOf = (row: Record<string, unknown>): SessionMark => ({
  issuedAt: Number(row.issued_at) as UnixMs,
  expiresAt: Number(row.expires_at) as UnixMs,
})

/** Takes a new store for its owner, and refuses another's. */
const claimFolder = (
  database: DatabaseSync,
  { file, owner }: { readonly file: string; readonly owner: Owner },
): void => {
  const mine = `${owner.genesisHash} ${owner.hotkey}`
  database.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('owner', ?)").run(mine)
  const held = String(database.prepare("SELECT value FROM meta WHERE key = 'owner'").get()?.value)
  if (held === mine) return
  database.close()
  throw new SubnetError({
    code: 'MINER_OTHER_CHAIN',
    message: `The session store ${file} belongs to chain and hotkey "${held}", not "${mine}"; name another --data folder`,
    details: { file, held, mine },
  })
}
