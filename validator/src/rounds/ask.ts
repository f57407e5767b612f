import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@arbor/shared/clock'
import type { Block, Ms, Uid } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Answer } from '../dendrite/answer.ts'
import type { AskedMiner, PlannedTask, Question } from '../plan.ts'
import { type KeptAnswer, outcomeOf } from './outcome.ts'
import type { RunLedger } from './runs.ts'

/** Asks one miner; every way in which it can misbehave is a value, and so is what kept us from asking. */
export type AskMiner = (task: PlannedTask, signal: AbortSignal) => Promise<Answer>

export interface AskDeps {
  readonly ask: AskMiner
  readonly ledger: Pick<RunLedger, 'keepAnswers'>
  readonly clock: Clock
  readonly log: Logger
}

/** Questions that are derived and handed out before others have their turn. */
const SLICE = 32
/** Answers that are written at once: each write waits for the disk. */
const BATCH = 64
/** Milliseconds that an answer waits for others to be written with. */
const KEEP_WITHIN_MS = 250

/** Asks miners, and keeps every outcome soon after it is there: what a kill loses is asked again. */
export async function askMiners(
  deps: AskDeps,
  of: {
    readonly roundBlock: Block
    readonly repeat: number
    readonly miners: readonly AskedMiner[]
    readonly questionOf: (miner: AskedMiner) => Question
  },
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const kept = keeper(deps, of.roundBlock, (error) => stop.abort(error))
  const until = AbortSignal.any([signal, stop.signal])
  try {
    const asked: Promise<void>[] = []
    for (const [index, miner] of of.miners.entries()) {
      const { hotkey, uid, registeredAt } = miner
      const task: PlannedTask = { ...miner, ...of.questionOf(miner) }
      const done = deps.ask(task, until).then((answer) => {
        tell(deps.log, uid, answer)
        kept.add({ hotkey, uid, registeredAt, repeat: of.repeat, outcome: outcomeOf(answer) })
      })
      done.catch(() => undefined) // it may reject while others are still handed out; it is heard below
      asked.push(done)
      if (index % SLICE === SLICE - 1) await setImmediate()
      until.throwIfAborted()
    }
    await Promise.all(asked)
    until.throwIfAborted()
  } finally {
    kept.close()
  }
  until.throwIfAborted()
}

/**
 * Writes answers by batches, and what is left when it is closed. What cannot be written stays for the next try.
 * @param failed hears why a batch was not written
 */
function keeper(
  { ledger, clock }: AskDeps,
  roundBlock: Block,
  failed: (error: unknown) => void,
): { add(answer: KeptAnswer): void; close(): void } {
  let waiting: KeptAnswer[] = []
  let patience: AbortController | null = null
  const write = (): void => {
    patience?.abort()
    patience = null
    if (waiting.length === 0) return
    try {
      ledger.keepAnswers(roundBlock, waiting)
      waiting = []
    } catch (error) {
      failed(error)
    }
  }
  return {
    add: (answer) => {
      waiting.push(answer)
      if (waiting.length >= BATCH) return write()
      if (patience !== null) return
      const own = new AbortController()
      patience = own
      clock.sleep(KEEP_WITHIN_MS as Ms, own.signal).then(
        () => (patience === own ? write() : undefined),
        () => undefined,
      )
    },
    close: write,
  }
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
