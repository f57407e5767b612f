import type { Sent, WeightRow } from '@arbor/chain/client/types'
import type { Block, Hex, Uid, UnixMs } from '@arbor/shared/units'
import type { Registration } from '../scores.ts'
import type { WeightMethod, WeightState } from './machine.ts'

/** One row on its way to the chain, as the ledger holds it. */
export interface WeightAttempt {
  readonly id: number
  readonly mechanism: number
  readonly method: WeightMethod
  readonly row: WeightRow
  /** Version key. */
  readonly version: bigint
  /** Who held the row's uids when it was computed, in the row's order; empty where an older version did not note it. */
  readonly registrations: readonly Registration[]
  /** Salt of a salted row: with row and version it opens the commit, and nothing else does. */
  readonly salt: readonly number[] | null
  /** What was committed: the salted row's hash, or BLAKE2b-256 of the ciphertext. */
  readonly commitHash: Hex | null
  /** Round that a timelocked row was sealed for. */
  readonly round: bigint | null
  readonly state: WeightState
  /** Block of the metagraph. */
  readonly computedAt: Block
  readonly committedAt: Block | null
  /** First and last block in which the commit is opened, as the schedule stood when it was made. */
  readonly opens: { readonly from: Block; readonly to: Block } | null
  /** Block in which the chain applied the row. */
  readonly includedAt: Block | null
  readonly readBackAt: Block | null
  /** The newest extrinsic that may have left for it. */
  readonly sent: Sent | null
  /** Uids that changed hands after the row was computed and before the chain took it: their new holders inherit its weight. */
  readonly inherited: readonly Uid[]
  /** Why it ended, or why its last step failed; null without a reason. */
  readonly error: string | null
  readonly at: UnixMs
}

/** Where a row goes next, and what is known of it then. */
export interface WeightMove {
  readonly state: WeightState
  /** Block of the move: of inclusion or opening for `included` and `finalised`, of the reading for `confirmed` and `mismatch`. */
  readonly block?: Block
  readonly error?: string
  readonly sent?: Sent
  readonly commitHash?: Hex
  readonly round?: bigint
  readonly opens?: { readonly from: Block; readonly to: Block }
  readonly inherited?: readonly Uid[]
}

/** A move as the ledger keeps it. */
export interface WeightMoveRow {
  readonly state: WeightState
  readonly block: Block | null
  readonly extrinsic: Hex | null
  readonly error: string | null
  readonly at: UnixMs
}
