import type { BlockRef } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import type { Hex, NetUid } from '@arbor/shared/units'
import { measuredPasses, unseenSeed } from '@arbor/subnet-spec/finetune/seeds'
import type { Phases, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { assignedWindows, unseenWindows } from '@arbor/subnet-spec/finetune/windows'
import type { Committed } from '@arbor/training/types'
import type { startBlockDeadline } from './block-deadline.ts'
import type { Batch } from './engine.ts'
import type { JudgedUpdate } from './judged-update.ts'
import type { TrainingLedger } from './ledger.ts'
import type { ReadUpdate } from './measure.ts'
import { knownParts, type ReplayDeps } from './replay-segment.ts'

export interface JudgeRoundDeps extends ReplayDeps {
  readonly chain: Parameters<typeof startBlockDeadline>[0]['chain']
  readonly netuid: NetUid
  readonly terms: TrainingTerms
  readonly ledger: Pick<TrainingLedger, 'keepJudged' | 'judgedUpdates' | 'headOf' | 'keepHead'>
  readonly clock: Clock
  readonly paramsBefore: (base: Hex) => Float32Array | null
  /** Milliseconds between two blocks, about. */
  readonly blockMs: number
}

/** What is judged, by which blocks and from which checkpoint. */
export interface RoundToJudge {
  readonly phases: Phases
  readonly start: BlockRef
  /** Last block whose state could hold a commitment. */
  readonly published: BlockRef
  readonly committed: readonly Committed[]
  readonly params: Float32Array
  readonly base: Hex
  /** Updates that the last round merged, as far as they are held. */
  readonly previous: readonly Pick<ReadUpdate, 'hotkey' | 'vector'>[]
}

/** What is known of a round's updates so far; each is kept as soon as it is judged. */
export type Kept = {
  readonly known: ReadonlyMap<number, JudgedUpdate>
  readonly keep: (judged: JudgedUpdate) => void
}

/** Says on which data a round's updates are measured. */
export const dataOf = (
  { engine, netuid, terms }: JudgeRoundDeps,
  { start, published, phases, params }: RoundToJudge,
) => {
  const { local, gauntlet } = terms
  const tokens = engine.tokens.train
  const seed = unseenSeed({ blockHash: published.hash, netuid, round: phases.round })
  const startsOf = (uid: Committed['uid']) =>
    assignedWindows({ blockHash: start.hash, netuid, round: phases.round, uid, tokens, local })
  return {
    seed,
    startsOf,
    parts: knownParts(params),
    unseen: unseenWindows({ seed, tokens, batches: gauntlet.batches, local }).map(asBatch),
    assignedTo: ({ uid, hotkey }: Committed): readonly Batch[] => {
      const of = { blockHash: published.hash, netuid, round: phases.round, hotkey }
      const passes = measuredPasses({ ...of, passes: local.steps * local.accumulate, batches: gauntlet.batches })
      return passes.map(startsOf(uid)).map(asBatch)
    },
  }
}

export type RoundData = ReturnType<typeof dataOf>

const asBatch = (starts: readonly number[]): Batch => ({ stream: 'train', starts })
