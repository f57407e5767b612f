import type { Hex, Uid } from '@arbor/shared/units'
import { basePrefix } from './records.ts'
import type { MergeFacts, MergePlan } from './types.ts'

/**
 * Decides what is merged, of finalised facts alone, in whatever order they come:
 * - votes count that are of this round, with stake, of a hotkey that has one;
 * - the base is the one with the most stake behind it, the smallest name of those with equally much, if that is more than a third of all
 *   stake with a permit: fewer decide nothing, and the model stays as it is;
 * - merged are commitments of this round and this base that were not withdrawn, of a uid that has one, and that more than half of the stake
 *   behind the base accepts.
 */
export const mergePlan = (of: { readonly round: number; readonly facts: MergeFacts }): MergePlan => {
  const { round, facts } = of
  const votes = single(facts.votes, ({ hotkey }) => hotkey).filter(
    ({ stake, vote }) => stake > 0n && vote.round === round,
  )
  const base = baseOf(votes)
  if (base === null) return { round, base, merged: [] }
  const behind = votes.filter(({ vote }) => vote.base === base)
  const whole = stakeOf(behind)
  if (3n * whole <= facts.permitStake) return { round, base: null, merged: [] }
  const isAccepted = (uid: Uid): boolean =>
    2n * stakeOf(behind.filter(({ vote }) => vote.accepted.includes(uid))) > whole
  const merged = single(facts.commitments, ({ uid }) => uid)
    .filter(({ commitment }) => commitment.round === round && commitment.bytes > 0)
    .filter(({ commitment }) => commitment.base === basePrefix(base))
    .filter(({ uid }) => isAccepted(uid))
    .toSorted((a, b) => a.uid - b.uid)
  return { round, base, merged }
}

type Votes = MergeFacts['votes']

const stakeOf = (votes: Votes): bigint => votes.reduce((sum, { stake }) => sum + stake, 0n)

/** Finds the base with the most stake. */
const baseOf = (votes: Votes): Hex | null => {
  const stakes = new Map<Hex, bigint>()
  for (const { stake, vote } of votes) stakes.set(vote.base, (stakes.get(vote.base) ?? 0n) + stake)
  let best: Hex | null = null
  for (const base of [...stakes.keys()].sort())
    if (best === null || (stakes.get(base) ?? 0n) > (stakes.get(best) ?? 0n)) best = base
  return best
}

/** Leaves out what has a key that another one has too. */
const single = <T, K>(all: readonly T[], keyOf: (one: T) => K): readonly T[] => {
  const counts = new Map<K, number>()
  for (const one of all) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1)
  return all.filter((one) => counts.get(keyOf(one)) === 1)
}
