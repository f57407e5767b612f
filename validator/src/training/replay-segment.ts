import type { LocalState } from '@arbor/engine/train/types'
import { blobName } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { areFinite, bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import type { Hex } from '@arbor/shared/units'
import { passesOf, progressOf } from '@arbor/subnet-spec/finetune/attacks/perform'
import { replayDistance } from '@arbor/subnet-spec/finetune/replay-distance'
import { boundaryStep, readState, STATE_BYTES, type StateNames } from '@arbor/subnet-spec/finetune/states'
import type { Optimiser, ReplayOutcome, TrainingTerms, Update } from '@arbor/subnet-spec/finetune/types'
import { fetchPiece } from '@arbor/training/pieces'
import type { AskPiece, Committed } from '@arbor/training/types'
import type { TrainingEngine } from './engine.ts'
import { type FetchDeps, fetchFile } from './fetch-updates.ts'
import type { KnownHead } from './ledger.ts'

export interface ReplayDeps extends FetchDeps {
  readonly engine: TrainingEngine
  readonly optimiser: Optimiser
  readonly terms: Pick<TrainingTerms, 'local' | 'gauntlet'>
  /** Asks a miner's axon for a piece. */
  readonly askPieceOf: (committed: Committed) => AskPiece
}

/** Parts of states that nobody has to send. */
export interface KnownParts {
  readonly params: Hex
  readonly zeros: Hex
}

/** Names the parts that are known before a round is looked at. */
export const knownParts = (params: Float32Array): KnownParts => ({
  params: nameOf(params),
  zeros: nameOf(new Float32Array(params.length)),
})

/** What of a miner's round is looked at. */
export interface ToReplay {
  readonly from: Committed
  readonly update: Update
  readonly segment: number
  /** Parameters that the round began with. */
  readonly params: Float32Array
  /** Names of those parameters, and of as many zeros. */
  readonly known: KnownParts
  /** What its last update said; null where none is known. */
  readonly last: KnownHead | null
  /** Parameters of the checkpoint that its last round began with; null where they are not kept. */
  readonly paramsBefore: (base: Hex) => Float32Array | null
}

/** The states of a stretch, as far as they have to be fetched to replay it. */
export type Disclosed =
  | { readonly kind: 'disclosed'; readonly rows: readonly [StateNames, StateNames]; readonly start: Parts }
  | { readonly kind: 'withheld'; readonly reason: string }
  /** They were not whole in time; whose fault that is shows when others' came. */
  | { readonly kind: 'late' }

interface Parts {
  readonly params: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
  readonly carried: Float32Array | null
}

/**
 * Fetches the state at which a stretch begins, and what the miner committed to for its end. The first state has to be the checkpoint, with
 * the optimiser's state that the miner's last update ended with, or zeros.
 */
export async function discloseStates(deps: ReplayDeps, of: ToReplay, signal: AbortSignal): Promise<Disclosed> {
  const { update, segment } = of
  const isCompression = segment === deps.terms.gauntlet.segments
  try {
    const begin = await rowOf(deps, of, update.head.states, segment, signal)
    const end = isCompression ? begin : await rowOf(deps, of, update.head.states, segment + 1, signal)
    const wrong =
      checkRows(deps, of, begin, end) ?? (segment === 0 ? await checkContinuity(deps, of, begin, signal) : null)
    if (wrong !== null) return { kind: 'withheld', reason: wrong }
    const part = (name: Hex): Promise<Float32Array> => partOf(deps, of, name, signal)
    // What is compressed are the last parameters and what was carried, or the sums of gradients where parameters stand still.
    const needsMoments = !isCompression || deps.optimiser.local === 'gradient'
    const zeros = new Float32Array(0)
    const start: Parts = {
      params: await part(begin.params),
      first: needsMoments ? await part(begin.first) : zeros,
      second: isCompression ? zeros : await part(begin.second),
      carried: isCompression ? await part(begin.carried) : null,
    }
    return { kind: 'disclosed', rows: [begin, end], start }
  } catch (error) {
    if (signal.aborted) return { kind: 'late' }
    if (error instanceof Withheld) return { kind: 'withheld', reason: error.message }
    if (!(error instanceof SubnetError)) throw error
    return { kind: 'withheld', reason: error.code }
  }
}

/** Says why something of a state is not there. */
class Withheld extends Error {}

async function rowOf(
  deps: ReplayDeps,
  of: ToReplay,
  root: Hex,
  index: number,
  signal: AbortSignal,
): Promise<StateNames> {
  const size = deps.terms.gauntlet.segments + 1
  const ask = deps.askPieceOf(of.from)
  const bytes = await fetchPiece({ ask, name: root, index, size, length: STATE_BYTES, signal })
  const row = readState(bytes)
  if (row === null) throw new Withheld(`state ${index} is none`)
  return row
}

/** Expects of the rows what their places say. */
function checkRows({ terms, optimiser }: ReplayDeps, of: ToReplay, begin: StateNames, end: StateNames): string | null {
  const { segments } = terms.gauntlet
  const stepAt = (index: number): number => boundaryStep({ steps: terms.local.steps, segments, index })
  const last = Math.min(of.segment + 1, segments)
  if (begin.step !== stepAt(of.segment) || end.step !== stepAt(last)) return 'its states are of other steps'
  if (end.steps - begin.steps !== end.step - begin.step) return 'its moments are of other steps'
  if (begin.carried !== end.carried) return 'what it carried changed on the way'
  if (of.segment > 0 && optimiser.local === 'steps') return null
  return begin.params === of.known.params ? null : 'its first state is not the checkpoint'
}

const nameOf = (values: Float32Array): Hex => blobName(floatsToBytes(values))

/** Holds the state that a round begins with to the one that the miner's last update ended with. */
async function checkContinuity(
  deps: ReplayDeps,
  of: ToReplay,
  begin: StateNames,
  signal: AbortSignal,
): Promise<string | null> {
  const { zeros } = of.known
  const isFresh = begin.first === zeros && begin.second === zeros && begin.carried === zeros
  const { last } = of
  if (isFresh || last === null) return null // a miner may begin anew, and of one that we do not know nothing is said
  const { segments } = deps.terms.gauntlet
  let ended: StateNames
  try {
    ended = await rowOf(deps, of, last.states, segments, signal)
  } catch (error) {
    // Two rounds of states are kept by a miner, no more.
    if (error instanceof SubnetError && last.round < of.update.head.round - 1) return null
    throw error
  }
  const keepsMoments = deps.optimiser.local === 'steps'
  const expected = keepsMoments ? [ended.first, ended.second, ended.steps] : [zeros, ended.second, begin.steps]
  if (JSON.stringify(expected) !== JSON.stringify([begin.first, begin.second, begin.steps]))
    return 'its moments are not those that its last update ended with'
  const before = of.paramsBefore(last.base)
  if (before === null || begin.carried === zeros) return null
  const part = (name: Hex): Promise<Float32Array> => partOf(deps, of, name, signal)
  const first = keepsMoments ? new Float32Array(0) : await part(ended.first)
  const [params, carried] = [await part(ended.params), await part(ended.carried)]
  const progress = progressFrom(deps, { start: before, params, first })
  return nameOf(deps.optimiser.encode({ progress, carried }).carried) === begin.carried
    ? null
    : 'what it carried is not what its last update left'
}

const progressFrom = (
  { optimiser, terms }: ReplayDeps,
  of: { readonly start: Float32Array; readonly params: Float32Array; readonly first: Float32Array },
): Float32Array => {
  const moments = { first: of.first, second: of.first, steps: 0 }
  const passes = passesOf({ local: terms.local })
  return progressOf({ optimiser, start: of.start, end: { params: of.params, moments }, passes })
}

/** Takes one part of a state: what is known by its name is not asked for. */
async function partOf(deps: ReplayDeps, of: ToReplay, name: Hex, signal: AbortSignal): Promise<Float32Array> {
  const { length } = of.params
  if (name === of.known.params) return of.params
  if (name === of.known.zeros) return new Float32Array(length)
  const found = await fetchFile(deps, { from: of.from, name, bytes: 4 * length }, signal)
  if (found.kind === 'unavailable') throw new Withheld(found.why.slice(0, 200))
  const values = bytesToFloats(found.bytes)
  if (!areFinite(values)) throw new Withheld('a state holds numbers that are not finite')
  return values
}

/**
 * Does a stretch of a miner's round again.
 * @returns null where it could not be done for a reason of ours
 */
export async function replayDisclosed(
  deps: ReplayDeps,
  of: ToReplay & { readonly startsOf: (pass: number) => readonly number[] },
  { rows, start }: Extract<Disclosed, { kind: 'disclosed' }>,
  signal: AbortSignal,
): Promise<ReplayOutcome | null> {
  const { tolerance, segments } = deps.terms.gauntlet
  const outcome = (distance: number): ReplayOutcome => ({
    kind: distance <= tolerance ? 'held' : 'differs',
    distance: Number.isFinite(distance) ? distance : Number.MAX_VALUE,
  })
  if (of.segment === segments) return outcome(compressedDistance(deps, of, start))
  const [begin, end] = rows
  const moments = { first: start.first, second: start.second, steps: begin.steps }
  const from: LocalState = { step: begin.step, params: start.params, moments }
  const reached = await deps.engine.train({ start: from, to: end.step, startsOf: of.startsOf }, signal)
  const { first, second } = reached.moments
  const parts = [
    { name: end.params, start: start.params, replayed: reached.params },
    { name: end.first, start: start.first, replayed: first },
    { name: end.second, start: start.second, replayed: second },
  ]
  // On one kind of processor the bits are the same, and nothing more has to be fetched.
  const others = parts.filter(({ name, replayed }) => nameOf(replayed) !== name)
  try {
    const claimed = await Promise.all(others.map(({ name }) => partOf(deps, of, name, signal)))
    return outcome(
      replayDistance(others.map((part, index) => ({ ...part, claimed: claimed[index] ?? new Float32Array(0) }))),
    )
  } catch (error) {
    if (signal.aborted) return null // our own time was up
    if (error instanceof Withheld) return { kind: 'withheld', reason: error.message }
    throw error
  }
}

/** Compresses the end of a round again: what comes of it has to be the update. */
function compressedDistance(deps: ReplayDeps, of: ToReplay, { params, first, carried }: Parts): number {
  if (carried === null) return Number.POSITIVE_INFINITY
  const progress = progressFrom(deps, { start: of.params, params, first })
  let found: Float32Array
  try {
    const { payload } = deps.optimiser.encode({ progress, carried })
    if (Buffer.from(payload).equals(of.update.payload)) return 0
    found = deps.optimiser.decode(payload)
  } catch (error) {
    if (error instanceof SubnetError) return Number.POSITIVE_INFINITY // numbers that no training leads to
    throw error
  }
  const claimed = deps.optimiser.decode(of.update.payload)
  return replayDistance([{ start: new Float32Array(found.length), claimed, replayed: found }])
}
