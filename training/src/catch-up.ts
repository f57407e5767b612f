import type { ChainClient } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Blocks } from '@arbor/shared/units'
import { phasesOf, roundAt } from '@arbor/subnet-spec/finetune/phases'
import type { Checkpoint, Phases, PhaseTerms } from '@arbor/subnet-spec/finetune/types'
import { isOfBlob } from './fetch.ts'
import { publishedAt, readVoted, type VotedEvent } from './follow-rounds.ts'
import { fetchCheckpoint, type Held, keep, type MergeDeps, mergeRound } from './merge-round.ts'
import { isPruned, type RoundRecords, readRoundRecords, votersOf } from './records.ts'

export interface CatchUpDeps extends MergeDeps {
  readonly chain: Pick<ChainClient, 'blockHash' | 'commitments' | 'finalized' | 'metagraph'>
  readonly terms: PhaseTerms
  readonly length: Blocks
  /** The model as it was before all training; the same bytes for everybody. */
  readonly origin: () => Omit<Checkpoint, 'round'>
}

/** Rounds with votes that are tried, newest first, before all is given up: two whole checkpoints lie within them. */
const MOST_TRIED = 64

/**
 * Comes to the checkpoint that the round after the newest decided one starts from: takes the newest whole checkpoint that votes on the chain
 * name and somebody serves, and replays the merges since. Where nobody has ever voted, that is the model itself.
 * @throws TRAINING_NO_CHECKPOINT when nobody serves one now, TRAINING_STATE_PRUNED
 */
export async function catchUp(
  deps: CatchUpDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly held: Held; readonly replayed: number }> {
  const phases = (round: number): Phases => phasesOf({ terms: deps.terms, length: deps.length, round })
  const found = await lastVotes(deps)
  const { last, newest } = found
  let { state } = found
  const reasons: string[] = []
  for (let tried = 0, below = last + 1; tried < MOST_TRIED; tried += 1) {
    signal.throwIfAborted()
    const round = newestVote(state, below)
    if (round === null) break
    const event = await readVoted(deps, phases(round)).catch((error: unknown) => {
      throw reasons.length > 0 && isPruned(error) ? nowhere(reasons) : error
    })
    state = event.state
    below = round
    if (event.plan.base === null) continue
    try {
      const base = await fetchCheckpoint(deps, { base: event.plan.base, event, signal })
      const merged = await replay(deps, { base, event, until: newest ?? round, phases, signal })
      return { held: relabel(deps, merged, last + 1), replayed: (newest ?? round) - round + 1 }
    } catch (error) {
      if (!isOfBlob(error)) throw error
      reasons.push(`round ${round}: ${error.message}`)
    }
  }
  if (reasons.length > 0) throw nowhere(reasons)
  return { held: keep(deps, { ...deps.origin(), round: last + 1 }), replayed: 0 }
}

/** What the newest final state says: the newest round whose votes are all in, and the newest one up to it that anybody voted in. */
export async function lastVotes(deps: Pick<CatchUpDeps, 'chain' | 'netuid' | 'terms' | 'length'>): Promise<{
  readonly last: number
  readonly newest: number | null
  readonly state: RoundRecords
}> {
  const { chain, netuid, terms, length } = deps
  const head = await chain.finalized()
  const present = roundAt({ block: head.number, length })
  const last = phasesOf({ terms, length, round: present }).voteBy <= head.number ? present : present - 1
  const now = await readRoundRecords({ chain, netuid, at: head })
  const next = phasesOf({ terms, length, round: last + 1 })
  // Who has voted for the next round shows no earlier vote any more.
  const isVoting = next.publishBy < head.number && votersOf(now, next.round).length > 0
  const state = isVoting ? (await publishedAt(deps, next)).read : now
  return { last, newest: newestVote(state, last + 1), state }
}

/** Merges one round after the other, up to the newest that anybody voted in. */
async function replay(
  deps: CatchUpDeps,
  of: {
    readonly base: Held
    readonly event: VotedEvent
    readonly until: number
    readonly phases: (round: number) => Phases
    readonly signal: AbortSignal
  },
): Promise<Held> {
  const { signal } = of
  let held: Held = await mergeRound(deps, { held: of.base, event: of.event, signal })
  for (let round = of.event.phases.round + 1; round <= of.until; round += 1) {
    signal.throwIfAborted()
    held = await mergeRound(deps, { held, event: await readVoted(deps, of.phases(round)), signal })
  }
  return held
}

/** Rounds without votes change nothing but the number. */
export const relabel = (deps: Pick<MergeDeps, 'store'>, held: Held, round: number): Held =>
  held.checkpoint.round === round ? held : keep(deps, { ...held.checkpoint, round })

/** Finds the newest round before another one in which somebody with a permit voted, by the votes that stand in a state. */
const newestVote = ({ records }: RoundRecords, below: number): number | null => {
  const rounds = records.flatMap(({ neuron, vote }) =>
    neuron.validatorPermit && neuron.totalStake > 0n && vote !== null && vote.round < below ? [vote.round] : [],
  )
  return rounds.length === 0 ? null : Math.max(...rounds)
}

const nowhere = (reasons: readonly string[]): SubnetError =>
  new SubnetError({
    code: 'TRAINING_NO_CHECKPOINT',
    message: `no checkpoint that the chain confirms can be had now (${reasons.join(' | ').slice(0, 600)}); it is tried again. Validators have to serve their files (--serve)`,
    retryable: true,
  })
