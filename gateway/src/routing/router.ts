import type { Clock } from '@arbor/shared/clock'
import type { PlannedTask } from '@arbor/validator/plan'
import { createHealth, type Health } from './health.ts'

/** A miner that can be asked. */
export interface Candidate extends Pick<PlannedTask, 'hotkey' | 'uid' | 'registeredAt' | 'axon'> {
  /** Share of questions relative to others, from its score; above 0. */
  readonly weight: number
}

/** How asking a miner ended, as far as the next choice depends on it. */
export type Settled =
  | { readonly kind: 'answered'; readonly ms: number }
  /** It failed. `soft` when it was merely full. */
  | { readonly kind: 'failed'; readonly soft: boolean }
  /** Neither its merit nor its fault. */
  | { readonly kind: 'void' }

/** A place at a miner, to be settled once. */
export interface Seat {
  readonly miner: Candidate
  settle(how: Settled): void
  /** Says later, of a seat that was settled as void, that its miner failed after all. */
  blame(): void
}

/** What a request for a seat came to. */
export type Seating =
  | { readonly ok: true; readonly seat: Seat }
  /** `none`: nobody (else) serves; `full`: too many wait; `late`: no seat came free in time; `closed`: the gateway stops. */
  | { readonly ok: false; readonly reason: 'none' | 'full' | 'late' | 'closed' }

export interface RouterLimits {
  /** Questions in flight at once. */
  readonly inFlight: number
  readonly perMiner: number
  /** Questions that wait for a seat. */
  readonly waiting: number
}

/** Chooses miners by score and load, and lets questions wait while all are busy. */
export interface Router {
  readonly inFlight: number
  readonly waiting: number
  /** Miners that can be asked, with how they have been lately. */
  miners(): readonly MinerState[]
  update(candidates: readonly Candidate[]): void
  /**
   * Takes a seat. Rejects with the signal's reason when it aborts first.
   * @param of.tried hotkeys that are not to be asked again
   * @param of.late aborts when the caller has waited enough
   */
  take(of: {
    readonly tried: ReadonlySet<string>
    readonly late: AbortSignal
    readonly signal: AbortSignal
  }): Promise<Seating>
  /** Refuses who waits and who comes. */
  close(): void
}

export interface MinerState {
  readonly miner: Candidate
  readonly inFlight: number
  /** Whether it is left alone for a while after failures. */
  readonly resting: boolean
  /** Moving average of its answers' times; null before the first. */
  readonly latencyMs: number | null
}

interface Waiter {
  readonly tried: ReadonlySet<string>
  readonly settle: (seating: Seating) => void
}

/**
 * Creates a router: of two miners drawn by their weights, the one with less to do is asked. Miners that fail rest, each time for
 * longer; when all rest, the question goes to one of them all the same.
 * @param of.random draws in [0, 1)
 */
export const createRouter = (of: {
  readonly limits: RouterLimits
  readonly clock: Clock
  readonly random: () => number
}): Router => {
  const { limits, clock, random } = of
  const health = new Map<string, Health>()
  const waiters = new Set<Waiter>()
  let candidates: readonly Candidate[] = []
  let inFlight = 0
  let closed = false

  const healthOf = (miner: Candidate): Health => {
    const known = health.get(miner.hotkey) ?? createHealth(clock)
    health.set(miner.hotkey, known)
    return known
  }

  /** Expected wait of one more question; who was never asked counts as the fastest. */
  const cost = (miner: Candidate): number => {
    const { inFlight: busy, latencyMs } = healthOf(miner)
    return (busy + 1) * (latencyMs ?? 1)
  }

  const choose = (tried: ReadonlySet<string>): Candidate | 'busy' | 'none' => {
    const untried = candidates.filter(({ hotkey }) => !tried.has(hotkey))
    if (untried.length === 0) return 'none'
    if (inFlight >= limits.inFlight) return 'busy'
    const free = untried.filter((miner) => healthOf(miner).hasRoom(limits.perMiner))
    const awake = free.filter((miner) => !healthOf(miner).resting)
    // A full miner is waited for rather than passed over for one that rests.
    const pool = awake.length > 0 || untried.some((miner) => !healthOf(miner).resting) ? awake : free
    if (pool.length === 0) return 'busy'
    const first = draw(pool, random)
    const others = pool.filter((miner) => miner !== first)
    const second = others.length === 0 ? first : draw(others, random)
    return cost(second) < cost(first) ? second : first
  }

  const sit = (miner: Candidate): Seat => {
    const its = healthOf(miner)
    let isSettled = false
    inFlight += 1
    its.begin()
    return {
      miner,
      settle: (how) => {
        if (isSettled) return
        isSettled = true
        inFlight -= 1
        its.end(how)
        seatWaiters()
      },
      blame: () => its.fail(false),
    }
  }

  const seatWaiters = (): void => {
    for (const waiter of waiters) {
      const chosen = choose(waiter.tried)
      if (chosen === 'busy') continue
      waiters.delete(waiter)
      waiter.settle(chosen === 'none' ? { ok: false, reason: 'none' } : { ok: true, seat: sit(chosen) })
    }
  }

  const take: Router['take'] = ({ tried, late, signal }) => {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (closed) return Promise.resolve({ ok: false, reason: 'closed' })
    const chosen = choose(tried)
    if (chosen === 'none') return Promise.resolve({ ok: false, reason: 'none' })
    if (chosen !== 'busy') return Promise.resolve({ ok: true, seat: sit(chosen) })
    if (waiters.size >= limits.waiting) return Promise.resolve({ ok: false, reason: 'full' })
    if (late.aborted) return Promise.resolve({ ok: false, reason: 'late' })
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
        late.removeEventListener('abort', onLate)
      }
      const onAbort = (): void => {
        leave()
        reject(signal.reason)
      }
      const onLate = (): void => waiter.settle({ ok: false, reason: 'late' })
      const waiter: Waiter = {
        tried,
        settle: (seating) => {
          leave()
          resolve(seating)
        },
      }
      waiters.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
      late.addEventListener('abort', onLate, { once: true })
    })
  }

  return {
    get inFlight() {
      return inFlight
    },
    get waiting() {
      return waiters.size
    },
    miners: () =>
      candidates.map((miner) => {
        const { inFlight: busy, resting, latencyMs } = healthOf(miner)
        return { miner, inFlight: busy, resting, latencyMs }
      }),
    update: (fresh) => {
      candidates = fresh
      const hotkeys = new Set(fresh.map(({ hotkey }) => String(hotkey)))
      for (const [hotkey, its] of health) if (!hotkeys.has(hotkey) && its.inFlight === 0) health.delete(hotkey)
      seatWaiters()
    },
    take,
    close: () => {
      closed = true
      for (const waiter of [...waiters]) waiter.settle({ ok: false, reason: 'closed' })
    },
  }
}

/** Draws by weight. */
const draw = (pool: readonly Candidate[], random: () => number): Candidate => {
  let left = random() * pool.reduce((sum, { weight }) => sum + weight, 0)
  for (const miner of pool) {
    left -= miner.weight
    if (left < 0) return miner
  }
  const last = pool.at(-1)
  if (last === undefined) throw new Error('nobody to draw from')
  return last
}
