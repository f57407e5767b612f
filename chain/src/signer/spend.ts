import type { Clock } from '@arbor/shared/clock'
import type { Rao, Ss58 } from '@arbor/shared/units'
import { guarded } from '../store/guard.ts'
import type { StoreKind } from '../store/kind.ts'
import { openStore } from '../store/open.ts'

/** What hotkeys have been let spend; it outlives the process, so that a restart forgives nothing. */
export interface SpendBook {
  /** Writes a cost down unless it passes the limit together with what the window holds. @returns what was spent before */
  take(hotkey: Ss58, rao: Rao): { readonly ok: boolean; readonly spent: Rao }
  spent(hotkey: Ss58): Rao
  close(): void
}

/** A book of those who may spend nothing: only what is free passes. */
export const noSpending: SpendBook = {
  take: (_, rao) => ({ ok: rao === 0n, spent: 0n as Rao }),
  spent: () => 0n as Rao,
  close: () => undefined,
}

/** Schema 1 was made before files bore a number: its SQL must leave alone what is there. */
const SPENT: StoreKind = {
  name: "signer's spend book",
  mark: 'ArbB',
  table: 'spent',
  migrations: [
    'CREATE TABLE IF NOT EXISTS spent (hotkey TEXT NOT NULL, at INTEGER NOT NULL, rao TEXT NOT NULL) STRICT',
    'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
  ],
  remedy:
    'move it away with the files beside it when a window has passed without the signer: it is what holds hotkeys to their limit',
}

/** Opens the book. @param of.file made when absent @throws STORE_* when it cannot be used */
export const openSpendBook = (of: {
  readonly file: string
  readonly limit: Rao
  readonly windowMs: number
  readonly clock: Clock
}): SpendBook => {
  const { limit, windowMs, clock } = of
  const db = openStore({ file: of.file, kind: SPENT, owner: null })
  const add = db.prepare('INSERT INTO spent (hotkey, at, rao) VALUES (?, ?, ?)')
  const since = db.prepare('SELECT rao FROM spent WHERE hotkey = ? AND at > ?') // what lies in the future, by a clock that went back, counts
  const forget = db.prepare('DELETE FROM spent WHERE at <= ?')
  const spent = (hotkey: Ss58): Rao =>
    since.all(hotkey, clock.now() - windowMs).reduce((sum, { rao }) => sum + BigInt(String(rao)), 0n) as Rao
  const methods: SpendBook = {
    spent,
    take: (hotkey, rao) => {
      const before = spent(hotkey)
      if (before + rao > limit) return { ok: false, spent: before }
      if (rao > 0n) {
        forget.run(clock.now() - windowMs)
        add.run(hotkey, clock.now(), rao.toString())
      }
      return { ok: true, spent: before }
    },
    close: () => db.close(),
  }
  return guarded(methods, { kind: SPENT, file: of.file })
}
