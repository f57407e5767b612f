import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'

/** Waits between two tries, in milliseconds: twice as long each time, up to half a minute. */
const FIRST_MS = 1_000
const MOST_MS = 30_000

/** Does what reads the chain again and again while that fails for a time only: a chain node that is slow or away ends no participant. */
export async function patiently<T>(
  of: {
    readonly clock: Clock
    readonly warn: (fields: object, message: string) => void
    readonly signal: AbortSignal
  },
  work: () => Promise<T>,
): Promise<T> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(2 * waitMs, MOST_MS)) {
    try {
      return await work()
    } catch (error) {
      of.signal.throwIfAborted()
      if (!isOfChain(error)) throw error
      of.warn({ event: 'training.chain', code: error.code }, `${error.message}; tried again in ${waitMs / 1_000} s`)
      await of.clock.sleep(waitMs as Ms, of.signal)
    }
  }
}

/** Tells a failure of the chain's line that passes. */
const isOfChain = (error: unknown): error is SubnetError =>
  error instanceof SubnetError && error.retryable && /^(CHAIN|TRAINING_NO_BLOCK|TRAINING_NO_HEADS)/.test(error.code)
