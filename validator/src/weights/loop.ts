import type { ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import type { Signer } from '@arbor/shared/signer'
import type { Block, NetUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { toWeights } from '@arbor/subnet-spec/weights'
import type { Logger } from 'pino'
import type { ChainView, Snapshot } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import type { Ledger } from '../ledger.ts'
import { rewardsOf } from '../scores.ts'
import { readBack, sameRow, setRow, type WeightOutcome } from '../weight-setter.ts'

export interface WeightLoopDeps {
  readonly view: ChainView
  readonly keep: Keep
  readonly chain: ChainClient
  readonly ledger: Ledger
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  readonly clock: Clock
  readonly log: Logger
  /** Tells in which block the newest round of this process ended. */
  readonly endedAt: () => Block | null
}

/** Milliseconds that one step may take: longer than the era for which a row may be included (64 blocks of 12 s). */
const STEP_MS = 1_200_000

/** Sets the row that the scores lead to whenever the chain allows it, until the signal. */
export function runWeights(deps: WeightLoopDeps, signal: AbortSignal): Promise<void> {
  let seen: Block | null = null
  let resumed = false
  return deps.keep(
    {
      name: 'weights',
      timeoutMs: STEP_MS,
      next: (until) => deps.view.after(seen, until),
      step: async ({ metagraph }, until) => {
        seen = metagraph.block.number
        if (!resumed) await resumeAttempt(deps, deps.view.now())
        resumed = true
        await weigh(deps, deps.view.now(), until)
      },
    },
    signal,
  )
}

/** Sets the row that the scores lead to, if the chain allows it now. */
async function weigh(deps: WeightLoopDeps, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
  const { spec, ledger, netuid, log } = deps
  const { metagraph } = snapshot
  const rounds = ledger.recentRounds(freshRounds)
  const oldestRoundBlock = rounds.at(-1)
  const age = metagraph.block.number - (deps.endedAt() ?? rounds[0] ?? 0)
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
async function resumeAttempt(deps: WeightLoopDeps, snapshot: Snapshot): Promise<void> {
  const { ledger, chain, netuid, log } = deps
  const attempt = ledger.lastAttempt()
  if (attempt === null || (attempt.state !== 'computed' && attempt.state !== 'finalised')) return
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
