import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, UnixMs } from '@arbor/shared/units'
import type { LedgerPart } from '../ledger-part.ts'

/** How far a weight row got: computed → submitted → finalised → confirmed (read back equal) or lost; or failed. */
export type WeightState = 'computed' | 'finalised' | 'confirmed' | 'mismatch' | 'failed'

/** One attempt to set weights. */
export interface WeightAttempt {
  readonly id: number
  readonly row: WeightRow
  readonly state: WeightState
  /** Block the row was computed at, included at, read back at. */
  readonly computedAt: Block
  readonly includedAt: Block | null
  readonly readBackAt: Block | null
  /** The chain's error by name, null without one. */
  readonly error: string | null
}

/** What a validator must not forget of the rows that it set; each method one transaction. */
export interface WeightLedger {
  openAttempt(attempt: { readonly row: WeightRow; readonly computedAt: Block; readonly at: UnixMs }): number
  moveAttempt(id: number, move: { readonly state: WeightState; readonly block?: Block; readonly error?: string }): void
  /** The newest attempt, null before the first. */
  lastAttempt(): WeightAttempt | null
}

/** Attempts to set weights that are kept. */
const keptAttempts = 1_000

/** Makes the part of a ledger that weights need. */
export function weightLedger({ db }: LedgerPart): WeightLedger {
  return {
    openAttempt: ({ row, computedAt, at }: Parameters<WeightLedger['openAttempt']>[0]) => {
      const insert = db.prepare("INSERT INTO weights (row, state, computed_at, at) VALUES (?, 'computed', ?, ?)")
      const id = Number(insert.run(JSON.stringify(row), computedAt, at).lastInsertRowid)
      db.prepare('DELETE FROM weights WHERE id <= ?').run(id - keptAttempts)
      return id
    },
    moveAttempt: (id: number, { state, block, error }: Parameters<WeightLedger['moveAttempt']>[1]) => {
      db.prepare('UPDATE weights SET state = ?, error = ? WHERE id = ?').run(state, error ?? null, id)
      if (block === undefined) return
      const column = state === 'finalised' ? 'included_at' : 'read_back_at'
      db.prepare(`UPDATE weights SET ${column} = ? WHERE id = ?`).run(block, id)
    },
    lastAttempt: (): WeightAttempt | null => {
      const r = db.prepare('SELECT * FROM weights ORDER BY id DESC LIMIT 1').get()
      if (r === undefined) return null
      return {
        id: Number(r.id),
        row: JSON.parse(String(r.row)) as WeightRow,
        state: String(r.state) as WeightState,
        computedAt: Number(r.computed_at) as Block,
        includedAt: numberOrNull(r.included_at) as Block | null,
        readBackAt: numberOrNull(r.read_back_at) as Block | null,
        error: r.error === null ? null : String(r.error),
      }
    },
  }
}

const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))
