import { guarded } from '@arbor/chain/store/guard'
import { openStore } from '@arbor/chain/store/open'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { type AuditLedger, auditLedger } from './ledger-audits.ts'
import { mustFollowFromLog } from './ledger-check.ts'
import { LEDGER } from './ledger-schema.ts'
import { type SeenLedger, seenLedger } from './ledger-seen.ts'
import { openLog, type ReceiptLog } from './log/log.ts'
import { type RoundLedger, roundLedger } from './rounds/ledger.ts'
import { type TrainingLedger, trainingLedger } from './training/ledger.ts'
import { type WeightLedger, weightLedger } from './weights/ledger.ts'

/** What a validator must not forget: one SQLite file, each method one transaction. */
export interface Ledger extends Disposable, RoundLedger, WeightLedger, AuditLedger, SeenLedger, TrainingLedger {
  /** What others may see of all this, and check. */
  readonly log: ReceiptLog
  close(): void
}

/** About two weeks of Bittensor's rounds (two a 72-minute epoch), and some 40 MB with 256 miners. */
const defaultKeptRounds = 560

/**
 * Opens a validator's ledger, in memory when no file is named.
 * @throws STORE_*, LOG_*, LEDGER_EDITED when it cannot be used, was changed, or belongs to another chain, subnet or hotkey
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
  const log = openLog(db, owner)
  const part = { db, append: log.append, log }
  const close = (): void => {
    if (db.isOpen) db.close()
  }
  const methods: Ledger = {
    log,
    ...roundLedger({ ...part, keptRounds }),
    ...weightLedger(part),
    ...auditLedger(part),
    ...seenLedger(part),
    ...trainingLedger(part),
    close,
    [Symbol.dispose]: close,
  }
  const ledger = guarded(methods, { kind: LEDGER, file: file ?? ':memory:' })
  try {
    ledger.log.check({ recent: true })
    mustFollowFromLog(db, file ?? ':memory:')
    return ledger
  } catch (error) {
    close()
    throw error
  }
}
