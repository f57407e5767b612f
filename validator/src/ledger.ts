import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { type AuditLedger, auditLedger } from './ledger-audits.ts'
import { migrate } from './ledger-schema.ts'
import { appenderOf } from './log/append.ts'
import { type RoundLedger, roundLedger } from './rounds/ledger.ts'
import { type WeightLedger, weightLedger } from './weights/ledger.ts'

/** What a validator must not forget: one SQLite file, each method one transaction. */
export interface Ledger extends Disposable, RoundLedger, WeightLedger, AuditLedger {
  close(): void
}

/** About two weeks of Bittensor's rounds (two a 72-minute epoch), and some 40 MB with 256 miners. */
const defaultKeptRounds = 560

/**
 * Opens a validator's ledger, in memory when no file is named.
 * @throws LEDGER_OTHER_CHAIN when the file belongs to another chain, subnet or hotkey; LEDGER_UNREADABLE when it is no ledger
 */
export function openLedger({
  file,
  owner,
  keptRounds = defaultKeptRounds,
}: {
  readonly file?: string
  readonly owner: { readonly genesisHash: Hex; readonly netuid: NetUid; readonly hotkey: Ss58 }
  /** Rounds whose verdicts are kept. */
  readonly keptRounds?: number
}): Ledger {
  const name = file ?? ':memory:'
  const db = open(name)
  claim(db, name, owner)
  const part = { db, append: appenderOf(db) }
  return {
    ...roundLedger({ ...part, keptRounds }),
    ...weightLedger(part),
    ...auditLedger(part),
    close: () => db.close(),
    [Symbol.dispose]: () => db.close(),
  }
}

function open(name: string): DatabaseSync {
  try {
    const db = new DatabaseSync(name)
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON',
    )
    migrate(db)
    return db
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    throw new SubnetError({
      code: 'LEDGER_UNREADABLE',
      message: `cannot open the ledger ${name}: ${cause instanceof Error ? cause.message : String(cause)}; name another --data folder or restore it`,
      cause,
    })
  }
}

function claim(db: DatabaseSync, name: string, owner: { genesisHash: Hex; netuid: NetUid; hotkey: Ss58 }): void {
  const mine = `${owner.genesisHash} ${owner.netuid} ${owner.hotkey}`
  db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('owner', ?)").run(mine)
  const held = String(db.prepare("SELECT value FROM meta WHERE key = 'owner'").get()?.value)
  if (held === mine) return
  db.close()
  throw new SubnetError({
    code: 'LEDGER_OTHER_CHAIN',
    message: `the ledger ${name} belongs to chain, subnet and hotkey "${held}", not "${mine}"; name another --data folder`,
  })
}
