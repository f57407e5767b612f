import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import type { Ss58 } from '@arbor/shared/units'
import type { Committed } from '@arbor/training/types'
import { minersOf, type Route } from '../plan.ts'
import { type Registration, registrationOf } from '../scores.ts'

/** A miner of a round, and what it committed to; null where that is nothing. */
export interface Candidate extends Registration {
  readonly committed: Committed | null
}

/**
 * Lists whom a round judges: who serves at its start, and who committed an update as the one that held the uid then. Who registered since begins
 * with the next round.
 * @param of.metagraph the subnet at the round's start
 */
export function candidatesOf(of: {
  readonly metagraph: Metagraph
  readonly self: Ss58
  readonly commitments: readonly Committed[]
  readonly route?: Route | undefined
}): readonly Candidate[] {
  const committedBy = new Map(of.commitments.map((committed) => [committed.hotkey, committed]))
  const serving = new Set(minersOf(of).map(({ hotkey }) => hotkey))
  const committedOf = ({ hotkey, uid }: Neuron): Committed | null => {
    const found = committedBy.get(hotkey)
    // Nothing of an update that was withdrawn is there.
    return found === undefined || found.uid !== uid || found.commitment.bytes === 0 ? null : found
  }
  return of.metagraph.neurons.flatMap((neuron): Candidate[] => {
    const committed = neuron.hotkey === of.self ? null : committedOf(neuron)
    if (committed === null && !serving.has(neuron.hotkey)) return []
    return [{ ...registrationOf(neuron), committed }]
  })
}
