import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { connectReading } from '@arbor/chain/store/read'
import type { Hex, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { newestTerms } from '../log/check.ts'
import type { RecordedMerge, ShownVerdict } from './ledger.ts'

/** What a round did to the model, and what its updates were worth. */
export interface HistoryRound {
  readonly round: number
  /** Checkpoint that it started from, by the votes; null where nobody voted. */
  readonly base: Hex | null
  /** Checkpoint that was held before, and after. */
  readonly before: Hex
  readonly checkpoint: Hex
  readonly merged: readonly Uid[]
  /** Loss a token on held-out text, in nats, of the checkpoint that it led to; null where it was not measured. */
  readonly heldOut: number | null
  /** Tokens that the merged updates were trained on. */
  readonly tokens: number
  readonly at: UnixMs
  readonly verdicts: readonly ShownVerdict[]
}

export interface History {
  /** The subnet's spec; null where nothing was written yet. */
  readonly spec: { readonly name: string; readonly version: number } | null
  /** Oldest first. */
  readonly rounds: readonly HistoryRound[]
}

/** Reads a training subnet's history out of a validator's data folder, also while the validator runs. @throws STORE_* */
export function readHistory({ folder }: { readonly folder: string }): History {
  const db = connectReading({ file: join(folder, 'ledger.sqlite') })
  try {
    return historyOf(db, { from: 0, before: Number.MAX_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER })
  } finally {
    db.close()
  }
}

/**
 * Reads rounds from one on.
 * @param of.before position of the log from which on nothing is told
 * @param of.most rounds at most
 */
export function historyOf(
  db: DatabaseSync,
  of: { readonly from: number; readonly before: number; readonly most: number },
): History {
  const { from, before, most } = of
  const verdictsOf = db.prepare('SELECT * FROM training_verdicts WHERE round = ? AND position < ? ORDER BY uid')
  const rows = db
    .prepare('SELECT * FROM training_rounds WHERE round >= ? AND position < ? ORDER BY round LIMIT ?')
    .all(from, before, most)
  const rounds = rows.map((row): HistoryRound => {
    const { round, base, before: held, checkpoint, merged, heldOut, tokens, at } = mergeIn(row)
    const verdicts = verdictsOf.all(round, before).map(shownIn)
    return {
      round,
      base,
      before: held,
      checkpoint,
      merged: merged.map(({ uid }) => uid),
      heldOut,
      tokens,
      at,
      verdicts,
    }
  })
  const terms = newestTerms(db)
  return { spec: terms === null ? null : { name: terms.spec.name, version: terms.spec.version }, rounds }
}

/** Reads a merge as the table holds it. */
export const mergeIn = (row: Record<string, unknown>): RecordedMerge => {
  const { votedAt, merged } = JSON.parse(String(row.merged)) as Pick<RecordedMerge, 'votedAt' | 'merged'>
  return {
    round: Number(row.round),
    votedAt,
    base: row.base === null ? null : (String(row.base) as Hex),
    merged,
    checkpoint: String(row.checkpoint) as Hex,
    before: String(row.before) as Hex,
    heldOut: row.held_out === null ? null : Number(row.held_out),
    tokens: Number(row.tokens),
    at: Number(row.at) as UnixMs,
  }
}

const shownIn = (row: Record<string, unknown>): ShownVerdict => ({
  uid: Number(row.uid) as Uid,
  hotkey: String(row.hotkey) as Ss58,
  reason: String(row.reason),
  value: Number(row.value),
  bytes: Number(row.bytes),
  mu: row.mu === null ? null : Number(row.mu),
  sigma: row.sigma === null ? null : Number(row.sigma),
})
