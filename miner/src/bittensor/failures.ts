import type { Clock } from '@arbor/shared/clock'
import { createRateLimit } from '../admission/rate-limit.ts'
import { remoteKey } from '../admission/remote.ts'

/** Signatures that may fail from one address: what a wrong clock or key of one validator costs, and no more than 4 ms of each second. */
const FAILURES = { perSecond: 16, burst: 64, maxKeys: 4_096 } as const

/** Keeps who sends wrong signatures from having more of them verified. */
export interface Failures {
  /** Seconds until the address may have a signature verified again; null when it may now. */
  shutFor(remote: string): number | null
  /** Counts a signature that did not hold. */
  count(remote: string): void
}

/** Creates the count of failed signatures for each socket address. */
export const createFailures = (clock: Clock): Failures => {
  const limit = createRateLimit({ ...FAILURES, clock })
  const shut = new Map<string, number>()
  return {
    shutFor: (remote) => {
      const until = shut.get(remoteKey(remote))
      if (until === undefined) return null
      const left = until - clock.monotonic()
      if (left > 0) return Math.ceil(left / 1_000)
      shut.delete(remoteKey(remote))
      return null
    },
    count: (remote) => {
      const key = remoteKey(remote)
      const taken = limit.take(key)
      if (taken.ok) return
      shut.delete(key)
      shut.set(key, clock.monotonic() + taken.retryAfterS * 1_000)
      if (shut.size > FAILURES.maxKeys) for (const oldest of shut.keys()) return void shut.delete(oldest)
    },
  }
}
