import type { Clock } from '@arbor/shared/clock'
import { type Counters, createCounters } from '@arbor/shared/protocol/counters'
import { ALLOWED_SKEW_MS } from '@arbor/shared/protocol/limits'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Ms, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import type { SpeakerLog } from './speaker.ts'

/** The validator's session, with what it has counted. */
export interface OwnSession {
  readonly session: Session
  readonly counters: Counters
  /** Miners that have taken its certificate. */
  readonly met: Set<Ss58>
}

export interface OwnSessions {
  /**
   * The session to ask with now; opens or renews it as needed. Rejects with the signal's reason when it aborts first.
   * @throws SIGNER_* and others when there is none and none can be had
   */
  current(signal: AbortSignal): Promise<OwnSession>
  /** Our hotkey is registered since that block; a session of another registration ends. */
  registered(at: Block): void
  /**
   * A miner takes this session for one of before its restart, so another is opened: seldom on one miner's word, since each new
   * one costs every miner a check. @returns false when that miner has had its turn
   */
  retire(own: OwnSession, on: Ss58): boolean
}

/** A miner may end our session this often; honest ones do so once a restart. */
const RETIRED_BY_ONE_MS = 600_000
/** All of them together. */
const RETIRED_BY_ALL_MS = 2_000
/** A hotkey may lie in another process, whose owner may have to be asked. */
const SIGNED_WITHIN_MS = 10_000 as Ms
/** A renewal that failed is tried again after that long. */
const RETRY_MS = 10_000

/**
 * Keeps one session for asking all miners. It is renewed at half its life while the old one still serves, so that a question
 * waits for the hotkey's holder at the start only.
 * @param of.lifetimeMs of a session; a miner accepts up to 24 h
 */
export const createOwnSessions = (of: {
  readonly signer: Signer
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  readonly clock: Clock
  readonly lifetimeMs: Ms
  readonly randomBytes: (length: number) => Uint8Array
  readonly log: SpeakerLog
}): OwnSessions => {
  const { clock } = of
  let registeredAt: Block | null = null
  let held: OwnSession | null = null
  let opening: Promise<OwnSession> | null = null
  let lastIssuedAt = 0
  let failedAt = Number.NEGATIVE_INFINITY
  let retiredAt = Number.NEGATIVE_INFINITY
  const retirers = new Map<Ss58, number>()

  const open = async (at: Block): Promise<OwnSession> => {
    const now = clock.now()
    // After a clock that went back, no miner takes one issued later than the last.
    const issuedAt = (isAhead(lastIssuedAt, now) ? now : Math.max(now, lastIssuedAt + 1)) as UnixMs
    lastIssuedAt = issuedAt
    const { signer, genesisHash, netuid, lifetimeMs, randomBytes } = of
    const fields = { signer, genesisHash, netuid, lifetimeMs, randomBytes, registeredAt: at, issuedAt }
    const session = await openSession({ ...fields, purpose: 'ask', audience: null })
    return { session, counters: createCounters(), met: new Set() }
  }

  const signedInTime = async (work: Promise<OwnSession>): Promise<OwnSession> => {
    const stop = new AbortController()
    const late = clock.sleep(SIGNED_WITHIN_MS, stop.signal).then((): never => {
      throw new Error(`the hotkey did not sign within ${SIGNED_WITHIN_MS} ms`)
    })
    return await Promise.race([work, late]).finally(() => stop.abort(new Error('signed')))
  }

  const renew = (): Promise<OwnSession> => {
    if (registeredAt === null) return Promise.reject(new Error('our registration is not known yet'))
    const at = registeredAt
    opening ??= signedInTime(open(at)).then(
      (own) => {
        opening = null
        if (at !== registeredAt) return renew() // it changed under way
        held = own
        return own
      },
      (error: unknown) => {
        opening = null
        failedAt = clock.monotonic()
        throw error
      },
    )
    return opening
  }

  /** Opens or renews, and waits for that until the signal aborts. */
  const within = async (signal: AbortSignal): Promise<OwnSession> => {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([renew(), aborted])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  const current = (signal: AbortSignal): Promise<OwnSession> => {
    if (held === null) return within(signal)
    const { issuedAt, expiresAt } = held.session.certificate
    const now = clock.now()
    const life = expiresAt - issuedAt
    if (now >= issuedAt + life * LAST_USE || isAhead(issuedAt, now)) return within(signal)
    if (now >= issuedAt + life / 2 && opening === null && clock.monotonic() - failedAt >= RETRY_MS) {
      void renew().catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        of.log.warn({ event: 'session.not-renewed', error: why }, `the session could not be renewed: ${why}`)
      })
    }
    return Promise.resolve(held)
  }

  const retire: OwnSessions['retire'] = (own, on) => {
    if (own !== held) return true // it has been replaced already
    const now = clock.monotonic()
    const since = now - (retirers.get(on) ?? Number.NEGATIVE_INFINITY)
    if (since < RETIRED_BY_ONE_MS || now - retiredAt < RETIRED_BY_ALL_MS) return false
    for (const [hotkey, at] of retirers) if (now - at >= RETIRED_BY_ONE_MS) retirers.delete(hotkey)
    retirers.set(on, now)
    retiredAt = now
    held = null
    return true
  }

  return {
    current,
    retire,
    registered: (at) => {
      if (at === registeredAt) return
      registeredAt = at
      held = null
    },
  }
}

/** Tells whether a session is of a time that has not come yet, as far as honest clocks agree. */
const isAhead = (issuedAt: number, now: number): boolean => issuedAt > now + ALLOWED_SKEW_MS

/** Share of its life after which a session is not used any more: the answer must come before it ends. */
const LAST_USE = 0.95
