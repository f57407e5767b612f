import type { BeaconState } from '@arbor/chain/client/beacon'
import type { CommitRevealState } from '@arbor/chain/client/commits'
import type { WeightAttempt } from './attempt.ts'
import type { WeightMethod } from './machine.ts'

/** Rounds that a beacon may be silent: two minutes of quicknet's, which are ten blocks of Bittensor's. */
const SILENT_ROUNDS = 40

/**
 * Chooses how a row goes to the chain. Where weights are committed, the chain opens a timelocked row by itself, so that one is preferred; a
 * salted one is sent where the chain has no beacon, where the beacon is silent, and after a timelocked row was lost.
 * @param of.beacon null where the chain follows none
 * @param of.recent the newest attempts, newest first
 */
export function methodFor({
  clock,
  beacon,
  recent,
}: {
  readonly clock: CommitRevealState
  readonly beacon: BeaconState | null
  readonly recent: readonly WeightAttempt[]
}): WeightMethod {
  if (!clock.enabled) return 'open'
  if (beacon === null || beacon.lastStoredRound === 0n) return 'salted'
  const { periodS, genesisS } = beacon.beacon
  const due = Math.floor((beacon.now / 1_000 - genesisS) / periodS)
  if (due - Number(beacon.lastStoredRound) > SILENT_ROUNDS) return 'salted'
  const last = recent.find(({ method, state, error }) => method !== 'open' && (ENDED.has(state) || isTooLarge(error)))
  return last?.method === 'timelocked' && last.state !== 'confirmed' ? 'salted' : 'timelocked'
}

/** A row that could not be sealed is salted; after that has gone well a smaller one may be sealed again. */
const isTooLarge = (error: string | null): boolean => error?.startsWith('WEIGHTS_TOO_LARGE') === true

/** Ends that tell how well a method works. */
const ENDED: ReadonlySet<WeightAttempt['state']> = new Set(['confirmed', 'mismatch', 'lost'])
