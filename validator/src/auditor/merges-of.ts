import type { ChainClient } from '@arbor/chain/client/types'
import type { NetUid } from '@arbor/shared/units'
import { phasesOf } from '@arbor/subnet-spec/finetune/phases'
import type { TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { roundBlocks } from '@arbor/subnet-spec/rounds'
import { readVoted } from '@arbor/training/follow-rounds'
import { isPruned } from '@arbor/training/records'
import type { MergesOf } from './check-checkpoint.ts'
import type { ChainFacts } from './facts.ts'

/** Reads off the chain what it merges in a round, by the states that its commitments and votes count in. */
export const openMerges =
  (of: {
    readonly chain: ChainClient
    readonly netuid: NetUid
    readonly terms: Pick<TrainingTerms, 'phases'>
    readonly roundsPerEpoch: number
    readonly facts: ChainFacts
  }): MergesOf =>
  async (round, votedAt) => {
    const { facts, roundsPerEpoch, terms } = of
    // Nothing is looked at that is not final.
    if (votedAt > facts.head.number) return { votedAt: facts.head.number, plan: 'pruned' }
    const tempo = await facts.tempo(votedAt)
    if (tempo === 'pruned') return { votedAt, plan: 'pruned' }
    const length = roundBlocks({ tempo, roundsPerEpoch })
    const phases = phasesOf({ terms: terms.phases, length, round })
    if (phases.voteBy !== votedAt) return { votedAt: phases.voteBy, plan: 'pruned' }
    try {
      const { plan } = await readVoted(of, phases)
      return { votedAt, plan }
    } catch (error) {
      if (isPruned(error)) return { votedAt, plan: 'pruned' }
      throw error
    }
  }
