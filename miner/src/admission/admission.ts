import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Gate } from '@arbor/shared/gate'
import type { Alpha, Block, Ss58 } from '@arbor/shared/units'
import type { RefusalCode } from '../refusal.ts'
import { createBodyRoom, type TakenRoom } from './body-room.ts'
import { either } from './either.ts'
import type { CallerLists } from './lists.ts'
import type { RateLimit, Taken } from './rate-limit.ts'
import { remoteKey } from './remote.ts'
import { admitCaller, type CallerVerdict, type SubnetView } from './subnet-view.ts'

/** A place at work, or the refusal of one. */
export type Entry =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly code: RefusalCode; readonly retryAfterS: number | null }

type Refused = Exclude<Entry, { ok: true }>

/** A proven caller whose body may come. It waits for no thread yet, so that a slow body holds none. */
export interface Seat {
  readonly ok: true
  /** Aborts when a caller with more stake takes the room of this body, which then has no place to come to. */
  readonly evicted: AbortSignal
  /** Waits for a place at work by stake, once the body is there. Rejects with the signal's reason, unless its room was taken. */
  work(signal: AbortSignal): Promise<Entry>
  /** Gives up the seat, and the place at work if it has one. Calls after the first do nothing. */
  leave(): void
}

/** Decides who is served, whatever protocol they speak. */
export interface Admission {
  /** Judges a hotkey by the newest metagraph, and the registration that it claims, if it claims one. */
  caller(hotkey: Ss58, registeredAt?: Block): CallerVerdict
  /** Takes one of the costly signature checks that a socket address may cause; asked before each of them. */
  check(remote: string): Taken
  /** Admits a proven caller before its body: lists, its rate, room in the queue, and for so many bytes. */
  seat(of: { readonly caller: Ss58; readonly stake: Alpha; readonly bytes: number }): Seat | Refused
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
  const meet = (caller: Ss58): Refused | null => {
    if (!deps.lists.admits(caller)) return { ok: false, code: 'MINER_DENIED', retryAfterS: null }
    const taken = deps.rate.take(caller)
    return taken.ok ? null : { ok: false, code: 'MINER_RATE', retryAfterS: taken.retryAfterS }
  }
  const busy = (): Refused => ({ ok: false, code: 'MINER_BUSY', retryAfterS: retryAfterS() })
  const work = async (stake: Alpha, signal: AbortSignal): Promise<Entry> => {
    const place = await gate.enter({ priority: stake, signal })
    return place.admitted ? { ok: true, release: timed(place.release) } : busy()
  }
  const bodies = createBodyRoom()
  return {
    caller: (caller, registeredAt) => admitCaller({ view: deps.view(), caller, registeredAt, minStake: deps.minStake }),
    check: (remote) => deps.checks.take(remoteKey(remote)),
    seat: ({ caller, stake, bytes }) => {
      const refused = meet(caller)
      if (refused !== null) return refused
      if (!gate.hasRoom(stake)) return busy()
      const evicted = new AbortController()
      const room = bodies.take({ caller, stake, bytes, evict: () => evicted.abort(roomTaken()) })
      if (room === null) return busy()
      return createSeat({ room, evicted: evicted.signal, busy, work: (signal) => work(stake, signal) })
    },
  }
}

const roomTaken = (): SubnetError =>
  new SubnetError({
    code: 'MINER_BUSY',
    message: 'A caller with more stake took the room of this body',
    retryable: true,
  })

const createSeat = (of: {
  readonly room: TakenRoom
  readonly evicted: AbortSignal
  readonly busy: () => Refused
  readonly work: (signal: AbortSignal) => Promise<Entry>
}): Seat => {
  const { room, evicted } = of
  let left = false
  let release = (): void => undefined
  return {
    ok: true,
    evicted,
    work: async (signal) => {
      if (evicted.aborted) return of.busy()
      const both = either(signal, evicted)
      const entry = await of.work(both).catch((error: unknown) => {
        if (evicted.aborted) return of.busy()
        throw error
      })
      if (!entry.ok) return entry
      if (evicted.aborted) {
        entry.release() // its room was taken while the place came
        return of.busy()
      }
      room.keep()
      release = entry.release
      if (left) release() // its caller went while the place came
      return entry
    },
    leave: () => {
      if (left) return
      left = true
      release()
      room.giveBack()
    },
  }
}
