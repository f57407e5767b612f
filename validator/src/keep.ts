import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { type Backoff, type ErrorBudget, runSteps, type StepListener } from '@arbor/shared/supervise'
import type { Logger } from 'pino'
import type { LoopBounds } from './health/liveness.ts'

/** A validator's loop, before it is kept. */
export interface KeptLoop<Work> {
  /** One word: it names the loop in logs, metrics and errors. */
  readonly name: string
  /** Waits for what the next step works on. */
  readonly next: (signal: AbortSignal) => Promise<Work>
  readonly step: (work: Work, signal: AbortSignal) => Promise<void>
  /** Milliseconds that one step may take. */
  readonly timeoutMs: number
  /** Milliseconds after which a loop that waits counts as dead for `/livez`; none where nothing may come for any time. */
  readonly idleMs?: number
  readonly budget?: ErrorBudget
  readonly backoff?: Backoff
}

/** Runs a loop under its deadline, backoff and error budget, until the signal or an error that ends the process. */
export type Keep = <Work>(loop: KeptLoop<Work>, signal: AbortSignal) => Promise<void>

/** A loop that fails this often in half an hour is broken; by its backoff, that is when nothing works any more. */
export const BUDGET: ErrorBudget = { failures: 20, withinMs: 1_800_000 }
/** One second, doubling up to a minute. */
export const BACKOFF: Backoff = { firstMs: 1_000, mostMs: 60_000 }

/** Errors that no repetition mends: of a client that has given up, of a store that is spoilt, of a log that is not what was signed. */
const FATAL = new Set([
  'CHAIN_BEHIND',
  'CHAIN_CLOSED',
  'CHAIN_FORK',
  'CHAIN_OTHER_GENESIS',
  'CHAIN_UNREACHABLE',
  'ENGINE_DEAD',
  'LEDGER_EDITED',
  'LOG_BEHIND_ANCHOR',
  'LOG_EDITED',
  'LOG_EQUIVOCATION',
  'LOG_OTHER',
  'LOG_TRUNCATED',
  'LOG_EDITED',
  'LOG_EQUIVOCATION',
  'LOG_OTHER',
  'LOG_TRUNCATED',
  'STORE_DAMAGED',
  'STORE_NOT_A_DATABASE',
  'STORE_NOT_A_FILE',
  'STORE_READ_ONLY',
  'STORE_TRUNCATED',
  'SUPERVISE_LOOP_ENDED',
  'VALIDATOR_DEREGISTERED',
])

/** Makes what keeps a validator's loops; every failure is logged as `loop.failed` with the loop's name. */
export const createKeep =
  (deps: {
    readonly clock: Clock
    readonly log: Logger
    /** Hears each loop's steps. */
    readonly listenerOf?: (bounds: LoopBounds) => StepListener
  }): Keep =>
  (loop, signal) => {
    const heard = deps.listenerOf?.({ name: loop.name, stepMs: loop.timeoutMs, idleMs: loop.idleMs ?? null })
    return runSteps({
      budget: BUDGET,
      backoff: BACKOFF,
      ...loop,
      clock: deps.clock,
      signal,
      isFatal: (error) => error instanceof SubnetError && FATAL.has(error.code),
      listener: {
        begun: () => heard?.begun(),
        done: (ms) => heard?.done(ms),
        failed: (error, pauseMs) => {
          const why = error instanceof Error ? error.message : String(error)
          const code = error instanceof SubnetError ? error.code : 'INTERNAL'
          deps.log.warn(
            { event: 'loop.failed', loop: loop.name, code, pauseMs },
            `the loop "${loop.name}" failed and goes on in ${pauseMs} ms: ${code}: ${why}`,
          )
          heard?.failed(error, pauseMs)
        },
      },
    })
  }
