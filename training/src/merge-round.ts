import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid } from '@arbor/shared/units'
import {
  checkpointBytes,
  decodeCheckpoint,
  encodeCheckpoint,
  nextCheckpoint,
} from '@arbor/subnet-spec/finetune/checkpoint'
import type { Checkpoint, Optimiser, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { readUpdate } from '@arbor/subnet-spec/finetune/update'
import { fetchInto } from './fetch.ts'
import type { VotedEvent } from './follow-rounds.ts'
import { mismatch } from './pieces.ts'
import type { BlobSource, BlobStore, Committed, Voter } from './types.ts'

/** A checkpoint and its name. */
export interface Held {
  readonly checkpoint: Checkpoint
  readonly hash: Hex
}

export interface MergeDeps {
  readonly netuid: NetUid
  readonly spec: { readonly name: string; readonly training: Pick<TrainingTerms, 'limits'> }
  /** Elements of the model. */
  readonly size: number
  readonly optimiser: Optimiser
  readonly store: BlobStore
  /** Files below an address that a validator gives; null where it is none that may be asked. */
  readonly served: (voter: Voter) => BlobSource | null
  /** Other places of a miner's update. */
  readonly placesOf: (committed: Omit<Committed, 'block'>) => readonly BlobSource[]
  readonly warn: (fields: object, message: string) => void
}

/** What a round's merge came to, and what it was made of. */
export interface MergedRound extends Held {
  /** The checkpoint that was merged into: the one that we held, or the one that the votes name. */
  readonly before: Hex
  /** Names of the updates. */
  readonly updates: readonly Hex[]
}

/**
 * Merges a round as its plan says, into the checkpoint that the votes name. Where that is not the one that is held, it is fetched.
 * @throws BLOB_UNAVAILABLE, BLOB_MISMATCH when a file cannot be had
 */
export async function mergeRound(
  deps: MergeDeps,
  of: { readonly held: Held | null; readonly event: VotedEvent; readonly signal: AbortSignal },
): Promise<MergedRound> {
  const { event, signal } = of
  const { plan, voters } = event
  if (plan.base === null) {
    if (of.held === null) throw new Error('a round without votes follows from the checkpoint that was held')
    return { ...keep(deps, { ...of.held.checkpoint, round: plan.round + 1 }), before: of.held.hash, updates: [] }
  }
  const { base } = plan
  const held = of.held?.hash === base ? of.held : await fetchCheckpoint(deps, { base, event, signal })
  const { round, merged } = plan
  const vectors = await inBatches(merged, (one) => fetchUpdate(deps, { merged: one, base, round, voters, signal }))
  const taken = vectors.filter((vector) => vector !== null)
  const updates = merged.filter((_, index) => vectors[index] !== null).map(({ commitment }) => commitment.name)
  const checkpoint = nextCheckpoint({ checkpoint: held.checkpoint, optimiser: deps.optimiser, updates: taken })
  return { ...keep(deps, checkpoint), before: held.hash, updates }
}

/** Updates fetched at once. */
const AT_ONCE = 4

/** Does some at once, and ends when all of those have: nothing goes on behind a failure. */
async function inBatches<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const done: R[] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const batch = await Promise.allSettled(all.slice(at, at + AT_ONCE).map(work))
    for (const one of batch) {
      if (one.status === 'rejected') throw one.reason
      done.push(one.value)
    }
  }
  return done
}

/** Writes a checkpoint to the disk, and names it. */
export const keep = ({ store }: Pick<MergeDeps, 'store'>, checkpoint: Checkpoint): Held => ({
  checkpoint,
  hash: store.write(encodeCheckpoint(checkpoint)),
})

/** Fetches the checkpoint that a round's votes name from those who named it. @throws BLOB_UNAVAILABLE, BLOB_MISMATCH */
export async function fetchCheckpoint(
  deps: MergeDeps,
  of: { readonly base: Hex; readonly event: VotedEvent; readonly signal: AbortSignal },
): Promise<Held> {
  const { base, event, signal } = of
  const { size, spec, store } = deps
  const sources = servedBy(deps, event.voters, (voter) => voter.vote.base === base, event.phases.round)
  const file = await fetchInto(store, { name: base, bytes: checkpointBytes({ size, spec }), sources, signal })
  const checkpoint = readCheckpoint(file, size)
  if (checkpoint?.round === event.phases.round) return { checkpoint, hash: base }
  throw mismatch(base, `it is no checkpoint of round ${event.phases.round} for ${size} numbers`)
}

/** Reads a checkpoint; null where the bytes are none of a model of that size. */
export const readCheckpoint = (file: Uint8Array, size: number): Checkpoint | null => {
  try {
    return decodeCheckpoint({ file, size })
  } catch (error) {
    if (error instanceof SubnetError && error.code.startsWith('CHECKPOINT_')) return null
    throw error
  }
}

/** Fetches an update; null where what the votes accepted is none: every participant sees the same bytes, and leaves it out. */
async function fetchUpdate(
  deps: MergeDeps,
  of: {
    readonly merged: VotedEvent['plan']['merged'][number]
    readonly base: Hex
    readonly round: number
    readonly voters: readonly Voter[]
    readonly signal: AbortSignal
  },
): Promise<Float32Array | null> {
  const { merged, base, round, voters, signal } = of
  const { uid, hotkey, commitment } = merged
  const { netuid, optimiser, size, spec, store } = deps
  const maxBytes = spec.training.limits.updateBytes
  const refuse = (why: string): null => {
    deps.warn({ event: 'training.malformed', round, uid, hotkey, why }, `an update that was voted for is none: ${why}`)
    return null
  }
  if (commitment.bytes > maxBytes) return refuse(`it has ${commitment.bytes} bytes, and ${maxBytes} are allowed`)
  const accepted = ({ vote }: Voter): boolean => vote.base === base && vote.accepted.includes(uid)
  const sources = [...servedBy(deps, voters, accepted, uid), ...deps.placesOf(merged)]
  const file = await fetchInto(store, { name: commitment.name, bytes: commitment.bytes, sources, signal })
  try {
    const expected = { netuid, round, hotkey, base, optimiser: optimiser.kind, size }
    return readUpdate({ file, maxBytes, expected, optimiser }).vector
  } catch (error) {
    if (error instanceof SubnetError && error.code.startsWith('UPDATE_')) return refuse(error.message)
    throw error
  }
}

/** Gives the servers of those who hold a file, beginning with another one for each file, so that not all ask the same. */
const servedBy = (
  { served }: Pick<MergeDeps, 'served'>,
  voters: readonly Voter[],
  holds: (voter: Voter) => boolean,
  turn: number,
): readonly BlobSource[] => {
  const sources = voters.filter(holds).flatMap((voter) => served(voter) ?? [])
  const first = sources.length === 0 ? 0 : turn % sources.length
  return [...sources.slice(first), ...sources.slice(0, first)]
}
