import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid } from '@arbor/shared/units'
import {
  checkpointBytes,
  checkpointName,
  decodeCheckpoint,
  nextCheckpoint,
} from '@arbor/subnet-spec/finetune/checkpoint'
import type { Checkpoint, Optimiser, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { readUpdate } from '@arbor/subnet-spec/finetune/update'
import type { BlobSource } from '@arbor/training/types'
import type { CheckpointEntry } from '../log/entry.ts'

/** A round that was merged again. */
export interface ReplayedRound {
  readonly round: number
  readonly merged: number
  /** Name of the checkpoint by the log, and as it was made again. */
  readonly logged: Hex
  readonly found: Hex
}

export interface ReplayedHistory {
  /** Where merging began: the newest whole checkpoint at or before the first round, or the spec's model. */
  readonly begun: { readonly round: number; readonly checkpoint: Hex }
  readonly rounds: readonly ReplayedRound[]
  /** Whether every round led to the checkpoint that the log names. */
  readonly equal: boolean
}

export interface ReplayHistoryOf {
  /** Merges as a validator's log tells them, ascending, without gaps. */
  readonly entries: readonly CheckpointEntry[]
  /** First and last round that are merged again. */
  readonly from: number
  readonly to: number
  readonly netuid: NetUid
  readonly spec: Checkpoint['spec']
  readonly limits: TrainingTerms['limits']
  readonly optimiser: Optimiser
  /** Parameters of the model that the spec pins. */
  readonly initial: Float32Array
  /** Files by their name. */
  readonly files: BlobSource
  readonly onRound?: (round: ReplayedRound) => void
}

/**
 * Merges rounds of a training subnet again: fetches a checkpoint and the updates that a log names, each by its name, and compares what comes of them. Ends
 * at the first round that leads elsewhere.
 * @throws TRAINING_REPLAY when the log does not have the rounds, or no checkpoint to begin with can be had; BLOB_UNAVAILABLE, BLOB_MISMATCH
 */
export async function replayHistory(of: ReplayHistoryOf, signal: AbortSignal): Promise<ReplayedHistory> {
  const entries = stretchOf(of)
  const { start, at } = await startOf(of, entries, signal)
  const rounds: ReplayedRound[] = []
  let checkpoint = start
  for (const entry of entries.slice(at)) {
    signal.throwIfAborted()
    checkpoint = await mergeAgain(of, { checkpoint, entry }, signal)
    const { round, merged, checkpoint: logged } = entry
    const replayed = { round, merged: merged.length, logged, found: checkpointName(checkpoint) }
    of.onRound?.(replayed)
    if (round >= of.from || replayed.found !== logged) rounds.push(replayed)
    if (replayed.found !== logged) break
  }
  return {
    begun: { round: start.round, checkpoint: checkpointName(start) },
    rounds,
    equal: rounds.every(({ logged, found }) => logged === found),
  }
}

/** Takes the entries up to the last round; those before the first may be needed to get there. */
function stretchOf({ entries, from, to }: ReplayHistoryOf): readonly CheckpointEntry[] {
  const upTo = entries.filter(({ round }) => round <= to)
  const newest = upTo.at(-1)
  const first = upTo.find(({ round }) => round === from)
  if (newest?.round !== to || first === undefined || from > to)
    throw cannot(
      `the log has no merges of all rounds ${from} to ${to}; it has ${entries[0]?.round ?? 'none'} to ${entries.at(-1)?.round ?? 'none'}`,
    )
  const gap = upTo.findLastIndex((entry, index) => index > 0 && entry.round !== (upTo[index - 1]?.round ?? 0) + 1)
  const whole = upTo.slice(Math.max(0, gap))
  if (whole[0] === undefined || whole[0].round > from)
    throw cannot(
      `the log's validator missed round ${(whole[0]?.round ?? 0) - 1}, so what came before does not lead there; begin after it`,
    )
  return whole
}

/** Finds the newest checkpoint at or before the first round that can be had; the spec's model where the log begins with it. */
async function startOf(
  of: ReplayHistoryOf,
  entries: readonly CheckpointEntry[],
  signal: AbortSignal,
): Promise<{ readonly start: Checkpoint; readonly at: number }> {
  const first = entries.findIndex(({ round }) => round === of.from)
  for (let at = first; at >= 0; at -= 1) {
    const entry = entries[at]
    if (entry === undefined) break
    const name = entry.base ?? entries[at - 1]?.checkpoint ?? null
    const own: Checkpoint = {
      round: entry.round,
      spec: of.spec,
      params: of.initial,
      outer: new Float32Array(of.initial.length),
    }
    if (name === null || checkpointName(own) === name) return { start: own, at }
    const found = await checkpointAt(of, name, signal)
    if (found !== null) return { start: found, at }
  }
  throw cannot(`no whole checkpoint at or before round ${of.from} can be had; begin with a later one`)
}

async function checkpointAt(
  { files, initial, spec }: ReplayHistoryOf,
  name: Hex,
  signal: AbortSignal,
): Promise<Checkpoint | null> {
  try {
    const file = await files.fetch({ name, bytes: checkpointBytes({ size: initial.length, spec }), signal })
    return decodeCheckpoint({ file, size: initial.length, name, spec })
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'BLOB_UNAVAILABLE') return null
    throw error
  }
}

/** Merges what an entry names, as every participant did. */
async function mergeAgain(
  of: ReplayHistoryOf,
  { checkpoint, entry }: { readonly checkpoint: Checkpoint; readonly entry: CheckpointEntry },
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { optimiser, netuid, limits, files } = of
  const { round, base } = entry
  if (base === null) return { ...checkpoint, round: round + 1 }
  const updates: Float32Array[] = []
  for (const { hotkey, name, bytes } of entry.merged) {
    if (bytes > limits.updateBytes) continue // nobody fetches it
    const file = await files.fetch({ name, bytes, signal })
    const expected = { netuid, round, hotkey, base, optimiser: optimiser.kind, size: checkpoint.params.length }
    const vector = readable(() => readUpdate({ file, maxBytes: limits.updateBytes, expected, optimiser }).vector)
    if (vector !== null) updates.push(vector)
  }
  return nextCheckpoint({ checkpoint, optimiser, updates })
}

/** What the votes accepted and is no update is left out by everybody. */
const readable = (read: () => Float32Array): Float32Array | null => {
  try {
    return read()
  } catch (error) {
    if (error instanceof SubnetError && error.code.startsWith('UPDATE_')) return null
    throw error
  }
}

const cannot = (why: string): SubnetError =>
  new SubnetError({ code: 'TRAINING_REPLAY', message: `The history cannot be replayed: ${why}` })
