import type { ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { NetUid } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Snapshot } from '../chain-view.ts'
import type { Meter } from '../health/meter.ts'
import type { ComputedRow, WeightLedger } from './ledger.ts'

/**
 * Says which row is due, inside the transaction that opens its attempt; null for none. Whatever it reads of the ledger is in the log before
 * the row.
 */
export type RowSource = (snapshot: Snapshot) => Omit<ComputedRow, 'registrations'> | null

/** What setting weights needs. */
export interface WeightDeps {
  readonly chain: Pick<
    ChainClient,
    | 'best'
    | 'finalized'
    | 'weights'
    | 'weightRules'
    | 'registeredAt'
    | 'pendingCommits'
    | 'beacon'
    | 'sealWeights'
    | 'openedIn'
    | 'revealed'
    | 'submit'
    | 'settle'
    | 'blockHash'
  >
  readonly ledger: WeightLedger
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly mechanism: number
  /** Version key that goes with the row. */
  readonly version: bigint
  readonly source: RowSource
  /** Gives so many unpredictable bytes: salts and seals must not be guessed. */
  readonly random: (length: number) => Uint8Array
  readonly clock: Clock
  readonly log: Logger
  /** Hears what passes come to and what they take. */
  readonly meter?: Meter
}
