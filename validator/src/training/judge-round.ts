import { setImmediate } from 'node:timers/promises'
import type { BlockRef } from '@arbor/chain/client/types'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Block, Hex, Ms, NetUid } from '@arbor/shared/units'
import { commonNorm, controlsOf } from '@arbor/subnet-spec/finetune/gauntlet'
import { measuredPasses, replayOf, unseenSeed } from '@arbor/subnet-spec/finetune/seeds'
import type { Measured, Phases, TrainingTerms, Update } from '@arbor/subnet-spec/finetune/types'
import { assignedWindows, unseenWindows } from '@arbor/subnet-spec/finetune/windows'
import { choicesFrom, taskSeed } from '@arbor/subnet-spec/seed'
import type { Committed } from '@arbor/training/types'
import { startBlockDeadline } from './block-deadline.ts'
import type { Batch } from './engine.ts'
import { eachAtOnce, FETCHED_AT_ONCE, fetchFile } from './fetch-updates.ts'
import type { JudgedUpdate } from './judged-update.ts'
import type { TrainingLedger } from './ledger.ts'
import { likenessOf, measureUpdate, type ReadUpdate, relativeNorm, type UnseenBefore } from './measure.ts'
import { faultOfCommitment, readFetched } from './read-fetched.ts'
import {
  type Disclosed,
  discloseStates,
  type KnownParts,
  knownParts,
  type ReplayDeps,
  replayDisclosed,
  type ToReplay,
} from './replay-segment.ts'

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

export interface JudgedRound {
  readonly judged: readonly JudgedUpdate[]
  /** Norm that all were brought to; 0 where nothing was measured. */
  readonly norm: number
}

interface Fetching extends ReadUpdate {
  readonly committed: Committed
  readonly update: Update
  /** Null where the miner's round is not replayed. */
  readonly disclosed: Promise<Disclosed> | null
  readonly segment: number
}

/** Block at which judging ends: a vote has to be in the state of `voteBy`, and the block that takes it is made while others work, too. */
export const judgedBy = ({ publishBy, voteBy }: Pick<Phases, 'publishBy' | 'voteBy'>): Block => {
  const span = voteBy - publishBy
  return (voteBy - (span < 4 ? 1 : Math.max(2, Math.floor(span / 8)))) as Block
}

/** Shares of the time for judging by which files, and states, have to be whole. */
const FILES_SHARE = 0.4
const STATES_SHARE = 0.7

/**
 * Judges a round's updates as far as there is time: fetches and reads them, measures each, and does the drawn stretches again. What a miner did not
 * deliver in time is its fault where others' came; what we did not get to is said of nobody. Each is kept as soon as it is judged.
 */
export async function judgeRound(deps: JudgeRoundDeps, of: RoundToJudge, signal: AbortSignal): Promise<JudgedRound> {
  const { ledger, chain, clock, log } = deps
  const end = judgedBy(of.phases)
  const leftMs = Math.max(0, end - (await chain.best()).number) * deps.blockMs
  using over = startBlockDeadline({ chain, at: end, parent: signal })
  const by = (share: number) =>
    startDeadline({
      clock,
      ms: (share * leftMs) as Ms,
      parent: over.signal,
      reason: () => new Error('its time is over'),
    })
  using filesBy = by(FILES_SHARE)
  using statesBy = by(STATES_SHARE)
  const known = new Map(ledger.judgedUpdates(of.phases.start).map((judged) => [judged.uid, judged]))
  const keep = (judged: JudgedUpdate): void => {
    if (known.has(judged.uid)) return
    ledger.keepJudged(of.phases.start, judged)
    known.set(judged.uid, judged)
  }
  const data = dataOf(deps, of)
  const before = deps.engine.losses({ params: of.params, batches: data.unseen }, over.signal)
  before.catch(() => undefined) // heard below, or not needed
  const read = await fetchAll(
    deps,
    { ...of, known, keep, parts: data.parts },
    { files: filesBy.signal, states: statesBy.signal },
  )
  signal.throwIfAborted()
  const norm = commonNorm(read.map(({ vector }) => vector))
  const compared = await compareAll(of, read, norm)
  try {
    const about = { ...of, read: compared, common: norm, keep, known, unseenBefore: await before, data }
    await measureAll(deps, about, over.signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!over.isOver()) throw error
  }
  const left = of.committed.filter(({ uid }) => !known.has(uid)).length
  if (left > 0)
    log.warn(
      { event: 'training.late', round: of.phases.round, left },
      `no time was left to judge ${left} updates of round ${of.phases.round}; nothing is said of them`,
    )
  return { judged: [...known.values()].sort((a, b) => a.uid - b.uid), norm }
}

/** Says on which data a round's updates are measured. */
const dataOf = ({ engine, netuid, terms }: JudgeRoundDeps, { start, published, phases, params }: RoundToJudge) => {
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

const asBatch = (starts: readonly number[]): Batch => ({ stream: 'train', starts })

type Kept = {
  readonly known: ReadonlyMap<number, JudgedUpdate>
  readonly keep: (judged: JudgedUpdate) => void
}

/** Fetches and reads what was committed, a few at once; faults are kept at once, and drawn states are asked for as soon as an update is read. */
async function fetchAll(
  deps: JudgeRoundDeps,
  of: RoundToJudge & Kept & { readonly parts: KnownParts },
  until: { readonly files: AbortSignal; readonly states: AbortSignal },
): Promise<readonly Fetching[]> {
  const { netuid, optimiser, terms, ledger } = deps
  const round = {
    netuid,
    round: of.phases.round,
    base: of.base,
    size: of.params.length,
    optimiser,
    limits: terms.limits,
  }
  const read: Fetching[] = []
  const late: (() => void)[] = []
  await eachAtOnce(of.committed, FETCHED_AT_ONCE, async (committed) => {
    const { uid, hotkey, commitment } = committed
    const { name, bytes } = commitment
    const fail = (fault: NonNullable<JudgedUpdate['fault']>): void =>
      of.keep({ uid, hotkey, update: { name, bytes }, fault, measured: null, checkMs: 0 })
    if ((of.known.get(uid)?.fault ?? null) !== null) return
    const wrong = faultOfCommitment(committed, round)
    if (wrong !== null) return fail(wrong)
    const file = await fetchFile(deps, { from: committed, name, bytes }, until.files)
    if (file.kind === 'unavailable' && until.files.aborted) {
      late.push(() => fail('unavailable'))
      return
    }
    if (file.kind === 'unavailable') {
      deps.log.debug(
        { event: 'training.unavailable', uid, why: file.why },
        `the update of uid ${uid} is not to be had: ${file.why}`,
      )
      return fail('unavailable')
    }
    const found = readFetched(file.bytes, committed, round)
    if (found.kind === 'fault') return fail(found.reason)
    const { update, vector } = found
    const drawn = replayOf({ blockHash: of.published.hash, netuid, round: round.round, hotkey, terms: terms.gauntlet })
    const last = ledger.headOf(hotkey)
    const segment = drawn?.segment ?? 0
    const toReplay = {
      known: of.parts,
      from: committed,
      update,
      segment,
      params: of.params,
      last: last?.round === round.round ? null : last,
    }
    const isNeeded = drawn !== null && !of.known.has(uid)
    const disclosed = isNeeded
      ? discloseStates(deps, { ...toReplay, paramsBefore: deps.paramsBefore }, until.states)
      : null
    disclosed?.catch(() => undefined) // heard when its turn comes
    // Of two in one block the lower uid counts as the first.
    read.push({ committed, hotkey, update, vector, order: committed.block * 65_536 + uid, disclosed, segment })
  })
  // Where fewer came than did not, it is our line that is slow, or this machine.
  if (late.length <= read.length) for (const say of late) say()
  return read
}

/** What of an update is known without the model. */
interface Compared extends Fetching {
  readonly norm: number
  readonly likeness: Measured['likeness']
}

/** Compares a round's updates with one another: their lengths, and which came of which. */
async function compareAll(of: RoundToJudge, read: readonly Fetching[], common: number): Promise<readonly Compared[]> {
  const compared: Compared[] = []
  for (const one of read) {
    const likeness = likenessOf(one, { all: read, previous: of.previous })
    compared.push({ ...one, norm: relativeNorm(one.vector, common), likeness })
    await setImmediate() // each of them is compared with all others
  }
  return compared
}

/** Measures what was read, then does the drawn stretches again; all in an order that the round's block draws, so that nobody chooses to be last. */
async function measureAll(
  deps: JudgeRoundDeps,
  of: RoundToJudge &
    Kept & {
      readonly read: readonly Compared[]
      readonly common: number
      readonly unseenBefore: UnseenBefore
      readonly data: ReturnType<typeof dataOf>
    },
  signal: AbortSignal,
): Promise<void> {
  const { clock, netuid, terms } = deps
  const { data, params, unseenBefore, read } = of
  const vectors = new Map(read.map(({ hotkey, vector }) => [hotkey, vector]))
  const due = shuffled(read, data.seed).filter(({ committed }) => !of.known.has(committed.uid))
  type Losses = Awaited<ReturnType<typeof measureUpdate>>
  const measured: { readonly one: Compared; readonly losses: Losses; readonly ms: number }[] = []
  try {
    for (const one of due) {
      const began = clock.monotonic()
      const { hotkey, vector } = one
      const seed = taskSeed({ blockHash: of.published.hash, netuid, round: of.phases.round, hotkey })
      const controls = controlsOf({ hotkey, among: read, terms: terms.gauntlet, seed }).flatMap(
        (other) => vectors.get(other) ?? [],
      )
      const assigned = data.assignedTo(one.committed)
      const about = { params, vector, norm: of.common, controls, assigned, unseen: data.unseen, unseenBefore }
      const losses = await measureUpdate(deps, about, signal)
      measured.push({ one, losses, ms: clock.monotonic() - began })
    }
  } finally {
    // What was measured before time was up counts, replayed or not.
    const shown = await Promise.all(measured.map(({ one }) => one.disclosed))
    const late = shown.filter((states) => states?.kind === 'late').length
    const isOurs = 2 * late > shown.filter((states) => states !== null).length
    for (const [index, { one, losses, ms }] of measured.entries()) {
      const began = clock.monotonic()
      const states = shown[index] ?? null
      const replay =
        losses === null ? null : await replayOne(deps, { ...of, one, states, isOurs, parts: of.data.parts }, signal)
      const { norm, likeness } = one
      const { uid, hotkey, commitment } = one.committed
      const { name, bytes } = commitment
      const judged = losses === null ? NOT_FINITE : { fault: null, measured: { norm, ...losses, likeness, replay } }
      of.keep({ uid, hotkey, update: { name, bytes }, ...judged, checkMs: ms + clock.monotonic() - began })
      deps.ledger.keepHead(hotkey, headFrom(one.update))
    }
  }
}

const NOT_FINITE = { fault: 'not-finite', measured: null } as const

const headFrom = ({ head: { round, base, states } }: Update) => ({ round, base, states })

async function replayOne(
  deps: JudgeRoundDeps,
  of: {
    readonly one: Fetching
    readonly states: Disclosed | null
    /** Whether it is our fault that states came late. */
    readonly isOurs: boolean
    readonly params: Float32Array
    readonly parts: KnownParts
    readonly data: ReturnType<typeof dataOf>
  },
  signal: AbortSignal,
): Promise<Measured['replay']> {
  const { committed, update, segment } = of.one
  const { states: found } = of
  if (found === null || (found.kind === 'late' && of.isOurs)) return null
  if (found.kind === 'late') return { kind: 'withheld', reason: 'its states were not whole in time' }
  if (found.kind === 'withheld') return found
  const { paramsBefore } = deps
  const about = { from: committed, update, segment, params: of.params, last: null, paramsBefore }
  const toReplay: ToReplay = { ...about, known: of.parts }
  try {
    return await replayDisclosed(deps, { ...toReplay, startsOf: of.data.startsOf(committed.uid) }, found, signal)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    deps.log.warn(
      { event: 'training.not-replayed', uid: committed.uid, why },
      `uid ${committed.uid} was not replayed: ${why}`,
    )
    return null
  }
}

const shuffled = <T extends { readonly committed: Committed }>(items: readonly T[], seed: Hex): readonly T[] => {
  const choices = choicesFrom({ seed, label: 'judged' })
  const left = items.toSorted((a, b) => a.committed.uid - b.committed.uid)
  const drawn: T[] = []
  while (left.length > 0) drawn.push(...left.splice(choices.below(left.length), 1))
  return drawn
}
