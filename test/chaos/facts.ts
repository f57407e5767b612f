import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { WeightRow } from '@arbor/chain/client/types'
import type { Block, Ss58, Uid } from '@arbor/shared/units'

/** A row that a ledger holds of its weights. */
export interface AttemptFact {
  readonly id: number
  readonly method: string
  readonly state: string
  readonly row: WeightRow
  readonly computedAt: Block
  readonly includedAt: Block | null
  readonly readBackAt: Block | null
}

/** A judged question. */
export interface VerdictFact {
  readonly roundBlock: Block
  readonly repeat: number
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly registeredAt: Block
  readonly reason: string
  readonly value: number
  readonly sigma: number
}

/** A score as it stands. */
export interface ScoreFact {
  readonly hotkey: Ss58
  readonly uid: Uid
  readonly registeredAt: Block
  readonly average: number
  readonly sigma: number
  readonly samples: number
  readonly lastRoundBlock: Block
}

/** What a ledger's file says, read past the product's own code. */
export interface Facts {
  readonly attempts: readonly AttemptFact[]
  readonly moves: readonly { readonly attempt: number; readonly state: string }[]
  readonly verdicts: readonly VerdictFact[]
  readonly scores: readonly ScoreFact[]
  readonly runs: readonly { readonly roundBlock: Block; readonly length: number; readonly state: string }[]
  readonly forfeits: readonly { readonly name: string; readonly until: number }[]
  readonly leaves: readonly Uint8Array[]
  /** Positions as they are stored: 0, 1, 2 … without a gap. */
  readonly positions: readonly number[]
  readonly heads: readonly { readonly size: number; readonly root: Uint8Array }[]
}

/** Reads a validator's ledger; null while there is none. */
export const readFacts = (data: string): Facts | null => {
  const file = join(data, 'ledger.sqlite')
  if (!existsSync(file)) return null
  using db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const all = (sql: string): readonly Record<string, unknown>[] => db.prepare(sql).all()
  db.exec('BEGIN') // all of it as of one moment
  if (all("SELECT 1 FROM sqlite_schema WHERE name = 'attempts'").length === 0) return null
  const entries = all('SELECT position, leaf FROM log_entries ORDER BY position')
  return {
    attempts: all('SELECT * FROM attempts ORDER BY id').map((r) => ({
      id: Number(r.id),
      method: String(r.method),
      state: String(r.state),
      row: JSON.parse(String(r.row)) as WeightRow,
      computedAt: Number(r.computed_at) as Block,
      includedAt: maybe(r.included_at),
      readBackAt: maybe(r.read_back_at),
    })),
    moves: all('SELECT attempt, state FROM attempt_moves ORDER BY id').map((r) => ({
      attempt: Number(r.attempt),
      state: String(r.state),
    })),
    verdicts: all('SELECT * FROM verdicts ORDER BY round_block, uid, repeat').map((r) => ({
      roundBlock: Number(r.round_block) as Block,
      repeat: Number(r.repeat),
      ...registrationIn(r),
      reason: String(r.reason),
      value: Number(r.value),
      sigma: Number(r.sigma),
    })),
    scores: all('SELECT * FROM scores ORDER BY uid, registered_at').map((r) => ({
      ...registrationIn(r),
      average: Number(r.average),
      sigma: Number(r.sigma),
      samples: Number(r.samples),
      lastRoundBlock: Number(r.last_round_block) as Block,
    })),
    runs: all('SELECT round_block, length, state FROM runs ORDER BY round_block').map((r) => ({
      roundBlock: Number(r.round_block) as Block,
      length: Number(r.length),
      state: String(r.state),
    })),
    forfeits: all('SELECT * FROM forfeits').map((r) => ({
      name: `${r.hotkey}/${r.uid}/${r.registered_at}/${r.at_block}`,
      until: Number(r.until_block),
    })),
    leaves: entries.map((r) => r.leaf as Uint8Array),
    positions: entries.map((r) => Number(r.position)),
    heads: all('SELECT size, root FROM log_heads ORDER BY size').map((r) => ({
      size: Number(r.size),
      root: r.root as Uint8Array,
    })),
  }
}

const maybe = (value: unknown): Block | null => (value === null ? null : (Number(value) as Block))

const registrationIn = (r: Readonly<Record<string, unknown>>) => ({
  hotkey: String(r.hotkey) as Ss58,
  uid: Number(r.uid) as Uid,
  registeredAt: Number(r.registered_at) as Block,
})
