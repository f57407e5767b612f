import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import type { Block, Blocks, Hex, NetUid, Uid } from '@arbor/shared/units'
import type { SubnetSpec, Verdict } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import type { Answer } from './dendrite/answer.ts'
import { drawnBy, lookAt } from './draw.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { forfeitOf } from './forfeit.ts'
import { type JudgeDeps, judgeExchange } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Forfeit } from './ledger-audits.ts'
import type { PlannedTask, RoundPlan } from './plan.ts'
import type { VerdictRow } from './rounds/ledger.ts'
import { moveScore, registrationKey, type Score } from './scores.ts'

export interface RoundDeps extends JudgeDeps {
  readonly spec: SubnetSpec
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly ledger: Ledger
  /** Asks one miner; every way in which it can misbehave is a value, and so is what kept us from asking. */
  readonly ask: (task: PlannedTask, signal: AbortSignal) => Promise<Answer>
  readonly chain: Pick<ChainClient, 'best'>
  /** Waits for the first finalised block after one; null when it did not come in time. */
  readonly drawBlock: (after: Block, signal: AbortSignal) => Promise<BlockRef | null>
  /** Blocks of a round. */
  readonly length: Blocks
}

/**
 * Asks every miner of a plan. When all answers are there, the next block draws, once final, what is looked at of each; they are judged, and
 * verdicts, scores and forfeits recorded in one transaction.
 * A miner whose answer could not be judged for a reason of ours has no verdict this round.
 */
export async function runRound(deps: RoundDeps, plan: RoundPlan, signal: AbortSignal): Promise<readonly VerdictRow[]> {
  const answers = await Promise.all(plan.tasks.map((task) => askOne(deps, task, signal)))
  signal.throwIfAborted()
  const after = (await deps.chain.best()).number // the hashes of blocks that are not final yet are out, too
  const isAnswered = answers.some(({ answer }) => answer.kind === 'answered')
  const block = isAnswered ? await deps.drawBlock(after, signal) : null
  if (isAnswered && block === null)
    deps.log.warn({ event: 'audit.no-draw', after }, `no block after ${after} became final in time; all is looked at`)
  const judged = await Promise.all(answers.map((asked) => judgeOne({ ...deps, plan, after, block }, asked, signal)))
  signal.throwIfAborted()
  const verdicts = judged.filter((verdict) => verdict !== null)
  const scores = moveScores({ before: deps.ledger.scores(), verdicts, halfLifeRounds: deps.spec.halfLifeRounds })
  // Whoever stands on the way can write what no miner signs: such an answer counts for its round, and costs no more.
  const signed = new Set(answers.flatMap(({ task, answer }) => (isSigned(answer) ? [task.uid] : [])))
  const forfeits = verdicts.flatMap((verdict): Forfeit[] => {
    const { receipt = null, roundBlock: atBlock } = verdict
    if (!signed.has(verdict.uid)) return []
    const forfeit = forfeitOf({ ...deps, ...verdict, receipt, atBlock, kind: 'planned' })
    return receipt === null || forfeit === null ? [] : [forfeit]
  })
  deps.ledger.recordRound({ roundBlock: plan.start.number, at: deps.clock.now(), verdicts, scores, forfeits })
  for (const forfeit of forfeits) tellForfeit(deps.log, forfeit)
  return verdicts
}

const isSigned = (answer: Answer): boolean => answer.kind === 'answered' && answer.signed

interface Asked {
  readonly task: PlannedTask
  readonly answer: Answer
}

async function askOne(deps: RoundDeps, task: PlannedTask, signal: AbortSignal): Promise<Asked> {
  const answer = await deps.ask(task, signal)
  tell(deps.log, task.uid, answer)
  return { task, answer }
}

interface Judging extends RoundDeps {
  readonly plan: RoundPlan
  readonly after: Block
  readonly block: BlockRef | null
}

async function judgeOne(deps: Judging, { task, answer }: Asked, signal: AbortSignal): Promise<VerdictRow | null> {
  const { plan, after, block } = deps
  if (answer.kind === 'ours') return null
  const row = (verdict: Verdict, totalMs: number | null): VerdictRow => ({
    hotkey: task.hotkey,
    uid: task.uid,
    registeredAt: task.registeredAt,
    round: plan.round,
    roundBlock: plan.start.number,
    task: task.task,
    seed: task.seed,
    reason: verdict.reason,
    value: verdict.value,
    sigma: verdict.sigma,
    totalMs,
  })
  if (answer.kind === 'fault') return row({ reason: answer.reason, value: 0, sigma: 0 }, answer.timing?.totalMs ?? null)
  const exchange: Exchange = exchangeOf({ ...deps, kind: 'planned' }, { task, answer, after })
  const drawn = drawnBy(block, exchange)
  const found = await judgeExchange(deps, { exchange, drawn, share: lookAt({ ...deps, exchange, drawn }) }, signal)
  if (found === null) return null
  const { check, checkMs } = found.judged
  return { ...row(found.judged, answer.timing.totalMs), checkMs, prefilled: check?.prefilled, receipt: found.id }
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

/** Logs a forfeit. */
export function tellForfeit(log: Logger, { uid, hotkey, reason, kind, untilBlock, receipt }: Forfeit): void {
  log.warn(
    { event: 'forfeit', uid, hotkey, reason, kind, untilBlock, receipt },
    `uid ${uid} has no weight until block ${untilBlock}: ${reason}; arbor verify ${receipt}`,
  )
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
