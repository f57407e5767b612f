import type { Clock } from '@arbor/shared/clock'
import type { Gate } from '@arbor/shared/gate'
import type { Alpha, Block, Ss58 } from '@arbor/shared/units'
import type { RefusalCode } from '../refusal.ts'
import type { CallerLists } from './lists.ts'
import type { RateLimit, Taken } from './rate-limit.ts'
import { remoteKey } from './remote.ts'
import { admitCaller, type CallerVerdict, type SubnetView } from './subnet-view.ts'

/** A place at work, or the refusal of one. */
export type Entry =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly code: RefusalCode; readonly retryAfterS: number | null }

/** Decides who is served, whatever protocol they speak. */
export interface Admission {
  /** Judges a hotkey by the newest metagraph, and the registration that it claims, if it claims one. */
  caller(hotkey: Ss58, registeredAt?: Block): CallerVerdict
  /** Takes one of the costly signature checks that a socket address may cause; asked before each of them. */
  check(remote: string): Taken
  /** Admits a proven caller: lists, its rate, then a place in the queue by stake. Rejects with the signal's reason. */
  enter(of: { readonly caller: Ss58; readonly stake: Alpha; readonly signal: AbortSignal }): Promise<Entry>
}

export interface AdmissionDeps {
  readonly clock: Clock
  readonly minStake: Alpha
  /** The newest view of the subnet. */
  readonly view: () => SubnetView
  readonly lists: CallerLists
  /** By hotkey. */
  readonly rate: RateLimit
  /** By socket address. */
  readonly checks: RateLimit
  readonly gate: Gate
}

/** Weight of the newest job in the average of how long one takes. */
const NEWEST_SHARE = 0.2
/** Longest time that a caller is told to stay away. */
const MAX_RETRY_S = 60

/** Creates the admission that all routes of a miner share. */
export const createAdmission = (deps: AdmissionDeps): Admission => {
  const { clock, gate } = deps
  let averageMs = 0

  /** A place is held from here until it is released: that time, averaged, tells when the next one comes free. */
  const timed = (release: () => void): (() => void) => {
    const startedAt = clock.monotonic()
    let released = false
    return () => {
      if (released) return
      released = true
      const ms = clock.monotonic() - startedAt
      averageMs = averageMs === 0 ? ms : (1 - NEWEST_SHARE) * averageMs + NEWEST_SHARE * ms
      release()
    }
  }
  /** Time until everybody who is here now has been served. */
  const retryAfterS = (): number => {
    const rounds = Math.ceil((gate.waiting + 1) / Math.max(1, gate.working))
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil((rounds * averageMs) / 1_000)))
  }
  return {
    caller: (caller, registeredAt) => admitCaller({ view: deps.view(), caller, registeredAt, minStake: deps.minStake }),
    check: (remote) => deps.checks.take(remoteKey(remote)),
    enter: async ({ caller, stake, signal }) => {
      if (!deps.lists.admits(caller)) return { ok: false, code: 'MINER_DENIED', retryAfterS: null }
      const taken = deps.rate.take(caller)
      if (!taken.ok) return { ok: false, code: 'MINER_RATE', retryAfterS: taken.retryAfterS }
      const place = await gate.enter({ priority: stake, signal })
      if (place.admitted) return { ok: true, release: timed(place.release) }
      return { ok: false, code: 'MINER_BUSY', retryAfterS: retryAfterS() }
    },
  }
}
