import type { ChainClient } from '@arbor/chain/client/types'
import type { Signer } from '@arbor/shared/signer'
import type { Block } from '@arbor/shared/units'
import { roundBlocks, roundOf, roundStart } from '@arbor/subnet-spec/rounds'
import type { ChainView, Snapshot } from '../chain-view.ts'
import { drawBlock } from '../draw.ts'
import type { Keep } from '../keep.ts'
import type { Ledger } from '../ledger.ts'
import { planRound, type Route } from '../plan.ts'
import type { Precedence } from '../precedence.ts'
import { type RoundDeps, runRound } from '../round.ts'

export interface RoundLoopDeps
  extends Omit<RoundDeps, 'ledger' | 'self' | 'genesisHash' | 'chain' | 'drawBlock' | 'length'> {
  readonly view: ChainView
  readonly keep: Keep
  readonly chain: ChainClient
  readonly ledger: Ledger
  readonly hotkey: Signer
  /** Hears in which block our hotkey was registered, before each round. */
  readonly registered: (at: Block) => void
  /** Where miners are asked that hold a connection to us; absent when we do not listen. */
  readonly route?: Route
  /** Lets rounds go before audits. */
  readonly precedence: Precedence
  /** Hears the newest finalised block when a round has ended. */
  readonly ended: (at: Block) => void
}

/** Milliseconds that a round may take: asking, drawing and judging each have own bounds, and a round may outlast its length. */
const ROUND_MS = 7_200_000

/**
 * Runs one round per round start, until the signal.
 * A round that would start while another runs is skipped: a late verdict is worth less than a timely one.
 */
export function runRounds(deps: RoundLoopDeps, signal: AbortSignal): Promise<void> {
  let seen: Block | null = null
  return deps.keep(
    {
      name: 'rounds',
      timeoutMs: ROUND_MS,
      next: (until) => deps.view.after(seen, until),
      step: async (snapshot, until) => {
        seen = snapshot.metagraph.block.number
        await roundIfDue(deps, deps.view.now(), until)
      },
    },
    signal,
  )
}

/** Runs the newest round if it was not run yet. Its plan rests on its start block alone. */
async function roundIfDue(deps: RoundLoopDeps, { metagraph, me }: Snapshot, signal: AbortSignal): Promise<void> {
  const { spec, ledger, chain, netuid, hotkey, log, route } = deps
  const length = roundBlocks({ tempo: metagraph.tempo, roundsPerEpoch: spec.roundsPerEpoch })
  const round = roundOf({ block: metagraph.block.number, length })
  const start = roundStart({ round, length })
  if (me === undefined || start === 0 || start <= (ledger.lastRoundBlock() ?? -1)) return
  const hash = await chain.blockHash(start)
  if (hash === null) return
  const plan = planRound({ spec, metagraph: await chain.metagraph(netuid, hash), round, self: hotkey.address, route })
  if (plan.tasks.length === 0) return
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
  deps.ended((await chain.finalized()).number)
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
}
