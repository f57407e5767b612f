import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import { isLive } from '@arbor/shared/protocol/certificate'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import type { Signer } from '@arbor/shared/signer'
import type { Loop } from '@arbor/shared/supervise'
import type { Block, Ms, NetUid } from '@arbor/shared/units'

/** The sessions that a miner serves with: the newest, and those before it until they expire. */
export interface ServeSessions {
  /** The newest that lives; null when none does, since the hotkey has not signed another in time. */
  current(): Session | null
  /** A living session by its key; null for any other. */
  find(key: string): Session | null
  /** Tells in which block the hotkey is registered now; another one than certified is certified soon. */
  registered(at: Block): void
  /** Opens a session at half the life of the one before, and when the registration changes. */
  readonly renew: Loop
  /** Yields after each renewal until the signal aborts. */
  renewals(signal: AbortSignal): AsyncIterable<Session>
}

export interface ServeSessionsDeps {
  readonly signer: Signer
  readonly clock: Clock
  readonly log: Logger
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  readonly registeredAt: Block
  /** Fresh secret bytes of the length asked for. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly lifetimeMs?: Ms
}

/** Pause before a signer that refused, or was away, is asked again. */
const RETRY_MS = 5_000 as Ms
/** Sessions that live at once: two by time, more only when registrations change within a life. */
const MAX_SESSIONS = 4

/**
 * Opens the first session.
 * @throws SIGNER_* when the hotkey does not sign
 */
export const openServeSessions = async (deps: ServeSessionsDeps): Promise<ServeSessions> => {
  const { clock, log } = deps
  const sessions: Session[] = []
  const watchers = new Set<() => void>()
  let registeredAt = deps.registeredAt
  let wake = (): void => undefined

  const open = async (): Promise<void> => {
    const session = await openSession({
      ...deps,
      registeredAt,
      purpose: 'serve',
      audience: null,
      issuedAt: clock.now(),
    })
    sessions.unshift(session)
    sessions.splice(MAX_SESSIONS)
    for (const tell of watchers) tell()
  }
  const live = (session: Session): boolean => isLive(session.certificate, clock.now())
  const current = (): Session | null => sessions.find(live) ?? null

  /** Time until the next session is due; 0 or less when it is due already. */
  const dueInMs = (): number => {
    const { certificate } = sessions[0] ?? {}
    if (certificate === undefined || certificate.registeredAt !== registeredAt) return 0
    const { issuedAt, expiresAt } = certificate
    const now = clock.now()
    // A clock that went back makes the newest session one of the future, which no reader accepts.
    return isLive(certificate, now) ? issuedAt + (expiresAt - issuedAt) / 2 - now : 0
  }
  const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
    const woken = new AbortController()
    wake = () => woken.abort()
    await clock.sleep(ms as Ms, AbortSignal.any([signal, woken.signal])).catch(() => signal.throwIfAborted())
  }
  const renew: Loop = async (signal) => {
    for (;;) {
      const ms = dueInMs()
      if (ms > 0) {
        await pause(Math.min(ms, LOOK_AT_CLOCK_MS), signal)
        continue
      }
      try {
        await open()
        log.info({ event: 'miner.session', expiresAt: sessions[0]?.certificate.expiresAt }, 'session renewed')
      } catch (error) {
        signal.throwIfAborted()
        log.warn({ event: 'miner.session_failed', error: String(error) }, 'the hotkey signs no new session')
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }
  async function* renewals(signal: AbortSignal): AsyncIterable<Session> {
    let changed = Promise.withResolvers<void>()
    const tell = (): void => changed.resolve()
    watchers.add(tell)
    signal.addEventListener('abort', tell, { once: true })
    try {
      while (!signal.aborted) {
        await changed.promise
        changed = Promise.withResolvers()
        const session = current()
        if (session !== null && !signal.aborted) yield session
      }
    } finally {
      watchers.delete(tell)
      signal.removeEventListener('abort', tell)
    }
  }
  await open()
  return {
    current,
    find: (key) => sessions.find((session) => session.certificate.key === key && live(session)) ?? null,
    registered: (at) => {
      if (at === registeredAt) return
      registeredAt = at
      wake()
    },
    renew,
    renewals,
  }
}

/** A sleeping machine's timers stand still while its clock goes on, so the clock is looked at that often. */
const LOOK_AT_CLOCK_MS = 30_000
