import type { Block } from '@arbor/shared/units'
import type { MergePlan } from '@arbor/subnet-spec/finetune/types'
import type { CheckpointEntry } from '../log/entry.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** What the chain says of a round's merge; `pruned` where the state of then is gone. */
export interface MergeAt {
  /** Last block whose state held votes that counted. */
  readonly votedAt: Block
  readonly plan: MergePlan | 'pruned'
}

/** Tells what the chain's votes and commitments make of a round; null where the subnet trains no model. */
export type MergesOf = (round: number, votedAt: Block) => Promise<MergeAt | null>

/** Holds checkpoints of a log to the chain's votes, and each to the one before. */
export interface CheckpointChecks {
  check(placed: Placed<CheckpointEntry>): Promise<Mismatch | null>
  /** Checkpoints whose merge is the log's word, since the chain has no state of then. */
  byWord(): number
}

/**
 * Opens the checks of one stretch of log. What is merged follows from the chain; that the merge led to the name that is told is seen by
 * merging again (`arbor finetune replay`).
 * @param mergesOf absent where the subnet trains no model
 */
export function openCheckpoints(mergesOf: MergesOf | undefined): CheckpointChecks {
  let last: CheckpointEntry | null = null
  let byWord = 0
  const follows = (placed: Placed<CheckpointEntry>, before: CheckpointEntry | null): Mismatch | null => {
    const { round, base } = placed.entry
    if (before === null) return null
    if (round <= before.round)
      return mismatchOf(placed, 'a merge of a later round', { expected: `after ${before.round}`, found: round })
    // Who missed a round caught up with what others made of it.
    if (round > before.round + 1 || base === null || base === before.checkpoint) return null
    return mismatchOf(placed, 'the checkpoint that the round before led to', {
      expected: before.checkpoint,
      found: base,
    })
  }
  return {
    check: async (placed) => {
      const { entry } = placed
      const broken = follows(placed, last)
      last = entry
      if (broken !== null) return broken
      const due = (await mergesOf?.(entry.round, entry.votedAt)) ?? null
      if (due === null)
        return mismatchOf(placed, 'a subnet that trains a model', { expected: null, found: entry.round })
      if (due.votedAt !== entry.votedAt)
        return mismatchOf(placed, 'the block by which votes counted', { expected: due.votedAt, found: entry.votedAt })
      if (due.plan === 'pruned') {
        byWord += 1
        return null
      }
      return checkPlan(placed, due.plan)
    },
    byWord: () => byWord,
  }
}

function checkPlan(placed: Placed<CheckpointEntry>, plan: MergePlan): Mismatch | null {
  const { base, merged } = placed.entry
  const expected = { base: plan.base, merged: mergedOf(plan) }
  return JSON.stringify(expected) === JSON.stringify({ base, merged: merged.map(ordered) })
    ? null
    : mismatchOf(placed, "what the chain's votes merge", { expected, found: { base, merged } })
}

/** Takes of a plan what a checkpoint's entry tells. */
export const mergedOf = ({ merged }: MergePlan): CheckpointEntry['merged'] =>
  merged.map(({ uid, hotkey, commitment: { name, bytes } }) => ({ uid, hotkey, name, bytes }))

const ordered = ({ uid, hotkey, name, bytes }: CheckpointEntry['merged'][number]) => ({ uid, hotkey, name, bytes })
