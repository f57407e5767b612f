import type { BlockRef, ChainClient, Neuron } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Signer } from '@arbor/shared/signer'
import type { Block, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { roundBlocks, roundOf, roundStart } from '@arbor/subnet-spec/rounds'
import { toWeights } from '@arbor/subnet-spec/weights'
import type { Logger } from 'pino'
import { drawBlock } from './draw.ts'
import type { Ledger } from './ledger.ts'
import { planRound, type Route } from './plan.ts'
import type { Precedence } from './precedence.ts'
import { type RoundDeps, runRound } from './round.ts'
import { rewardsOf } from './scores.ts'
import { readBack, type Snapshot, sameRow, setRow, type WeightOutcome } from './weight-setter.ts'

export interface ValidatorDeps
  extends Omit<RoundDeps, 'ledger' | 'self' | 'genesisHash' | 'chain' | 'drawBlock' | 'length'> {
  readonly chain: ChainClient
  readonly ledger: Ledger
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly clock: Clock
  readonly log: Logger
  /** Hears in which block our hotkey was registered, before each round. */
  readonly registered: (at: Block) => void
  /** Where miners are asked that hold a connection to us; absent when we do not listen. */
  readonly route?: Route
  /** Lets rounds go before audits. */
  readonly precedence: Precedence
}

/** Finalised heads in a row without our hotkey before we believe that it was deregistered. */
const deregisteredAfterHeads = 5

/**
 * Follows the finalised chain: one round per round start, weights after it. Ends only by the signal or by throwing.
 * A round that would start while another runs is skipped: a late verdict is worth less than a timely one.
 * @throws VALIDATOR_DEREGISTERED when the hotkey has gone from the subnet
 */
export async function runValidator(deps: ValidatorDeps, signal: AbortSignal): Promise<void> {
  await resumeAttempt(deps)
  let missing = 0
  let endedAt: Block | null = null
  for await (const head of latestHeads(deps.chain, signal)) {
    const snapshot = await snapshotAt(deps, head)
    missing = snapshot.me === undefined ? missing + 1 : 0
    if (missing >= deregisteredAfterHeads) throw deregistered(deps, head)
    const ran = snapshot.me === undefined ? false : await roundIfDue(deps, snapshot, signal)
    const now = ran ? await snapshotAt(deps, await deps.chain.finalized()) : snapshot
    if (ran) endedAt = now.metagraph.block.number
    await weigh(deps, { snapshot: now, endedAt }, signal)
  }
}

/** Yields the newest finalised head whenever the last one is done with; heads in between are dropped. */
async function* latestHeads(chain: ChainClient, signal: AbortSignal): AsyncGenerator<BlockRef> {
  let done: Block | -1 = -1
  for await (const head of chain.heads('finalized', signal)) {
    if (head.number <= done) continue // it came while a later one was being worked on
    const newest = await chain.finalized()
    done = newest.number
    yield newest
  }
}

async function snapshotAt({ chain, netuid, hotkey }: ValidatorDeps, head: BlockRef): Promise<Snapshot> {
  const [metagraph, hyperparameters] = await Promise.all([
    chain.metagraph(netuid, head.hash),
    chain.hyperparameters(netuid, head.hash),
  ])
  return { metagraph, hyperparameters, me: findMe(metagraph.neurons, hotkey) }
}

const findMe = (neurons: readonly Neuron[], hotkey: Signer): Neuron | undefined =>
  neurons.find((n) => n.hotkey === hotkey.address)

/** Runs the newest round if it was not run yet. Its plan rests on its start block alone. */
async function roundIfDue(deps: ValidatorDeps, { metagraph, me }: Snapshot, signal: AbortSignal): Promise<boolean> {
  const { spec, ledger, chain, netuid, hotkey, log, route } = deps
  const length = roundBlocks({ tempo: metagraph.tempo, roundsPerEpoch: spec.roundsPerEpoch })
  const round = roundOf({ block: metagraph.block.number, length })
  const start = roundStart({ round, length })
  if (start === 0 || start <= (ledger.lastRoundBlock() ?? -1)) return false
  const hash = await chain.blockHash(start)
  if (hash === null) return false
  const plan = planRound({ spec, metagraph: await chain.metagraph(netuid, hash), round, self: hotkey.address, route })
  if (plan.tasks.length === 0 || me === undefined) return false
  deps.registered(me.registeredAt)
  log.debug({ event: 'round.start', round, block: start, miners: plan.tasks.length }, 'round started')
  const asking: RoundDeps = {
    ...deps,
    self: hotkey.address,
    genesisHash: chain.genesisHash,
    drawBlock: (after, until) => drawBlock(deps, after, until),
    length,
  }
  const verdicts = await deps.precedence.first(() => runRound(asking, plan, signal))
  log.info(
    {
      event: 'round.done',
      round,
      block: start,
      verdicts: verdicts.map(({ uid, hotkey: of, reason, value, totalMs }) => ({
        uid,
        hotkey: of,
        reason,
        value,
        totalMs,
      })),
    },
    'round done',
  )
  return true
}

/** Sets the row that the scores lead to, if the chain allows it now. */
async function weigh(
  deps: ValidatorDeps,
  { snapshot, endedAt }: { readonly snapshot: Snapshot; readonly endedAt: Block | null },
  signal: AbortSignal,
): Promise<void> {
  const { spec, ledger, netuid, log } = deps
  const { metagraph } = snapshot
  const rounds = ledger.recentRounds(freshRounds)
  const oldestRoundBlock = rounds.at(-1)
  const age = metagraph.block.number - (endedAt ?? rounds[0] ?? 0)
  const fresh = oldestRoundBlock !== undefined && age <= freshTempos * metagraph.tempo
  const row = toWeights(
    rewardsOf({
      scores: fresh ? ledger.scores() : [],
      forfeits: ledger.forfeits(metagraph.block.number),
      neurons: metagraph.neurons,
      oldestRoundBlock: oldestRoundBlock ?? (0 as Block),
      reward: spec.reward,
    }),
  )
  const outcome = await setRow({ ...deps, netuid, version: spec.version }, { row, snapshot, signal })
  report(log, outcome)
}

/** Scores say nothing about today once the last round ended this many tempos ago; a round itself may take longer. */
const freshTempos = 3
/** A miner without a verdict in so many rounds has no weight: 3 tempos of 2 rounds. */
const freshRounds = 6

/** A validator that was killed between sending a row and reading it back reads it back first. */
async function resumeAttempt(deps: ValidatorDeps): Promise<void> {
  const { ledger, chain, netuid, log } = deps
  const attempt = ledger.lastAttempt()
  if (attempt === null || (attempt.state !== 'computed' && attempt.state !== 'finalised')) return
  const snapshot = await snapshotAt(deps, await chain.finalized())
  if (snapshot.me === undefined) return
  const held = await chain.weights(netuid, snapshot.me.uid, snapshot.metagraph.block.hash)
  if (attempt.state === 'computed' && !sameRow(held, attempt.row)) {
    // it never left, or has not been included yet; either way the next row replaces it
    ledger.moveAttempt(attempt.id, { state: 'failed', error: 'lost when the process ended' })
    log.warn(
      { event: 'weights.lost', row: attempt.row },
      'a row that was being sent when the process ended is not held',
    )
    return
  }
  const { id, row, includedAt } = attempt
  const of = { id, row, me: snapshot.me, includedAt }
  report(log, await readBack({ chain, ledger, netuid }, of))
}

function report(log: Logger, outcome: WeightOutcome): void {
  const { level, text, ...fields } = describe(outcome)
  log[level]({ event: `weights.${outcome.kind}`, ...fields }, text)
}

function describe(
  outcome: WeightOutcome,
): { level: 'debug' | 'info' | 'warn' | 'error'; text: string } & Record<string, unknown> {
  switch (outcome.kind) {
    case 'waiting':
      return { level: 'debug', text: outcome.next.why, rule: outcome.next.rule, at: outcome.next.at }
    case 'nothing-scored':
      return { level: 'debug', text: 'no miner has a score yet' }
    case 'unchanged':
      return { level: 'debug', text: 'the chain holds these weights already' }
    case 'failed':
      return {
        level: 'warn',
        text: `the weights were not set: ${outcome.error}`,
        error: outcome.error,
        retryable: outcome.retryable,
      }
    case 'confirmed':
      return {
        level: 'info',
        text: 'weights read back as set',
        row: outcome.row,
        includedAt: outcome.includedAt,
        block: outcome.block.number,
      }
    case 'mismatch':
      return {
        level: 'error',
        text: 'the chain holds other weights than were set',
        row: outcome.row,
        held: outcome.held,
        block: outcome.block.number,
      }
  }
}

const deregistered = ({ hotkey, netuid }: ValidatorDeps, head: BlockRef): SubnetError =>
  new SubnetError({
    code: 'VALIDATOR_DEREGISTERED',
    message: `hotkey ${hotkey.address} has gone from subnet ${netuid}, as ${deregisteredAfterHeads} finalised heads up to block ${head.number} say: arbor register --netuid ${netuid}`,
  })
