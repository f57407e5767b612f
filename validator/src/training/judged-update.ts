import type { Hex, Ss58, Uid } from '@arbor/shared/units'
import type { GauntletReason, Measured } from '@arbor/subnet-spec/finetune/types'

/** What judging one miner's round came to; its verdict follows once all of the round were measured. */
export interface JudgedUpdate {
  readonly uid: Uid
  readonly hotkey: Ss58
  /** Name and length of the update's file, as it was committed to. */
  readonly update: { readonly name: Hex; readonly bytes: number }
  /** What kept it from being measured; null where it was measured. */
  readonly fault: Exclude<GauntletReason, 'ok'> | null
  readonly measured: Measured | null
  /** Milliseconds that measuring and replaying took. */
  readonly checkMs: number
}
