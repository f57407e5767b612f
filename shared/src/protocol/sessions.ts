import type { Ss58, UnixMs } from '../units.ts'
import { type Certificate, isLive } from './certificate.ts'
import { type CounterWindow, createCounterWindow } from './counters.ts'
import { OK, type Refusal, refuse } from './refusal.ts'
import { NO_MARK, newerMark, type SessionMark, type SessionStore } from './session-store.ts'

/** How much a table remembers. */
export interface SessionLimits {
  /** Live sessions of one hotkey: its processes, and those it restarted within an hour. */
  readonly perHotkey: number
  /** Live sessions in all: 2 048 × 2 KB = 4 MB. */
  readonly all: number
  /** Hotkeys whose floors are kept in memory until their newest certificate is over. */
  readonly hotkeys: number
}
export const SESSION_LIMITS: SessionLimits = { perHotkey: 8, all: 2_048, hotkeys: 16_384 }

/** Floors of hotkeys whose certificates are over are dropped that often, in one write. */
const SWEEP_EVERY_MS = 60_000

/** A session that the miner knows. */
export interface LiveSession {
  readonly certificate: Certificate
  readonly window: CounterWindow
}

/** The askers' sessions that a miner knows: bounded, and never the same one twice. */
export interface SessionTable {
  /** Finds a session; null when it is unknown and needs its certificate. */
  find(
    key: string,
    now: UnixMs,
  ): { readonly ok: true; readonly session: LiveSession | null } | Refusal<'WIRE_SESSION_EXPIRED'>
  /** Judges whether an unknown session is newer than its hotkey's floor; cheap, so before its signature is verified. */
  judge(certificate: Certificate): { readonly ok: true } | Refusal<'WIRE_SESSION_OLD'>
  /** Admits a verified session and writes it to the store, once. */
  admit(
    certificate: Certificate,
    now: UnixMs,
  ): { readonly ok: true; readonly session: LiveSession } | Refusal<'WIRE_SESSION_OLD' | 'WIRE_SESSIONS_FULL'>
  /** Live and expired sessions in memory. */
  readonly size: number
  /** Hotkeys with a floor or a session. */
  readonly hotkeys: number
}

/** What is known of a hotkey. */
interface Owner {
  readonly sessions: Map<string, LiveSession>
  /** Sessions issued up to then are refused unless they are in the table. */
  floor: UnixMs
  /** Newest times of all that were admitted. */
  newest: SessionMark
}

/** Opens a table on its store: what was admitted before a restart is refused, its asker opens a new session. */
export const openSessionTable = (of: {
  readonly store: SessionStore
  readonly limits?: SessionLimits
}): SessionTable => {
  const { store } = of
  const limits = of.limits ?? SESSION_LIMITS
  const sessions = new Map<string, LiveSession>()
  const owners = new Map<Ss58, Owner>()
  for (const [hotkey, newest] of store.floors())
    owners.set(hotkey, { sessions: new Map(), floor: newest.issuedAt, newest })
  let forgotten = store.forgotten()
  let sweptAt = Number.NEGATIVE_INFINITY

  /** Drops a session; whoever stole it cannot bring it again. */
  const drop = (session: LiveSession): void => {
    const { key, address, issuedAt } = session.certificate
    const owner = owners.get(address)
    sessions.delete(key)
    owner?.sessions.delete(key)
    if (owner !== undefined) owner.floor = Math.max(owner.floor, issuedAt) as UnixMs
  }

  /** Drops what has expired, and hotkeys of which nothing is left that could be brought again. */
  const sweep = (now: UnixMs): void => {
    sweptAt = now
    for (const session of sessions.values()) if (session.certificate.expiresAt <= now) drop(session)
    const over = [...owners].filter(([, owner]) => owner.sessions.size === 0 && owner.newest.expiresAt <= now)
    if (over.length === 0) return
    const mark = over.reduce((newest, [, owner]) => newerMark(newest, owner.newest), forgotten)
    const hotkeys = over.map(([hotkey]) => hotkey)
    store.forget(hotkeys, mark)
    forgotten = mark
    for (const hotkey of hotkeys) owners.delete(hotkey)
  }

  const isOld = ({ address, issuedAt, expiresAt }: Certificate): boolean => {
    const owner = owners.get(address)
    if (owner !== undefined && issuedAt <= owner.floor) return true
    // It may be one that was forgotten, should the clock have gone back since.
    return issuedAt <= forgotten.issuedAt && expiresAt <= forgotten.expiresAt
  }

  /** Finds what must go for a newcomer: null when nothing must, a refusal when nothing may. */
  const evictee = (newcomer: Certificate): LiveSession | null | Refusal<'WIRE_SESSION_OLD' | 'WIRE_SESSIONS_FULL'> => {
    const owner = owners.get(newcomer.address)
    if (owner === undefined && owners.size >= limits.hotkeys) return refuse('WIRE_SESSIONS_FULL')
    const own = owner?.sessions ?? new Map<string, LiveSession>()
    if (own.size >= limits.perHotkey) {
      const oldest = oldestOf(own)
      return oldest !== null && newcomer.issuedAt <= oldest.certificate.issuedAt ? refuse('WIRE_SESSION_OLD') : oldest
    }
    if (sessions.size < limits.all) return null
    const most = [...owners.values()].reduce((a, b) => (b.sessions.size > a.sessions.size ? b : a))
    return most.sessions.size > own.size + 1 ? oldestOf(most.sessions) : refuse('WIRE_SESSIONS_FULL')
  }

  /** Finds what must go; what has expired makes room before anything live does. */
  const makeRoom = (certificate: Certificate, now: UnixMs): ReturnType<typeof evictee> => {
    if (now - sweptAt >= SWEEP_EVERY_MS || now < sweptAt || evictee(certificate) !== null) sweep(now)
    return isOld(certificate) ? refuse('WIRE_SESSION_OLD') : evictee(certificate)
  }

  const admit: SessionTable['admit'] = (certificate, now) => {
    const { key, id, address: hotkey, issuedAt, expiresAt } = certificate
    const known = sessions.get(key)
    if (known !== undefined) return { ok: true, session: known }
    const found = makeRoom(certificate, now)
    if (found !== null && 'ok' in found) return found
    store.admit({ hotkey, id, issuedAt, expiresAt })
    if (found !== null) drop(found)
    const session: LiveSession = { certificate, window: createCounterWindow() }
    const owner = owners.get(hotkey) ?? { sessions: new Map(), floor: -1 as UnixMs, newest: NO_MARK }
    owner.newest = newerMark(owner.newest, { issuedAt, expiresAt })
    owner.sessions.set(key, session)
    owners.set(hotkey, owner)
    sessions.set(key, session)
    return { ok: true, session }
  }

  return {
    find: (key, now) => {
      const session = sessions.get(key) ?? null
      return session === null || isLive(session.certificate, now)
        ? { ok: true, session }
        : refuse('WIRE_SESSION_EXPIRED')
    },
    judge: (certificate) => (isOld(certificate) ? refuse('WIRE_SESSION_OLD') : OK),
    admit,
    get size() {
      return sessions.size
    },
    get hotkeys() {
      return owners.size
    },
  }
}

const oldestOf = (sessions: ReadonlyMap<string, LiveSession>): LiveSession | null => {
  let oldest: LiveSession | null = null
  for (const session of sessions.values())
    if (oldest === null || session.certificate.issuedAt < oldest.certificate.issuedAt) oldest = session
  return oldest
}
