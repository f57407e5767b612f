import type { Hex, NetUid } from '@arbor/shared/units'
import type { SubnetSpec, Verdict } from '@arbor/subnet-spec/define'
import { drawnBy, lookAt } from '../draw.ts'
import { exchangeFrom } from '../exchange.ts'
import { type JudgeDeps, judgeExchange } from '../judge.ts'
import { questionFor } from '../plan.ts'
import type { Registration } from '../scores.ts'
import type { AnsweredOutcome } from './outcome.ts'
import { withoutOwnClock } from './own-clock.ts'
import type { Answered, Run, RunLedger } from './runs.ts'
import type { VerdictRow } from './verdict-row.ts'

export interface JudgePassDeps extends JudgeDeps {
  readonly spec: SubnetSpec
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly ledger: Pick<RunLedger, 'answersAbove'>
  /** Answers that are judged at once. */
  readonly threads: number
}

/** Answers that are read from the ledger at once. */
const BATCH = 64
/** Answers on their way to each thread and back, so that none waits for the next. */
const AHEAD = 3

/**
 * Judges the answers of a pass, a few at a time; they are read from the ledger, so that a round's bodies are never in memory together.
 * A miner whose answer could not be judged for a reason of ours has no verdict.
 */
export async function judgePass(deps: JudgePassDeps, run: Run, signal: AbortSignal): Promise<readonly VerdictRow[]> {
  const { roundBlock, pass } = run
  const verdicts: VerdictRow[] = []
  let above = -1
  for (;;) {
    const batch = deps.ledger.answersAbove({ roundBlock, pass, above, most: BATCH })
    const last = batch.at(-1)
    if (last === undefined) break
    above = last.uid
    verdicts.push(...(await judgeBatch(deps, run, batch, signal)))
    signal.throwIfAborted()
  }
  return saidOfClock(deps, verdicts)
}

function saidOfClock({ log }: JudgePassDeps, verdicts: readonly VerdictRow[]): readonly VerdictRow[] {
  const kept = withoutOwnClock(verdicts)
  if (kept.length < verdicts.length)
    log.error(
      { event: 'round.clock', miners: verdicts.length - kept.length },
      'most miners say that our clock is wrong, and have no verdict: set it by NTP',
    )
  return kept
}

async function judgeBatch(
  deps: JudgePassDeps,
  run: Run,
  batch: readonly Answered[],
  signal: AbortSignal,
): Promise<readonly VerdictRow[]> {
  const judged: (VerdictRow | null)[] = batch.map(() => null)
  const queue = [...batch.entries()]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      judged[next[0]] = await judgeOne(deps, run, next[1], signal)
  }
  await Promise.all(Array.from({ length: deps.threads * AHEAD }, work))
  return judged.filter((verdict) => verdict !== null)
}

async function judgeOne(
  deps: JudgePassDeps,
  run: Run,
  { outcome, ...registration }: Answered,
  signal: AbortSignal,
): Promise<VerdictRow | null> {
  if (outcome.kind === 'ours') return null
  const { spec, netuid } = deps
  const { round, roundBlock, blockHash, pass: repeat } = run
  const { task, seed, request } = questionFor({ spec, netuid, round, blockHash, repeat }, registration.hotkey)
  const about = { ...registration, round, roundBlock, task, seed, repeat }
  if (outcome.kind === 'fault')
    return { ...about, ...NOTHING, ...unanswered, reason: outcome.reason, totalMs: outcome.totalMs }
  return judgeAnswer(deps, { run, registration, about, request, outcome }, signal)
}

const NOTHING = { value: 0, sigma: 0 } satisfies Omit<Verdict, 'reason'>
const unanswered = { signed: false, answerHash: null, drawnAt: null } as const

interface ToJudge {
  readonly run: Run
  readonly registration: Registration
  readonly about: Pick<VerdictRow, keyof Registration | 'round' | 'roundBlock' | 'task' | 'seed' | 'repeat'>
  readonly request: unknown
  readonly outcome: AnsweredOutcome
}

async function judgeAnswer(deps: JudgePassDeps, of: ToJudge, signal: AbortSignal): Promise<VerdictRow | null> {
  const { run, registration, about, request, outcome } = of
  const { signed, answerHash, timing } = outcome
  if (run.after === null) throw new Error('unreachable: answers are judged once they are all there')
  const exchange = exchangeFrom(
    { ...deps, kind: 'planned' },
    { task: { ...registration, task: about.task, request }, outcome, after: run.after },
  )
  const drawn = drawnBy(run.draw, exchange)
  const found = await judgeExchange(deps, { exchange, drawn, share: lookAt({ ...deps, exchange, drawn }) }, signal)
  if (found === null) return null
  const { reason, value, sigma, check, checkMs } = found.judged
  const verdict = { reason, value, sigma, totalMs: timing.totalMs, signed, answerHash }
  const drawnAt = run.draw?.number ?? null
  return { ...about, ...verdict, drawnAt, checkMs, prefilled: check?.prefilled, receipt: found.id }
}
