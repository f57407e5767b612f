/** How a row gets onto the chain: openly, as a salted hash that we reveal, or sealed for a beacon's round that the chain opens. */
export type WeightMethod = 'open' | 'salted' | 'timelocked'

/**
 * Where a row stands. `setting`, `committing` and `revealing` mean that bytes may have left this process; `committed` that the chain holds
 * the commit at a finalised block; `finalised` that the chain says it applied the row; only `confirmed` that it was read back equal.
 */
export type WeightState =
  | 'computed'
  | 'setting'
  | 'committing'
  | 'committed'
  | 'revealing'
  | 'included'
  | 'finalised'
  | 'confirmed'
  | 'mismatch'
  | 'lost'
  | 'expired'
  | 'failed'
  | 'superseded'

/** Where each state may go; a state without successors is an end. The ledger refuses any other move. */
export const WEIGHT_TRANSITIONS: Readonly<Record<WeightState, readonly WeightState[]>> = {
  computed: ['setting', 'committing', 'failed', 'superseded'],
  setting: ['included', 'finalised', 'failed', 'lost'],
  committing: ['committed', 'failed', 'lost'],
  committed: ['revealing', 'finalised', 'expired', 'lost', 'superseded'],
  revealing: ['included', 'finalised', 'committed', 'expired', 'failed', 'lost'],
  included: ['finalised', 'committed', 'lost'],
  finalised: ['confirmed', 'mismatch'],
  confirmed: [],
  mismatch: [],
  lost: [],
  expired: [],
  failed: [],
  superseded: [],
}

/** Tells whether a row in this state needs nothing any more. */
export const isSettled = (state: WeightState): boolean => WEIGHT_TRANSITIONS[state].length === 0
