import type { BlockRef, ChainClient, Metagraph } from '@arbor/chain/client/types'
import type { Block, Hex, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { decodeCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import { fromShare } from '@arbor/subnet-spec/finetune/rating'
import type { Phases } from '@arbor/subnet-spec/finetune/types'
import { decodeUpdate } from '@arbor/subnet-spec/finetune/update'
import type { RoundEvent } from '@arbor/training/types'
import { tellForfeit } from '../forfeit.ts'
import type { Meter } from '../health/meter.ts'
import type { Ledger } from '../ledger.ts'
import { minersOf, type Route } from '../plan.ts'
import type { Receipts } from '../receipts.ts'
import { type Run, specMark } from '../rounds/runs.ts'
import { registrationKey } from '../scores.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { castVote, type VoteDeps } from './cast-vote.ts'
import { type JudgedRound, judgeRound } from './judge-round.ts'
import type { ShownVerdict } from './ledger.ts'
import type { TrainingMeter } from './meter.ts'
import type { JudgeRoundDeps, RoundToJudge } from './round-to-judge.ts'
import { forfeitsOf, type UpdateVerdict, type VerdictsOf, verdictsOf } from './verdicts.ts'

export interface PublishedDeps
  extends Omit<JudgeRoundDeps, 'paramsBefore' | 'ledger' | 'chain'>,
    Omit<VoteDeps, 'ledger' | 'chain'> {
  readonly chain: Pick<ChainClient, 'best' | 'blockHash' | 'finalized' | 'heads' | 'metagraph'>
  readonly ledger: Ledger
  readonly spec: SubnetSpec
  readonly genesisHash: Hex
  readonly self: Ss58
  readonly receipts: Pick<Receipts, 'writeUpdate'>
  readonly route?: Route | undefined
  readonly meter?: Pick<Meter, 'verdict'> | undefined
  readonly trainingMeter: TrainingMeter
}

type Published = Extract<RoundEvent, { readonly kind: 'published' }>

/** The model as a round starts with it. */
export interface Held {
  readonly params: Float32Array
  readonly hash: Hex
  readonly round: number
}

/** Notes that a round has begun, by its start block. @returns null where it is recorded or given up already, or nobody takes part */
export async function beginRound(
  deps: PublishedDeps,
  phases: Phases,
): Promise<{ readonly run: Run; readonly metagraph: Metagraph; readonly start: BlockRef } | null> {
  const { ledger, chain, spec, netuid, clock } = deps
  const roundBlock = phases.start
  const hash = await chain.blockHash(roundBlock)
  if (roundBlock === 0 || hash === null) return null
  dropOthers(deps, { number: roundBlock, hash })
  const last = Math.max(ledger.lastRoundBlock() ?? -1, ledger.lastBegunBlock() ?? -1)
  const metagraph = await chain.metagraph(netuid, hash)
  if (roundBlock > last) {
    const { length: miners } = minersOf({ metagraph, self: deps.self, route: deps.route })
    const { round, length } = phases
    const terms = { roundBlock, blockHash: hash, round, length, tempo: metagraph.tempo, spec: specMark(spec), miners }
    ledger.beginRound({ ...terms, state: 'planned', at: clock.now() })
  }
  const run = ledger.openRound()
  return run?.roundBlock === roundBlock ? { run, metagraph, start: { number: roundBlock, hash } } : null
}

/** Gives up a round that was left open by a kill, or that began at a block of another fork or by another version of the spec. */
function dropOthers({ ledger, log, spec }: PublishedDeps, at: BlockRef): void {
  const open = ledger.openRound()
  if (open === null) return
  const isSame = open.roundBlock === at.number && open.blockHash === at.hash && open.spec === specMark(spec)
  if (isSame || open.roundBlock > at.number) return
  giveUp({ ledger, log }, open, `round of block ${at.number} began`)
}

const giveUp = (
  { ledger, log }: Pick<PublishedDeps, 'ledger' | 'log'>,
  { roundBlock, round, state }: Run,
  reason: string,
): void => {
  ledger.moveRound(roundBlock, { state: 'dropped', reason })
  log.warn(
    { event: 'round.dropped', round, block: roundBlock, from: state, reason },
    `round ${round} is dropped: ${reason}`,
  )
}

/**
 * Judges what was published: votes for what helps, and records the verdicts. Goes on after a kill with what the ledger and the store hold; when time
 * is over, what was judged before is recorded, and nothing else.
 */
export async function onPublished(
  deps: PublishedDeps,
  of: { readonly event: Published; readonly held: Held | null },
  signal: AbortSignal,
): Promise<void> {
  const { ledger } = deps
  const { event, held } = of
  const { phases, block: published } = event
  const begun = await beginRound(deps, phases)
  const vote = ledger.voteOf(phases.round)
  if (begun === null) {
    if (vote !== null && vote.block === null && !event.isPast)
      await castVote(deps, { vote, voteBy: phases.voteBy }, signal)
    return
  }
  const { run, metagraph, start } = begun
  const base = vote?.base ?? (held?.round === phases.round ? held.hash : null)
  const known = ledger.judgedUpdates(run.roundBlock)
  if (base === null || held === null || (event.isPast && known.length === 0))
    return giveUp(
      deps,
      run,
      event.isPast ? 'it was over before it was judged' : 'the model that it starts from is not held',
    )
  if (run.state === 'planned') ledger.moveRound(run.roundBlock, { state: 'answered', after: published.number })
  if (run.state !== 'drawn') ledger.moveRound(run.roundBlock, { state: 'drawn', draw: published })
  const candidates = candidatesOf({ ...deps, metagraph, commitments: event.commitments })
  const committed = candidates.flatMap((one) => (one.committed === null ? [] : [one.committed]))
  const toJudge = {
    phases,
    start,
    published,
    committed,
    params: held.params,
    base,
    previous: previousOf(deps, phases.round),
  }
  const judged = event.isPast ? { judged: known, norm: 0 } : await judge(deps, toJudge, signal)
  await settle(deps, { toJudge, candidates, judged, isPast: event.isPast }, signal)
}

const judge = async (deps: PublishedDeps, of: RoundToJudge, signal: AbortSignal): Promise<JudgedRound> => {
  const began = deps.clock.monotonic()
  const paramsBefore = (base: Hex): Float32Array | null => {
    const file = deps.store.read(base)
    return file === null ? null : decodeCheckpoint({ file, size: of.params.length }).params
  }
  const judged = await judgeRound({ ...deps, paramsBefore }, of, signal)
  deps.trainingMeter.judged(judged.judged, deps.clock.monotonic() - began)
  return judged
}

/** Reads what the last round merged, as far as it is here: a miner may not send it again. */
function previousOf({ ledger, store, optimiser, terms }: PublishedDeps, round: number): RoundToJudge['previous'] {
  const last = ledger.lastMerge()
  if (last === null || last.round !== round - 1) return []
  return last.merged.flatMap(({ hotkey, name }) => {
    const file = store.read(name)
    if (file === null) return []
    const { payload } = decodeUpdate({ file, maxBytes: terms.limits.updateBytes })
    return [{ hotkey, vector: optimiser.decode(payload) }]
  })
}

/** Votes and records. A vote that is kept is cast again, whatever was judged since. */
async function settle(
  deps: PublishedDeps,
  of: {
    readonly toJudge: RoundToJudge
    readonly candidates: readonly Candidate[]
    readonly judged: JudgedRound
    readonly isPast: boolean
  },
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, spec, terms, genesisHash, netuid, self } = deps
  const { phases, start, published, base } = of.toJudge
  const { norm, judged } = of.judged
  const about: VerdictsOf = {
    spec,
    terms,
    genesisHash,
    netuid,
    self,
    phases,
    start,
    published,
    base,
    norm,
    at: clock.now(),
  }
  const verdicts = verdictsOf(about, of.candidates, judged)
  const accepted = verdicts.flatMap(({ row }) => (row.reason === 'ok' ? [row.uid] : [])).sort((a, b) => a - b)
  publishAccepted(deps, phases.round, verdicts)
  // Who judged nothing of what there is has no say in it: a vote for nothing would count against it.
  const hasNothing = of.toJudge.committed.length > 0 && judged.length === 0
  const voting =
    of.isPast || (hasNothing && deps.ledger.voteOf(phases.round) === null)
      ? null
      : castVote(deps, { vote: { round: phases.round, base, accepted }, voteBy: phases.voteBy }, signal)
  voting?.catch(() => undefined) // heard below
  const endedAt = (await deps.chain.finalized()).number
  record(deps, { about, verdicts, endedAt })
  tell(deps, phases.round, verdicts)
  await voting
  const { round } = phases
  log.info(
    { event: 'training.round', round, phase: 'published', block: published.number, base },
    `round ${round} was judged`,
  )
}

/** Lets everybody have what was accepted: those who merge it may not reach its miner. */
const publishAccepted = ({ ledger }: PublishedDeps, round: number, verdicts: readonly UpdateVerdict[]): void =>
  ledger.publishFiles(
    verdicts.flatMap(({ row, bytes }) =>
      row.reason !== 'ok' || row.answerHash === null ? [] : [{ name: row.answerHash, kind: 'update', round, bytes }],
    ),
  )

function record(
  deps: PublishedDeps,
  of: { readonly about: VerdictsOf; readonly verdicts: readonly UpdateVerdict[]; readonly endedAt: Block },
): void {
  const { ledger, spec, log, clock } = deps
  const run = ledger.openRound()
  if (run?.roundBlock !== of.about.phases.start) return // recorded by an earlier try
  for (const { receipt } of of.verdicts) if (receipt !== null) keepReceipt(deps, receipt)
  const verdicts = of.verdicts.map(({ row }) => row)
  const forfeits = forfeitsOf(of.about, of.verdicts)
  ledger.recordRound({ state: 'recorded', run, endedAt: of.endedAt, at: clock.now(), verdicts, forfeits, terms: spec })
  for (const forfeit of forfeits) tellForfeit(log, forfeit)
  for (const { reason } of verdicts) deps.meter?.verdict(reason)
}

/** Writes a receipt; a full disk costs the file and nothing else. */
const keepReceipt = ({ receipts, log }: PublishedDeps, receipt: NonNullable<UpdateVerdict['receipt']>): void => {
  try {
    receipts.writeUpdate(receipt)
  } catch (error) {
    log.error({ event: 'receipt.unwritten', id: receipt.id }, error instanceof Error ? error.message : String(error))
  }
}

function tell({ ledger, log, trainingMeter }: PublishedDeps, round: number, verdicts: readonly UpdateVerdict[]): void {
  const scores = new Map(ledger.scores().map((score) => [registrationKey(score), score]))
  const shown = verdicts.map(({ row, bytes }): ShownVerdict => {
    const { hotkey, uid, reason, value } = row
    const score = scores.get(registrationKey(row))
    const rating = score === undefined ? null : fromShare(score)
    if (rating !== null) trainingMeter.rating(uid, rating)
    const about = { event: 'training.verdict', round, hotkey, uid, reason, value, bytes, rating }
    log.info(about, `uid ${uid} in round ${round}: ${reason}`)
    return { uid, hotkey, reason, value, bytes, mu: rating?.mu ?? null, sigma: rating?.sigma ?? null }
  })
  ledger.keepShown(round, shown)
}
