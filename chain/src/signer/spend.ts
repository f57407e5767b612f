import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Rao, Ss58 } from '@arbor/shared/units'

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

/** Opens the book. @param of.file made when absent @throws SIGNER_FOLDER when it cannot be opened */
export const openSpendBook = (of: {
  readonly file: string
  readonly limit: Rao
  readonly windowMs: number
  readonly clock: Clock
}): SpendBook => {
  const { limit, windowMs, clock } = of
  const db = open(of.file)
  const add = db.prepare('INSERT INTO spent (hotkey, at, rao) VALUES (?, ?, ?)')
  const since = db.prepare('SELECT rao FROM spent WHERE hotkey = ? AND at > ?') // what lies in the future, by a clock that went back, counts
  const forget = db.prepare('DELETE FROM spent WHERE at <= ?')
  const spent = (hotkey: Ss58): Rao =>
    since.all(hotkey, clock.now() - windowMs).reduce((sum, { rao }) => sum + BigInt(String(rao)), 0n) as Rao
  return {
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
}

const open = (file: string): DatabaseSync => {
  try {
    const db = new DatabaseSync(file)
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS spent (hotkey TEXT NOT NULL, at INTEGER NOT NULL, rao TEXT NOT NULL) STRICT',
    )
    return db
  } catch (cause) {
    throw new SubnetError({
      code: 'SIGNER_FOLDER',
      message: `${file}, where the signer writes down what was spent, cannot be used: ${cause instanceof Error ? cause.message : cause}; repair it, or name another folder with --socket`,
      details: { path: file },
      cause,
    })
  }
}
