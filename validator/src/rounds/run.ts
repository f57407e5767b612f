import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import type { Block, Uid } from '@arbor/shared/units'
import { forfeitOf, tellForfeit } from '../forfeit.ts'
import { type Meter, noMeter, timed } from '../health/meter.ts'
import type { Forfeit } from '../ledger-audits.ts'
import { type AskedMiner, questionFor } from '../plan.ts'
import { registrationKey } from '../scores.ts'
import { foldRound } from '../scoring/fold.ts'
import { type AskDeps, askMiners } from './ask.ts'
import { type JudgePassDeps, judgePass } from './judge-pass.ts'
import type { RoundLedger } from './ledger.ts'
import { undecided } from './repeats.ts'
import type { Run, RunLedger } from './runs.ts'
import type { VerdictRow } from './verdict-row.ts'

export interface RoundDeps extends JudgePassDeps, Omit<AskDeps, 'ledger'> {
  readonly ledger: RunLedger & Pick<RoundLedger, 'recordRound' | 'scoreState'>
  readonly chain: Pick<ChainClient, 'best' | 'finalized'>
  /** Waits for the first finalised block after one; null when it did not come in time. */
  readonly drawBlock: (after: Block, signal: AbortSignal) => Promise<BlockRef | null>
  /** Hears how long each part of a round takes, and each verdict. */
  readonly meter?: Meter
  /** Lists the miners of the round, by its start block. */
  readonly miners: () => Promise<readonly AskedMiner[]>
}

/**
 * Takes the round that is on its way to its end, from wherever the ledger says that it stands. When all answers of a pass are there, the
 * next block draws, once final, what is looked at of each; they are judged. Where noise could have ranked two miners, a further pass asks
 * them again. Verdicts, scores and forfeits are recorded in one transaction.
 */
export async function runRound(deps: RoundDeps, signal: AbortSignal): Promise<readonly VerdictRow[]> {
  const meter = { clock: deps.clock, meter: deps.meter ?? noMeter }
  for (let began = (await deps.chain.finalized()).number; ; ) {
    const run = deps.ledger.openRound()
    if (run === null) throw new Error('unreachable: a round runs once it has begun')
    if (run.state === 'planned') await timed(meter, 'ask', () => ask(deps, run, signal))
    else if (run.state === 'answered' && isAnswered(deps, run))
      await timed(meter, 'draw', () => draw(deps, run, signal))
    else {
      const verdicts = await timed(meter, 'judge', () => judgePass(deps, run, signal))
      const now = (await deps.chain.finalized()).number
      const again =
        run.state === 'drawn' && hasTime(run, began, now)
          ? askAgain(deps, { run, pass: run.pass + 1, last: verdicts })
          : NOBODY
      if (again.size === 0) return timed(meter, 'record', async () => record(deps, run, verdicts, now))
      deps.log.debug({ event: 'round.repeat', round: run.round, pass: run.pass + 1, uids: [...again] }, 'asking again')
      deps.ledger.moveRound(run.roundBlock, { state: 'planned', pass: run.pass + 1, verdicts })
      began = now
    }
    signal.throwIfAborted()
  }
}

const NOBODY: ReadonlySet<Uid> = new Set()

/** Asks those of the pass that have no outcome yet. */
async function ask(deps: RoundDeps, run: Run, signal: AbortSignal): Promise<void> {
  const { ledger, spec, netuid, chain } = deps
  const { roundBlock, blockHash, round, pass } = run
  const wanted = pass === 0 ? null : askAgain(deps, { run, pass, last: [] })
  const done = ledger.answeredUids({ roundBlock, pass })
  const miners = (await deps.miners()).filter(({ uid }) => !done.has(uid) && (wanted === null || wanted.has(uid)))
  const about = { spec, netuid, round, blockHash, repeat: pass }
  const questionOf = ({ hotkey }: AskedMiner) => questionFor(about, hotkey)
  await askMiners(deps, { roundBlock, repeat: pass, miners, questionOf }, signal)
  const after = (await chain.best()).number // the hashes of blocks that are not final yet are out, too
  ledger.moveRound(roundBlock, { state: 'answered', after })
}

const isAnswered = ({ ledger }: RoundDeps, { roundBlock, pass }: Run): boolean => {
  let above = -1
  for (;;) {
    const batch = ledger.answersAbove({ roundBlock, pass, above, most: 64 })
    const last = batch.at(-1)
    if (last === undefined) return false
    if (batch.some(({ outcome }) => outcome.kind === 'answered')) return true
    above = last.uid
  }
}

async function draw({ ledger, log, drawBlock }: RoundDeps, run: Run, signal: AbortSignal): Promise<void> {
  const { roundBlock, after } = run
  if (after === null) throw new Error('unreachable: answers came after some block')
  const block = await drawBlock(after, signal)
  if (block === null)
    log.warn({ event: 'audit.no-draw', after }, `no block after ${after} became final in time; all is looked at`)
  ledger.moveRound(roundBlock, { state: 'drawn', draw: block })
}

/** A further pass may take as long as the last one did. */
const hasTime = ({ roundBlock, length }: Run, began: Block, now: Block): boolean =>
  now + Math.max(1, now - began) < roundBlock + length

/** Names the miners that a pass asks again: those that noise could have ranked, by the round's verdicts so far. */
function askAgain(
  { ledger, spec }: RoundDeps,
  { run, pass, last }: { readonly run: Run; readonly pass: number; readonly last: readonly VerdictRow[] },
): ReadonlySet<Uid> {
  const { roundBlock, length } = run
  if (spec.repeats === undefined || pass > spec.repeats.most) return NOBODY
  const verdicts = [...ledger.passVerdicts(roundBlock), ...last]
  const failed = new Set(verdicts.filter(({ reason }) => reason !== 'ok').map(registrationKey))
  const asked = { roundBlock, length, endedAt: roundBlock, verdicts, forfeits: [] }
  const { changed } = foldRound(ledger.scoreState(), asked, spec)
  return undecided(
    changed.filter((score) => !failed.has(registrationKey(score))),
    spec.repeats,
  )
}

function record(deps: RoundDeps, run: Run, last: readonly VerdictRow[], endedAt: Block): readonly VerdictRow[] {
  const { ledger, spec, clock, log } = deps
  const verdicts = [...ledger.passVerdicts(run.roundBlock), ...last]
  const forfeits = verdicts.flatMap((verdict): Forfeit[] => {
    const { receipt = null, roundBlock: atBlock, signed } = verdict
    // Whoever stands on the way can write what no miner signs: such an answer counts for its round, and costs no more.
    if (!signed || receipt === null) return []
    const forfeit = forfeitOf({ ...verdict, spec, length: run.length, receipt, atBlock, kind: 'planned' })
    return forfeit === null ? [] : [forfeit]
  })
  ledger.recordRound({ state: 'recorded', run, endedAt, at: clock.now(), verdicts, forfeits, terms: spec })
  for (const forfeit of forfeits) tellForfeit(log, forfeit)
  for (const { reason } of verdicts) deps.meter?.verdict(reason)
  return verdicts
}
