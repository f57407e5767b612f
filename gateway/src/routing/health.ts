import type { Clock } from '@arbor/shared/clock'
import type { Settled } from './router.ts'

/** How one miner has been lately. */
export interface Health {
  readonly inFlight: number
  /** Moving average of its answers' times in milliseconds; null before the first. */
  readonly latencyMs: number | null
  readonly resting: boolean
  /** Whether it takes one more; one that comes back from a rest takes one question to prove itself. */
  hasRoom(perMiner: number): boolean
  begin(): void
  end(how: Settled): void
  /** Counts a failure and lets it rest. @param soft it was merely full */
  fail(soft: boolean): void
}

/** Weight of the newest answer in the average: half of it comes from the last three. */
const NEWEST = 0.2
/** First rest after a failure, doubled with each further one in a row. */
const REST_MS = { first: 2_000, most: 120_000 }
/** The same where the miner was merely full. */
const FULL_MS = { first: 500, most: 8_000 }

/** Creates the health of a miner that nothing is known of. */
export const createHealth = (clock: Clock): Health => {
  let inFlight = 0
  let latencyMs: number | null = null
  let failures = 0
  let restsUntil = Number.NEGATIVE_INFINITY

  const end: Health['end'] = (how) => {
    inFlight -= 1
    if (how.kind === 'failed') fail(how.soft)
    if (how.kind !== 'answered') return
    failures = 0
    restsUntil = Number.NEGATIVE_INFINITY
    latencyMs = latencyMs === null ? how.ms : (1 - NEWEST) * latencyMs + NEWEST * how.ms
  }

  const fail: Health['fail'] = (soft) => {
    const now = clock.monotonic()
    if (now < restsUntil) return // it was asked before it rested: one trouble, counted once
    failures += 1
    const { first, most } = soft ? FULL_MS : REST_MS
    restsUntil = now + Math.min(most, first * 2 ** (failures - 1))
  }

  return {
    get inFlight() {
      return inFlight
    },
    get latencyMs() {
      return latencyMs
    },
    get resting() {
      return clock.monotonic() < restsUntil
    },
    hasRoom: (perMiner) => inFlight < (failures > 0 ? 1 : perMiner),
    begin: () => {
      inFlight += 1
    },
    end,
    fail,
  }
}
