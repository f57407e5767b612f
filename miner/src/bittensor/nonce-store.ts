import type { NonceStore } from '@arbor/shared/bittensor/nonce-store'
import type { Ss58 } from '@arbor/shared/units'
import { openStoreFile } from '../store-file.ts'

/** Nonces are nanoseconds of Unix time and stay below 2^63 until the year 2262. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS marks (hotkey TEXT PRIMARY KEY, nonce INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY CHECK (id = 1), nonce INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO forgotten (id, nonce) VALUES (1, 0);`

/** A nonce store that survives a restart: it is written at most once in two seconds for one hotkey. */
export interface NonceStoreFile extends NonceStore {
  close(): void
}

/**
 * Opens the store in a file of the miner's data folder, whose owner the session store has checked.
 * @throws MINER_DATA when the file cannot be used
 */
export const openNonceStore = (file: string): NonceStoreFile => {
  const database = openStoreFile({ file, what: 'nonce store', schema: SCHEMA })
  const integers = (sql: string) => {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
  const all = integers('SELECT hotkey, nonce FROM marks')
  const forgotten = integers('SELECT nonce FROM forgotten WHERE id = 1')
  const put = database.prepare(
    'INSERT INTO marks (hotkey, nonce) VALUES (?, ?) ON CONFLICT (hotkey) DO UPDATE SET nonce = max(nonce, excluded.nonce)',
  )
  const drop = database.prepare('DELETE FROM marks WHERE hotkey = ?')
  const raiseForgotten = database.prepare('UPDATE forgotten SET nonce = max(nonce, ?) WHERE id = 1')
  return {
    marks: () => new Map(all.all().map(({ hotkey, nonce }) => [String(hotkey) as Ss58, BigInt(String(nonce))])),
    forgotten: () => BigInt(String(forgotten.get()?.nonce ?? 0)),
    raise: (hotkey, mark) => {
      put.run(hotkey, mark)
    },
    forget: (hotkey, mark) => {
      raiseForgotten.run(mark) // first: between the two a hotkey has both
      drop.run(hotkey)
    },
    close: () => database.close(),
  }
}
