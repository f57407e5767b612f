import { guarded } from '@arbor/chain/store/guard'
import { openStore } from '@arbor/chain/store/open'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { type AuditLedger, auditLedger } from './ledger-audits.ts'
import { LEDGER } from './ledger-schema.ts'
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
 * @throws STORE_* when it cannot be used, or belongs to another chain, subnet or hotkey
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
  const db = openStore({ file, kind: LEDGER, owner })
  const part = { db, append: appenderOf(db) }
  const close = (): void => db.close()
  const methods = {
    ...roundLedger({ ...part, keptRounds }),
    ...weightLedger(part),
    ...auditLedger(part),
    close,
    [Symbol.dispose]: close,
  }
  return guarded(methods, { kind: LEDGER, file: file ?? ':memory:' })
}
