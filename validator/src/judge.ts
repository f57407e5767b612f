import { toBytes } from '@arbor/shared/bytes'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { CheckShare } from '@arbor/shared/inference'
import type { Ss58 } from '@arbor/shared/units'
import type { Logger } from 'pino'
import { type Exchange, exchangeId } from './exchange.ts'
import type { Judged } from './judged.ts'
import { type DrawnBy, RECEIPT_FORMAT, type Receipt, type Receipts } from './receipts.ts'
import type { ScoreJob } from './worker.ts'

/** Judges an answer in a worker thread. @throws ENGINE_CRASHED, ENGINE_BUSY and others: then that answer has no verdict; after ENGINE_DEAD the validator ends */
export type Judge = (job: ScoreJob, signal: AbortSignal) => Promise<Judged>

export interface JudgeDeps {
  readonly judge: Judge
  readonly receipts: Pick<Receipts, 'write'>
  readonly clock: Clock
  readonly log: Logger
  /** The validator's own hotkey. */
  readonly self: Ss58
}

/**
 * Judges an exchange and writes its receipt, as far as there is room: the verdict counts without. A crash of the engine costs a batch, whoever caused it: an innocent miner of that batch is judged once
 * more.
 * @returns null when nobody could judge it
 * @throws ENGINE_DEAD when the engine will not come back
 */
export async function judgeExchange(
  deps: JudgeDeps,
  of: { readonly exchange: Exchange; readonly drawn: DrawnBy | null; readonly share: CheckShare | undefined },
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly judged: Judged } | null> {
  const { exchange, drawn, share } = of
  const { task, timing, binding, uid } = exchange
  const request: unknown = JSON.parse(exchange.question)
  const judged = await judgeTwice(
    deps,
    uid,
    () => ({ task, request, response: toBytes(exchange.response), timing, binding, share }),
    signal,
  )
  if (judged === null) return null
  const id = exchangeId(exchange)
  const { reason, value, sigma, check = null } = judged
  keep(deps, {
    format: RECEIPT_FORMAT,
    id,
    exchange,
    drawn,
    share: share ?? null,
    verdict: { reason, value, sigma },
    check,
    judgedBy: deps.self,
    judgedAt: deps.clock.now(),
  })
  return { id, judged }
}

/** Writes a receipt; a full disk costs the file and nothing else. */
function keep({ receipts, log }: JudgeDeps, receipt: Receipt): void {
  try {
    receipts.write(receipt)
  } catch (error) {
    if (!(error instanceof SubnetError) || error.code !== 'RECEIPTS_UNWRITABLE') throw error
    log.error({ event: 'receipt.unwritten', id: receipt.id }, error.message)
  }
}

async function judgeTwice(
  { judge, log }: JudgeDeps,
  uid: number,
  job: () => ScoreJob,
  signal: AbortSignal,
): Promise<Judged | null> {
  let failure: unknown
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await judge(job(), signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SubnetError && error.code === 'ENGINE_DEAD') throw error // nothing will ever be judged again
      failure = error
    }
  }
  const why = failure instanceof Error ? failure.message : String(failure)
  log.error(
    { event: 'judge.failed', uid, task: job().task, error: failure },
    `an answer of uid ${uid} could not be judged: ${why}`,
  )
  return null
}
