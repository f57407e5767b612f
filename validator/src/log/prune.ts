import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Blocks } from '@arbor/shared/units'
import { isSettled, WEIGHT_TRANSITIONS, type WeightState } from '../weights/machine.ts'
import { extentOf } from './extent.ts'

/** How much of a log keeps its bodies. */
export interface KeepRule {
  /** Newest finalised block. */
  readonly block: Block
  /** Blocks for which entries keep their bodies. */
  readonly keep: Blocks
  /** Entries that keep their bodies at most. */
  readonly most: number
}

/** Entries that one transaction forgets, some 7 ms, and one call, some 35 ms: nothing else of the process waits longer. */
const CHUNK = 1_000
export const AT_ONCE = 5_000
const UNSETTLED = (Object.keys(WEIGHT_TRANSITIONS) as WeightState[]).filter((state) => !isSettled(state))

/**
 * Finds from where on a log keeps its bodies: a `state` entry, so that whoever begins there can recompute every later row. What the row of
 * an unsettled attempt or the newest row below the newest anchored head follows from is never before it.
 */
const keptFrom = (db: DatabaseSync, first: number, { size, rule }: { size: number; rule: KeepRule }): number => {
  const valueIn = (sql: string, ...values: readonly (string | number)[]): number | null => {
    const value = db.prepare(sql).get(...values)?.v
    return value === null || value === undefined ? null : Number(value)
  }
  // Without a word SQLite would walk over all entries, and those that were forgotten grow for ever.
  const states =
    "SELECT max(position) AS v FROM log_entries INDEXED BY log_states WHERE kind = 'state' AND body IS NOT NULL"
  const stateBefore = (position: number): number => valueIn(`${states} AND position <= ?`, position) ?? first
  const marks = UNSETTLED.map(() => '?').join(', ')
  const attempt = valueIn(`SELECT min(id) AS v FROM attempts WHERE state IN (${marks})`, ...UNSETTLED)
  const rows = "FROM log_entries INDEXED BY log_rows WHERE kind = 'row' AND body IS NOT NULL"
  const open =
    attempt === null ? null : valueIn(`SELECT min(position) AS v ${rows} AND body ->> 'attempt' >= ?`, attempt)
  const anchored = valueIn('SELECT max(size) AS v FROM log_heads WHERE anchored_at IS NOT NULL')
  const row = valueIn(`SELECT max(position) AS v ${rows} AND position < ?`, anchored ?? size)
  const limits = [open, row].flatMap((position) => (position === null ? [] : [stateBefore(position)]))
  const old = valueIn(`${states} AND block <= ?`, rule.block - rule.keep) ?? first
  const over = size - first > rule.most ? stateBefore(size - rule.most) : first
  const from = Math.max(first, Math.min(Math.max(old, over), ...limits))
  // The terms that are said before a state stay with it.
  return valueIn("SELECT 1 AS v FROM log_entries WHERE position = ? AND kind = 'terms'", from - 1) === 1
    ? Math.max(first, from - 1)
    : from
}

/** What pruning forgot. */
export interface Pruned {
  readonly entries: number
  /** Ids of receipts that no kept entry names any more. */
  readonly receipts: readonly string[]
  /** Whether nothing is left to forget. */
  readonly isDone: boolean
}

/**
 * Forgets the bodies of old entries, `AT_ONCE` at most, in short transactions; leaves and nodes stay, so that every proof can still be made.
 * Heads of their time go too, except those that were anchored.
 */
export const pruneLog = (db: DatabaseSync, rule: KeepRule): Pruned => {
  const { size, first } = extentOf(db)()
  const end = keptFrom(db, first, { size, rule })
  const until = Math.min(end, first + AT_ONCE)
  const receipts: string[] = []
  for (let from = first; from < until; from += CHUNK)
    transaction(db, () => receipts.push(...forget(db, from, Math.min(from + CHUNK, until))))
  return { entries: until - first, receipts, isDone: until === end }
}

const forget = (db: DatabaseSync, from: number, to: number): readonly string[] => {
  const named = db
    .prepare(
      "SELECT body ->> 'receipt' AS id FROM log_entries WHERE position >= ? AND position < ? AND kind = 'verdict' AND body ->> 'receipt' IS NOT NULL",
    )
    .all(from, to)
    .map(({ id }) => String(id))
  const remove = db.prepare('DELETE FROM log_bodies WHERE receipt = ?')
  for (const id of named) remove.run(Buffer.from(id, 'hex'))
  db.prepare('UPDATE log_entries SET body = NULL WHERE position >= ? AND position < ?').run(from, to)
  db.prepare('DELETE FROM log_heads WHERE size <= ? AND anchored_at IS NULL').run(to)
  return named
}
