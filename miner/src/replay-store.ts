import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, Ss58 } from '@arbor/shared/units'
import { refuse } from '@arbor/shared/wire/refusal'
import {
  type NonceUse,
  REPLAY_LIMITS,
  type ReplayLimits,
  type ReplayStore,
  type ReplayVerdict,
} from '@arbor/shared/wire/replay'

/** `floor` is the latest moment up to which nonces were forgotten: it must outlive a clock that goes back. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS nonces (
    sender TEXT NOT NULL, nonce TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (sender, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS nonces_by_expiry ON nonces (expires_at);
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY CHECK (id = 1), forgotten_up_to INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO floor (id, forgotten_up_to) VALUES (1, 0);`

/** How long expired nonces may lie before they are deleted: one transaction for all of them instead of one a request. */
const FORGET_EVERY_MS = 5_000

/** Whose store it is. */
interface Owner {
  readonly genesisHash: Hex
  readonly hotkey: Ss58
}

/** A replay store that survives a restart. */
export interface PersistentReplayStore extends ReplayStore {
  close(): void
}

/**
 * Opens the store in a file.
 * @throws MINER_DATA when the file cannot be used, MINER_OTHER_CHAIN when it belongs to another chain or hotkey
 */
export const openReplayStore = (of: {
  readonly file: string
  readonly owner: Owner
  readonly limits?: ReplayLimits
}): PersistentReplayStore => {
  const database = open(of.file)
  claimFolder(database, of)
  const limits = of.limits ?? REPLAY_LIMITS
  const insert = database.prepare('INSERT OR IGNORE INTO nonces (sender, nonce, expires_at) VALUES (?, ?, ?)')
  const countOwn = database.prepare('SELECT count(*) AS n FROM nonces WHERE sender = ?')
  const countSenders = database.prepare('SELECT count(DISTINCT sender) AS n FROM nonces')
  const remove = database.prepare('DELETE FROM nonces WHERE expires_at <= ?')
  const raise = database.prepare('UPDATE floor SET forgotten_up_to = max(forgotten_up_to, ?) WHERE id = 1')
  let forgottenUpTo = Number(database.prepare('SELECT forgotten_up_to AS n FROM floor').get()?.n ?? 0)
  const counts = new Map<string, number>()

  const forget = (now: number): void => {
    database.exec('BEGIN IMMEDIATE')
    raise.run(now)
    remove.run(now)
    database.exec('COMMIT')
    forgottenUpTo = Math.max(forgottenUpTo, now)
    counts.clear()
  }
  /** Counts are read once after each forgetting and kept in memory between. */
  const ownCount = (sender: string): number => {
    const known = counts.get(sender) ?? Number(countOwn.get(sender)?.n ?? 0)
    counts.set(sender, known)
    return known
  }
  const isFull = (sender: string): boolean => {
    const own = ownCount(sender)
    return own >= limits.perSender || (own === 0 && Number(countSenders.get()?.n ?? 0) >= limits.senders)
  }

  const claim = ({ sender, nonce, expiresAt, now }: NonceUse): ReplayVerdict => {
    if (now - forgottenUpTo >= FORGET_EVERY_MS) forget(now)
    if (expiresAt <= Math.max(now, forgottenUpTo)) return refuse('WIRE_EXPIRED')
    if (isFull(sender)) return refuse('WIRE_REPLAY_FULL')
    if (Number(insert.run(sender, nonce, expiresAt).changes) === 0) return refuse('WIRE_REPLAY')
    counts.set(sender, ownCount(sender) + 1)
    return { ok: true }
  }
  return { claim, close: () => database.close() }
}

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
    message: `The replay store ${file} belongs to chain and hotkey "${held}", not "${mine}"; name another --data folder`,
    details: { file, held, mine },
  })
}

/** Opens in write-ahead mode; a nonce is on disk before its request is answered. */
const open = (file: string): DatabaseSync => {
  try {
    const database = new DatabaseSync(file)
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000; ${SCHEMA}`)
    return database
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'MINER_DATA',
      message: `The replay store ${file} cannot be used: ${why}; check the data folder, one miner may use it`,
      cause,
    })
  }
}
