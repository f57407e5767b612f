import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Blocks, Hex, Ms, NetUid } from '@arbor/shared/units'
import { checkpointBytes } from '@arbor/subnet-spec/finetune/checkpoint'
import { phasesOf } from '@arbor/subnet-spec/finetune/phases'
import type { Optimiser, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { type CatchUpDeps, catchUp, lastVotes, relabel } from './catch-up.ts'
import { isOfBlob } from './fetch.ts'
import { type FollowDeps, followRounds, type VotedEvent } from './follow-rounds.ts'
import { type Held, mergeRound, readCheckpoint } from './merge-round.ts'
import type { Pace } from './pace.ts'
import { patiently } from './patience.ts'
import { forgetPartials } from './pieces.ts'
import { openProgress, type Progress } from './progress.ts'
import { isPruned } from './records.ts'
import { httpSource } from './sources/http.ts'
import type { BlobSource, BlobStore, Committed, Merged, Participant } from './types.ts'

export interface ParticipantDeps {
  readonly chain: FollowDeps['chain']
  readonly netuid: NetUid
  readonly spec: {
    readonly name: string
    readonly version: number
    readonly roundsPerEpoch: number
    readonly training: TrainingTerms
  }
  /** Blocks of a round, by the subnet's tempo: `roundBlocks`. */
  readonly length: Blocks
  /** Elements of the model. */
  readonly size: number
  readonly optimiser: Optimiser
  /** Parameters of the model that the spec pins, which training begins with. */
  readonly genesis: () => Float32Array
  readonly store: BlobStore
  /** Where it is noted how far we are, and what was begun of files. */
  readonly folder: string
  readonly privateAllowed: boolean
  readonly clock: Clock
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
  /** Other places of a miner's update: its axon. Its URL is asked in any case. */
  readonly sourcesOf?: (committed: Omit<Committed, 'block'>) => readonly BlobSource[]
  /** Gives the files that are served below an address; over HTTP where absent. */
  readonly serverOf?: (url: string) => BlobSource
  /** Files of the same store that somebody else in the process needs. */
  readonly alsoKeep?: () => ReadonlySet<Hex>
  /** Bytes of files up to which those stay that nobody needs; 128 MiB, or sixteen checkpoints if that is more, where absent. */
  readonly storeBytes?: number
  readonly pace?: Pace
}

/** What nobody needs stays for a while: who is behind, or looks at the history, may ask for it. */
const storeBytesOf = ({ size, spec }: Pick<ParticipantDeps, 'size' | 'spec'>): number =>
  Math.max(2 ** 27, 16 * checkpointBytes({ size, spec }))
/** Folder of what was begun. */
const PARTIAL = 'partial'
/** Between two tries to get what a merge needs. */
const RETRY_MS = 1_000 as Ms
/** Longest wait between two tries to begin, in as many. */
const MOST_PATIENCE = 16
/** Rounds behind which the newest checkpoint is fetched rather than merge after merge done. */
const MOST_BEHIND = 2

/** Creates what keeps the model at the newest merge. */
export function createParticipant(deps: ParticipantDeps): Participant {
  mkdirSync(deps.folder, { recursive: true, mode: 0o700 })
  const progress = openProgress({ folder: deps.folder, every: deps.spec.training.limits.checkpointEvery })
  const state: State = { held: null }
  return {
    current: () => state.held,
    run: (on, signal) => follow({ ...partsOf(deps), progress, state }, on, signal),
  }
}

interface State {
  held: Held | null
}

type Work = Omit<ParticipantDeps, 'chain'> &
  CatchUpDeps &
  FollowDeps & { readonly progress: Progress; readonly state: State }

/** Puts together what the parts need. */
function partsOf(deps: ParticipantDeps): Omit<Work, 'progress' | 'state'> {
  const { spec, size, privateAllowed, clock, log, pace } = deps
  const shared = {
    privateAllowed,
    clock,
    partials: join(deps.folder, PARTIAL),
    ...(pace === undefined ? {} : { pace }),
  }
  const serverOf = deps.serverOf ?? ((url: string) => httpSource({ ...shared, url }))
  return {
    ...deps,
    terms: spec.training.phases,
    roundsPerEpoch: spec.roundsPerEpoch,
    origin: () => ({
      spec: { name: spec.name, version: spec.version },
      params: deps.genesis(),
      outer: new Float32Array(size),
    }),
    served: ({ url }) => (url === '' ? null : serverOf(`${url.replace(/\/+$/, '')}/blobs/`)),
    placesOf: (committed) => {
      const { url } = committed.commitment
      const own = url === '' || url.endsWith('/') ? [] : [httpSource({ ...shared, url })]
      return [...(deps.sourcesOf?.(committed) ?? []), ...own]
    },
    warn: (fields, message) => log.warn(fields, message),
  }
}

type On = Parameters<Participant['run']>[0]

/** Begins where the note says, or catches up; then follows the rounds, from anew where it had to jump. */
async function follow(work: Work, on: On, signal: AbortSignal): Promise<void> {
  for (let isOwnUsable = true; ; isOwnUsable = false) {
    await begin(work, { isOwnUsable, signal })
    try {
      for (let from: number | null = roundOf(work); from !== null; ) from = await followFrom(work, { from, on, signal })
      return
    } catch (error) {
      if (!isPruned(error)) throw error
      work.log.warn({ event: 'training.behind', code: error.code }, error.message)
    }
  }
}

const roundOf = ({ state }: Work): number => state.held?.checkpoint.round ?? 0

/** @returns the round to go on from when it is not the next one; null at the end */
async function followFrom(
  work: Work,
  { from, on, signal }: { readonly from: number; readonly on: On; readonly signal: AbortSignal },
): Promise<number | null> {
  for await (const event of followRounds(work, { from, signal })) {
    const merged = event.kind === 'voted' ? await afterVote(work, event, signal) : null
    await on(event, merged)
    signal.throwIfAborted()
    if (event.kind !== 'voted') continue
    const next = roundOf(work)
    if (work.state.held !== null && next !== event.phases.round + 1) return next
  }
  return null
}

/**
 * Finds the checkpoint to begin with: the one that was held, if the merges since can be done or there were none, else the newest that can be
 * had. That is tried until it succeeds: each vote is another chance.
 */
async function begin(
  work: Work,
  { isOwnUsable, signal }: { readonly isOwnUsable: boolean; readonly signal: AbortSignal },
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const own = ownCheckpoint(work)
      const held = own === null ? null : await patiently({ ...work, signal }, () => usable(work, own, isOwnUsable))
      if (held === null) await patiently({ ...work, signal }, () => jump(work, signal))
      else work.state.held = held
      return
    } catch (error) {
      if (!isPassing(error) && !isPruned(error)) throw error
      work.log.warn({ event: 'training.behind', code: error.code }, error.message)
      await work.clock.sleep((RETRY_MS * Math.min(2 ** tries, MOST_PATIENCE)) as Ms, signal)
    }
  }
}

/** Reads the checkpoint that the note names; null where it is not whole. */
function ownCheckpoint({ progress, store, size }: Work): Held | null {
  const last = progress.rounds().at(-1)
  const file = last === undefined ? null : store.read(last.checkpoint)
  const checkpoint = file === null ? null : readCheckpoint(file, size)
  return last === undefined || checkpoint === null ? null : { checkpoint, hash: last.checkpoint }
}

/**
 * Makes an own checkpoint that of the present round; null where merges were missed. Rounds in which nobody voted change only its number, and so does
 * another way to count rounds, after the subnet's owner changed the tempo.
 */
async function usable(work: Work, own: Held, isNearEnough: boolean): Promise<Held | null> {
  const { round } = own.checkpoint
  const { last, newest } = await lastVotes(work)
  if (isNearEnough && round <= last + 1 && round > last - MOST_BEHIND) return own
  if (round <= last + 1 && newest !== null && newest >= round) return null
  const held = relabel(work, own, last + 1)
  if (held.hash !== own.hash) work.progress.begin({ round: last + 1, checkpoint: held.hash, merged: null })
  return held
}

/** Catches up with the newest merge. */
async function jump(work: Work, signal: AbortSignal): Promise<void> {
  const { held, replayed } = await catchUp(work, { signal })
  work.progress.begin({ round: held.checkpoint.round, checkpoint: held.hash, merged: null })
  work.state.held = held
  const { round } = held.checkpoint
  work.log.info(
    { event: 'training.caught-up', round, checkpoint: held.hash, replayed },
    `at the model of round ${round}`,
  )
}

/** Merges a round; what it needs is asked for again and again until the next round's updates are due. */
async function afterVote(work: Work, event: VotedEvent, signal: AbortSignal): Promise<Merged | null> {
  const { chain, clock, log, state, terms, length } = work
  const { round } = event.phases
  const { publishBy } = phasesOf({ terms, length, round: round + 1 })
  for (;;) {
    try {
      return state.held?.checkpoint.round === round
        ? await merge(work, event, signal)
        : await patiently({ ...work, signal }, () => rejoin(work, event, signal))
    } catch (error) {
      if (!isPassing(error)) throw error
      log.warn({ event: 'training.behind', round, code: error.code }, error.message)
      const head = await patiently({ ...work, signal }, () => chain.finalized())
      if (head.number >= publishBy) break
      await clock.sleep(RETRY_MS, signal)
    }
  }
  state.held = null // others went on, and this one catches up after the next vote
  return null
}

async function merge(work: Work, event: VotedEvent, signal: AbortSignal): Promise<Merged> {
  const { progress, state, store } = work
  const { held } = state
  const { before, checkpoint, hash, updates } = await mergeRound(work, { held, event, signal })
  const isOurs = held?.hash === before
  if (!isOurs) progress.begin({ round: event.phases.round, checkpoint: before, merged: null })
  progress.begin({ round: checkpoint.round, checkpoint: hash, merged: updates })
  state.held = { checkpoint, hash }
  const keep = new Set([...progress.named(), ...(work.alsoKeep?.() ?? [])])
  store.prune({ keep, mostBytes: work.storeBytes ?? storeBytesOf(work) })
  forgetPartials({ folder: join(work.folder, PARTIAL), keep: new Set() })
  return { plan: event.plan, before, checkpoint, hash }
}

/** Catches up after a merge was missed; what others came to counts as this round's merge where that is the newest. */
async function rejoin(work: Work, { phases, plan }: VotedEvent, signal: AbortSignal): Promise<Merged | null> {
  await jump(work, signal)
  const { held } = work.state
  if (held === null || plan.base === null || held.checkpoint.round !== phases.round + 1) return null
  return { plan, before: plan.base, checkpoint: held.checkpoint, hash: held.hash }
}

/** Tells what may be otherwise in a while. */
const isPassing = (error: unknown): error is SubnetError =>
  isOfBlob(error) || (error instanceof SubnetError && error.code === 'TRAINING_NO_CHECKPOINT')
