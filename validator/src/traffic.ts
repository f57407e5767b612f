import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { guarded } from '@arbor/chain/store/guard'
import type { StoreKind } from '@arbor/chain/store/kind'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Answer } from './dendrite/answer.ts'
import { type Exchange, exchangeId, exchangeOf } from './exchange.ts'
import type { PlannedTask } from './plan.ts'

/** Whose traffic a file holds. */
export interface TrafficOwner {
  readonly genesisHash: Hex
  readonly netuid: NetUid
  /** The validator's. */
  readonly hotkey: Ss58
}

/** A user's answer that waits for the draw. */
export interface Waiting {
  readonly row: number
  readonly id: string
  readonly exchange: Exchange
}

/** How many answers of a registration were given in a window, and how many of them had no room. */
export interface TrafficCount {
  readonly hotkey: Ss58
  readonly uid: Uid
  readonly registeredAt: Block
  readonly answers: number
  readonly dropped: number
}

/** Which answers: those that were written down by the row `upTo`, and given after blocks before `before`. */
export interface Extent {
  readonly before: Block
  readonly upTo: number
}

/** Users' answers on their way from the gateway's process to the validator's: one SQLite file between them. */
export interface Traffic extends Disposable {
  /**
   * Writes down an answer that a user got. When the file is full, the miner with the most answers in it loses its oldest.
   * @param of.head the newest block, final or not, whose hash may have been out when the answer was there
   * @returns the id of the receipt that it has if it is audited
   */
  record(of: {
    readonly task: Pick<PlannedTask, 'hotkey' | 'uid' | 'registeredAt' | 'task' | 'request'>
    readonly answer: Extract<Answer, { kind: 'answered' }>
    readonly head: Block
  }): { readonly id: string }
  /** The oldest block after which an answer waits; null when none does. */
  oldest(): Block | null
  /** The newest row; 0 before the first. */
  lastRow(): number
  /** Answers given after blocks before this one and not after a row, oldest first. */
  waiting(of: Extent & { readonly most: number }): readonly Waiting[]
  /** The same answers, counted by registration, with those that were dropped. */
  counts(of: Extent): readonly TrafficCount[]
  /** Forgets answers that the ledger has. */
  forget(ids: readonly string[]): void
  /** Forgets what was dropped in blocks before this one, once it is counted. */
  forgetDropped(before: Block): void
  close(): void
}

/** Answers that wait: those of a round at a busy gateway, some 40 MB of 4 kB each. */
const MAX_WAITING = 10_000
/** What they may take together, however long they are: 256 MiB. */
const MAX_BYTES = 2 ** 28
/** Schema 1 was made piece by piece and bore no number: its SQL must leave alone what is there. */
export const TRAFFIC: StoreKind = {
  name: "file of users' answers",
  mark: 'ArbT',
  table: 'answers',
  migrations: [
    `CREATE TABLE IF NOT EXISTS owner (owner TEXT PRIMARY KEY) STRICT;
     CREATE TABLE IF NOT EXISTS answers (
       row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, after INTEGER NOT NULL, hotkey TEXT NOT NULL, uid INTEGER NOT NULL,
       registered_at INTEGER NOT NULL, exchange TEXT NOT NULL) STRICT;
     CREATE INDEX IF NOT EXISTS answers_by_block ON answers (after, row);
     CREATE INDEX IF NOT EXISTS answers_by_miner ON answers (hotkey, row);
     CREATE TABLE IF NOT EXISTS dropped (
       hotkey TEXT NOT NULL, uid INTEGER NOT NULL, registered_at INTEGER NOT NULL, after INTEGER NOT NULL, answers INTEGER NOT NULL,
       PRIMARY KEY (hotkey, uid, registered_at, after)) STRICT;`,
    `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
     INSERT INTO meta (key, value) SELECT 'owner', owner FROM owner;
     DROP TABLE owner;`,
  ],
  synchronous: 'NORMAL', // a flush would hold up the gateway at every answer; one that a power cut took is not audited
  remedy:
    'stop the validator and its gateway and move the file away with those beside it: answers that waited are not audited then',
}

/**
 * Opens the file through which a gateway hands users' answers to its validator; either may come first, and be killed at any point.
 * @param of.file `traffic.sqlite` of the validator's data folder
 * @throws STORE_* when it cannot be used, or belongs to another chain, subnet or hotkey
 */
export function openTraffic(of: {
  readonly file: string
  readonly owner: TrafficOwner
  readonly spec: Pick<SubnetSpec, 'name' | 'version' | 'model'>
  /** Answers that may wait, and their bytes; some 40 MB, and 256 MiB by default. */
  readonly maxWaiting?: number
  readonly maxBytes?: number
}): Traffic {
  const { file, owner, spec, maxWaiting = MAX_WAITING, maxBytes = MAX_BYTES } = of
  const db = openStore({ file, kind: TRAFFIC, owner })
  const close = (): void => {
    if (db.isOpen) db.close()
  }
  const about = { ...owner, spec, kind: 'user' } as const
  const methods = { ...writing(db, { maxWaiting, maxBytes }, about), ...reading(db), close, [Symbol.dispose]: close }
  return guarded(methods, { kind: TRAFFIC, file })
}

function writing(
  db: DatabaseSync,
  { maxWaiting, maxBytes }: { readonly maxWaiting: number; readonly maxBytes: number },
  about: TrafficOwner & { readonly spec: Pick<SubnetSpec, 'name' | 'version' | 'model'>; readonly kind: 'user' },
): Pick<Traffic, 'record' | 'forget' | 'forgetDropped'> {
  const add = db.prepare(
    'INSERT OR IGNORE INTO answers (id, after, hotkey, uid, registered_at, exchange) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const count = db.prepare('SELECT count(*) AS n FROM answers')
  const fullest = db.prepare('SELECT hotkey FROM answers GROUP BY hotkey ORDER BY count(*) DESC, hotkey LIMIT 1')
  const oldestOf = db.prepare('SELECT * FROM answers WHERE hotkey = ? ORDER BY row LIMIT 1')
  const remove = db.prepare('DELETE FROM answers WHERE id = ?')
  const drop = db.prepare(
    'INSERT INTO dropped (hotkey, uid, registered_at, after, answers) VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET answers = answers + 1',
  )
  const pages = db.prepare(
    'SELECT (page_count - freelist_count) * page_size AS v FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()',
  )
  const makeRoom = (): void => {
    while (Number(count.get()?.n) >= maxWaiting || Number(pages.get()?.v) >= maxBytes) {
      const oldest = oldestOf.get(String(fullest.get()?.hotkey))
      if (oldest === undefined) return
      remove.run(String(oldest.id))
      drop.run(String(oldest.hotkey), Number(oldest.uid), Number(oldest.registered_at), Number(oldest.after))
    }
  }
  return {
    record: ({ task, answer, head }) => {
      const exchange = exchangeOf(about, { task, answer, after: head })
      const id = exchangeId(exchange)
      transaction(db, () => {
        makeRoom()
        const { hotkey, uid, registeredAt } = exchange
        add.run(id, head, hotkey, uid, registeredAt, JSON.stringify(exchange))
      })
      return { id }
    },
    forget: (ids) =>
      transaction(db, () => {
        for (const id of ids) remove.run(id)
      }),
    forgetDropped: (before) => void db.prepare('DELETE FROM dropped WHERE after < ?').run(before),
  }
}

function reading(db: DatabaseSync): Pick<Traffic, 'oldest' | 'lastRow' | 'waiting' | 'counts'> {
  const due: StatementSync = db.prepare(
    'SELECT row, id, exchange FROM answers WHERE after < ? AND row <= ? ORDER BY after, row LIMIT ?',
  )
  const counted = db.prepare(
    `SELECT hotkey, uid, registered_at, sum(kept) AS kept, sum(lost) AS lost FROM (
       SELECT hotkey, uid, registered_at, count(*) AS kept, 0 AS lost FROM answers WHERE after < ?1 AND row <= ?2 GROUP BY 1, 2, 3
       UNION ALL SELECT hotkey, uid, registered_at, 0, answers FROM dropped WHERE after < ?1)
     GROUP BY 1, 2, 3 ORDER BY hotkey, uid`,
  )
  return {
    oldest: () => {
      const block = db.prepare('SELECT min(after) AS v FROM answers').get()?.v
      return block === null || block === undefined ? null : (Number(block) as Block)
    },
    lastRow: () => Number(db.prepare('SELECT coalesce(max(row), 0) AS v FROM answers').get()?.v),
    waiting: ({ before, upTo, most }) =>
      due.all(before, upTo, most).map(({ row, id, exchange }) => ({
        row: Number(row),
        id: String(id),
        exchange: JSON.parse(String(exchange)) as Exchange,
      })),
    counts: ({ before, upTo }) =>
      counted.all(before, upTo).map((row) => ({
        hotkey: String(row.hotkey) as Ss58,
        uid: Number(row.uid) as Uid,
        registeredAt: Number(row.registered_at) as Block,
        answers: Number(row.kept) + Number(row.lost),
        dropped: Number(row.lost),
      })),
  }
}
