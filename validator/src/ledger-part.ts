import type { DatabaseSync } from 'node:sqlite'
import type { Append } from './log/append.ts'
import type { ReceiptLog } from './log/log.ts'

/** What each part of a ledger is made of; parts of one ledger write in one transaction (`transaction`) and to one log. */
export interface LedgerPart {
  readonly db: DatabaseSync
  /** Adds to the log; call it inside the transaction that makes what the entries tell true. */
  readonly append: Append
  readonly log: Pick<ReceiptLog, 'isStateDue'>
}
