import type { ChainClient, Metagraph } from '@arbor/chain/client/types'
import type { Signer } from '@arbor/shared/signer'
import type { Block } from '@arbor/shared/units'
import { roundBlocks, roundOf, roundStart } from '@arbor/subnet-spec/rounds'
import type { ChainView, Snapshot } from '../chain-view.ts'
import { drawBlock } from '../draw.ts'
import type { Keep } from '../keep.ts'
import type { Ledger } from '../ledger.ts'
import { minersOf, type Route } from '../plan.ts'
import type { Precedence } from '../precedence.ts'
import { type RoundDeps, runRound } from './run.ts'
import { type Run, specMark } from './runs.ts'
import type { VerdictRow } from './verdict-row.ts'

export interface RoundLoopDeps
  extends Omit<RoundDeps, 'ledger' | 'self' | 'genesisHash' | 'chain' | 'drawBlock' | 'miners'> {
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
}

/** Milliseconds that a round may take: asking, drawing and judging each have own bounds, and a round may outlast its length. */
const ROUND_MS = 7_200_000
/** Verdicts that one line of the log names; of larger rounds it has the number of each reason. */
const LOGGED = 256

/**
 * Runs one round per round start, until the signal; one that a kill or a fault interrupted goes on where the ledger says that it stands.
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
        await runDue(deps, until)
      },
    },
    signal,
  )
}

/** Ends the round that was interrupted, if there is one, and runs the newest if it was not begun yet. */
export async function runDue(deps: RoundLoopDeps, signal: AbortSignal): Promise<void> {
  const { me } = deps.view.now()
  const open = deps.ledger.openRound()
  if (me === undefined) return
  if (open !== null) {
    const why = await tooLate(deps, open)
    if (why === null) await finish(deps, { run: open, metagraph: null, registeredAt: me.registeredAt }, signal)
    else drop(deps, open, why)
  }
  const began = await begun(deps, deps.view.now())
  if (began !== null) await finish(deps, { ...began, registeredAt: me.registeredAt }, signal)
}

/**
 * Says why an interrupted round does not go on; null when it does. Nobody is asked once the next round has begun; answers that are there
 * are judged for a round longer.
 */
async function tooLate({ view, chain, spec }: RoundLoopDeps, run: Run): Promise<string | null> {
  const { metagraph } = view.now()
  const { roundBlock, blockHash, length, state } = run
  if (run.spec !== specMark(spec)) return `it began by the spec ${run.spec}, and this is ${specMark(spec)}`
  const hash = await chain.blockHash(roundBlock)
  if (hash !== blockHash) return `block ${roundBlock} is ${hash ?? 'not there'}, and was ${blockHash} when it began`
  const until = roundBlock + length * (state === 'planned' ? 1 : 2)
  const { number } = metagraph.block
  return number < until ? null : `it was ${state} and could go on until block ${until}; this is block ${number}`
}

function drop({ ledger, log }: RoundLoopDeps, { roundBlock, round, state }: Run, reason: string): void {
  ledger.moveRound(roundBlock, { state: 'dropped', reason })
  log.warn(
    { event: 'round.dropped', round, block: roundBlock, from: state, reason },
    `round ${round} is dropped: ${reason}`,
  )
}

/** Begins the newest round if it was not begun yet and asks anybody. Its plan rests on its start block alone. */
async function begun(
  deps: RoundLoopDeps,
  { metagraph, me }: Snapshot,
): Promise<{ readonly run: Run; readonly metagraph: Metagraph } | null> {
  const { spec, ledger, chain, clock, log } = deps
  const { tempo } = metagraph
  const length = roundBlocks({ tempo, roundsPerEpoch: spec.roundsPerEpoch })
  const round = roundOf({ block: metagraph.block.number, length })
  const roundBlock = roundStart({ round, length })
  const last = Math.max(ledger.lastRoundBlock() ?? -1, ledger.lastBegunBlock() ?? -1)
  if (me === undefined || roundBlock === 0 || roundBlock <= last) return null
  const blockHash = await chain.blockHash(roundBlock)
  if (blockHash === null) return null
  const planned = await chain.metagraph(deps.netuid, blockHash)
  const { length: miners } = minersAt(deps, planned)
  if (miners === 0) return null
  const terms = { roundBlock, blockHash, round, length, tempo, spec: specMark(spec), miners }
  ledger.beginRound({ ...terms, state: 'planned', at: clock.now() })
  log.debug({ event: 'round.start', round, block: roundBlock, miners }, 'round started')
  const run = ledger.openRound()
  return run === null ? null : { run, metagraph: planned }
}

/** Lists whom a round asks; where miners are that hold a connection to us may change while it runs. */
const minersAt = ({ hotkey, route }: RoundLoopDeps, metagraph: Metagraph) =>
  minersOf({ metagraph, self: hotkey.address, route })

async function finish(
  deps: RoundLoopDeps,
  of: { readonly run: Run; readonly metagraph: Metagraph | null; readonly registeredAt: Block },
  signal: AbortSignal,
): Promise<void> {
  const { chain, netuid, hotkey, log } = deps
  const { run } = of
  let { metagraph } = of
  deps.registered(of.registeredAt)
  const running: RoundDeps = {
    ...deps,
    self: hotkey.address,
    genesisHash: chain.genesisHash,
    drawBlock: (after, until) => drawBlock(deps, after, until),
    miners: async () => {
      metagraph ??= await chain.metagraph(netuid, run.blockHash)
      return minersAt(deps, metagraph)
    },
  }
  const verdicts = await deps.precedence.first(() => runRound(running, signal))
  const { round, roundBlock: block } = run
  log.info({ event: 'round.done', round, block, reasons: reasonsOf(verdicts), verdicts: told(verdicts) }, 'round done')
}

const reasonsOf = (verdicts: readonly VerdictRow[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { reason } of verdicts) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

const told = (verdicts: readonly VerdictRow[]) =>
  verdicts.length > LOGGED
    ? undefined
    : verdicts.map(({ uid, hotkey, repeat, reason, value, totalMs }) => ({
        uid,
        hotkey,
        repeat,
        reason,
        value,
        totalMs,
      }))
