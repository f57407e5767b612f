import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Uid } from '@arbor/shared/units'
import type { SubnetSpec, Verdict } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import type { Answer } from './dendrite/answer.ts'
import type { Ledger, VerdictRow } from './ledger.ts'
import type { PlannedTask, RoundPlan } from './plan.ts'
import { moveScore, registrationKey, type Score } from './scores.ts'
import type { ScoreJob } from './worker.ts'

export interface RoundDeps {
  readonly spec: SubnetSpec
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Logger
  /** Asks one miner; every way in which it can misbehave is a value, and so is what kept us from asking. */
  readonly ask: (task: PlannedTask, signal: AbortSignal) => Promise<Answer>
  /** Judges an answer in a worker thread. @throws ENGINE_CRASHED, ENGINE_BUSY and others: then that answer has no verdict; after ENGINE_DEAD the validator ends */
  readonly judge: (job: ScoreJob, signal: AbortSignal) => Promise<Verdict>
}

/**
 * Asks every miner of a plan, judges the answers, and records verdicts and scores in one transaction.
 * A miner whose answer could not be judged for a reason of ours has no verdict this round.
 */
export async function runRound(deps: RoundDeps, plan: RoundPlan, signal: AbortSignal): Promise<readonly VerdictRow[]> {
  const judged = await Promise.all(plan.tasks.map((task) => judgeOne(deps, plan, task, signal)))
  signal.throwIfAborted()
  const verdicts = judged.filter((verdict) => verdict !== null)
  const scores = moveScores({ before: deps.ledger.scores(), verdicts, halfLifeRounds: deps.spec.halfLifeRounds })
  deps.ledger.recordRound({ roundBlock: plan.start.number, at: deps.clock.now(), verdicts, scores })
  return verdicts
}

async function judgeOne(
  deps: RoundDeps,
  plan: RoundPlan,
  task: PlannedTask,
  signal: AbortSignal,
): Promise<VerdictRow | null> {
  const answer = await deps.ask(task, signal)
  tell(deps.log, task.uid, answer)
  if (answer.kind === 'ours') return null
  const row = (verdict: Verdict, totalMs: number | null): VerdictRow => ({
    hotkey: task.hotkey,
    uid: task.uid,
    registeredAt: task.registeredAt,
    round: plan.round,
    roundBlock: plan.start.number,
    task: task.task,
    seed: task.seed,
    ...verdict,
    totalMs,
  })
  if (answer.kind === 'fault') return row({ reason: answer.reason, value: 0, sigma: 0 }, answer.timing?.totalMs ?? null)
  const verdict = await judgeTwice(
    deps,
    task.uid,
    { task: task.task, request: task.request, response: answer.body, timing: answer.timing, binding: answer.binding },
    signal,
  )
  return verdict === null ? null : row(verdict, answer.timing.totalMs)
}

/** Logs what asking came to, where that is not simply an answer. */
function tell(log: Logger, uid: Uid, answer: Answer): void {
  if (answer.kind === 'ours') {
    const { reason, why } = answer
    log.warn({ event: 'ask.not-asked', uid, reason }, `uid ${uid} was not asked and has no verdict: ${why}`)
  } else if (answer.kind === 'fault') {
    const { reason, why, timing } = answer
    log.debug({ event: 'ask.fault', uid, reason, timing }, `uid ${uid} gave no answer: ${why}`)
  } else log.debug({ event: 'ask.answered', uid, timing: answer.timing }, `uid ${uid} answered`)
}

/**
 * Judges an answer, once more when that failed. A crash of the engine costs a batch, whoever caused it: an innocent miner of that batch is judged once more.
 * @throws ENGINE_DEAD when the engine will not come back
 */
async function judgeTwice(
  { judge, log }: RoundDeps,
  uid: Uid,
  job: Parameters<RoundDeps['judge']>[0],
  signal: AbortSignal,
): Promise<Verdict | null> {
  let failure: unknown
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await judge(job, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SubnetError && error.code === 'ENGINE_DEAD') throw error // nothing will ever be judged again
      failure = error
    }
  }
  const why = failure instanceof Error ? failure.message : String(failure)
  log.error(
    { event: 'judge.failed', uid, task: job.task, error: failure },
    `an answer of uid ${uid} could not be judged: ${why}`,
  )
  return null
}

/** Moves the score of each registration that has a verdict; one whose uid changed hands starts anew. */
export function moveScores({
  before,
  verdicts,
  halfLifeRounds,
}: {
  readonly before: readonly Score[]
  readonly verdicts: readonly VerdictRow[]
  readonly halfLifeRounds: number
}): readonly Score[] {
  const known = new Map(before.map((score) => [registrationKey(score), score]))
  return verdicts.map(({ hotkey, uid, registeredAt, value, sigma, roundBlock }) => {
    const registration = { hotkey, uid, registeredAt }
    return moveScore({
      before: known.get(registrationKey(registration)),
      registration,
      value,
      sigma,
      roundBlock,
      halfLifeRounds,
    })
  })
}
