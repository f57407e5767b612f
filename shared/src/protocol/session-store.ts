import type { Ss58, UnixMs } from '../units.ts'

/** The newest times of sessions that were admitted and are no longer remembered one by one. */
export interface SessionMark {
  readonly issuedAt: UnixMs
  readonly expiresAt: UnixMs
}

/** What outlives a restart. One row a hotkey is enough: its newest `issuedAt` and its newest `expiresAt`. */
export interface SessionStore {
  /** Newest times of each hotkey's admitted sessions; read once, when a table opens. */
  floors(): ReadonlyMap<Ss58, SessionMark>
  /** Newest times of what was forgotten. */
  forgotten(): SessionMark
  /** Remembers a session; on return a restart cannot lose it. @throws when it cannot */
  admit(session: { readonly hotkey: Ss58; readonly id: Uint8Array } & SessionMark): void
  /** Raises the mark of what was forgotten, and drops these hotkeys' rows, both or neither. */
  forget(hotkeys: readonly Ss58[], mark: SessionMark): void
}

/** Nothing was ever admitted. */
export const NO_MARK: SessionMark = { issuedAt: 0 as UnixMs, expiresAt: 0 as UnixMs }

/** Takes the newer of each time. */
export const newerMark = (a: SessionMark, b: SessionMark): SessionMark => ({
  issuedAt: Math.max(a.issuedAt, b.issuedAt) as UnixMs,
  expiresAt: Math.max(a.expiresAt, b.expiresAt) as UnixMs,
})

/** Creates a store in memory, which outlives tables and no process. */
export const createMemorySessionStore = (): SessionStore => {
  const floors = new Map<Ss58, SessionMark>()
  let forgotten = NO_MARK
  return {
    floors: () => new Map(floors),
    forgotten: () => forgotten,
    admit: ({ hotkey, issuedAt, expiresAt }) => {
      floors.set(hotkey, newerMark(floors.get(hotkey) ?? NO_MARK, { issuedAt, expiresAt }))
    },
    forget: (hotkeys, mark) => {
      forgotten = newerMark(forgotten, mark)
      for (const hotkey of hotkeys) floors.delete(hotkey)
    },
  }
}
