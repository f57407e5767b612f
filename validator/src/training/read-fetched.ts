import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid } from '@arbor/shared/units'
import { basePrefix } from '@arbor/subnet-spec/finetune/records'
import type { GauntletReason, Optimiser, TrainingTerms, Update } from '@arbor/subnet-spec/finetune/types'
import { readUpdate } from '@arbor/subnet-spec/finetune/update'
import type { Committed } from '@arbor/training/types'

type Fault = Exclude<GauntletReason, 'ok'>

/** What an update has to say to be one of the round. */
export interface RoundOf {
  readonly netuid: NetUid
  readonly round: number
  readonly base: Hex
  /** Elements of the model. */
  readonly size: number
  readonly optimiser: Optimiser
  readonly limits: TrainingTerms['limits']
}

/** Finds what is wrong with a commitment before anything of it is fetched; null where nothing is. */
export const faultOfCommitment = ({ commitment }: Committed, of: RoundOf): Fault | null => {
  if (commitment.bytes > of.limits.updateBytes) return 'malformed'
  return commitment.base === basePrefix(of.base) ? null : 'stale'
}

/** Why each refusal of an update's file counts as it does. A head with another's name is a file that was taken from there. */
const REASONS: Readonly<Record<string, Fault>> = {
  UPDATE_TOO_LARGE: 'malformed',
  UPDATE_MALFORMED: 'malformed',
  UPDATE_SHAPE: 'malformed',
  UPDATE_STALE: 'stale',
  UPDATE_FOREIGN: 'copy',
  UPDATE_NOT_FINITE: 'not-finite',
}

/** Reads a file that was fetched as the update that its miner owes. */
export const readFetched = (
  file: Uint8Array,
  { hotkey }: Committed,
  of: RoundOf,
):
  | { readonly kind: 'read'; readonly update: Update; readonly vector: Float32Array }
  | { readonly kind: 'fault'; readonly reason: Fault } => {
  const { netuid, round, base, size, optimiser, limits } = of
  try {
    const expected = { netuid, round, hotkey, base, optimiser: optimiser.kind, size }
    return { kind: 'read', ...readUpdate({ file, maxBytes: limits.updateBytes, expected, optimiser }) }
  } catch (error) {
    const reason = error instanceof SubnetError ? REASONS[error.code] : undefined
    if (reason === undefined) throw error
    return { kind: 'fault', reason }
  }
}
