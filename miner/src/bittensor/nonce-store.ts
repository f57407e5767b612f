import { guarded } from '@arbor/chain/store/guard'
import type { StoreKind, StoreOwner } from '@arbor/chain/store/kind'
import { openStore } from '@arbor/chain/store/open'
import type { NonceStore } from '@arbor/shared/bittensor/nonce-store'
import type { Ss58 } from '@arbor/shared/units'

/**
 * Nonces are nanoseconds of Unix time and stay below 2^63 until the year 2262.
 * Schema 1 was made before files bore a number: its SQL must leave alone what is there.
 */
const NONCES: StoreKind = {
  name: 'nonce store',
  mark: 'ArbN',
  table: 'marks',
  migrations: [
    `CREATE TABLE IF NOT EXISTS marks (hotkey TEXT PRIMARY KEY, nonce INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY CHECK (id = 1), nonce INTEGER NOT NULL) STRICT;
     INSERT OR IGNORE INTO forgotten (id, nonce) VALUES (1, 0);`,
    'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;',
  ],
  remedy:
    'move it away with the files beside it, and start no sooner than a request lasts: it is what refuses requests sent twice',
}

/** A nonce store that survives a restart: it is written at most once in two seconds for one hotkey. */
export interface NonceStoreFile extends NonceStore {
  close(): void
}

/**
 * Opens the store in a file.
 * @throws STORE_* when it cannot be used, or belongs to another chain or hotkey
 */
export const openNonceStore = (of: {
  readonly file: string
  readonly owner: Pick<StoreOwner, 'genesisHash' | 'hotkey'>
}): NonceStoreFile => {
  const database = openStore({ ...of, kind: NONCES })
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
  const methods: NonceStoreFile = {
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
  return guarded(methods, { kind: NONCES, file: of.file })
}
