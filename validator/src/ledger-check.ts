import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson } from '@arbor/shared/canonical-json'
import { SubnetError } from '@arbor/shared/errors'
import { type Forfeit, forfeitIn } from './ledger-audits.ts'
import type { RowEntry, ScoreEntry, StateEntry } from './log/entry.ts'
import { type Registration, registrationKey, type Score } from './scores.ts'

/**
 * Compares what rows are computed from, and the rows, with what the log says of them: the log is hashed and signed, the tables are not.
 * Reads the log from its newest `state` entry on; a ledger without one has nothing to compare.
 * @throws LEDGER_EDITED
 */
export const mustFollowFromLog = (db: DatabaseSync, file: string): void => {
  const told = toldSince(db)
  if (told === null) return
  const refuse = (what: string): never => {
    throw new SubnetError({
      code: 'LEDGER_EDITED',
      message: `the ledger ${file} was edited: ${what} is not what its log says; restore a backup (arbor validator restore), or name another --data folder`,
      details: { file },
    })
  }
  const uids = new Set<number>()
  for (const row of db.prepare('SELECT * FROM scores').all()) {
    const score = scoreIn(row)
    const key = registrationKey(score)
    uids.add(score.uid)
    if (!isSame(score, told.scores.get(key))) refuse(`the score of ${score.hotkey} (uid ${score.uid})`)
    told.scores.delete(key)
  }
  for (const { hotkey, uid, lastRoundBlock } of told.scores.values())
    if (!uids.has(uid) && lastRoundBlock >= told.freshFrom)
      refuse(`the score of ${hotkey} (uid ${uid}), which is gone,`)
  for (const row of db.prepare('SELECT * FROM forfeits').all()) {
    const forfeit = forfeitIn(row)
    if (!isSame(forfeit, told.forfeits.get(forfeitKey(forfeit)))) refuse(`a forfeit of ${forfeit.hotkey}`)
    told.forfeits.delete(forfeitKey(forfeit))
  }
  const newest = Number(db.prepare('SELECT coalesce(max(round_block), 0) AS v FROM rounds').get()?.v)
  for (const { hotkey, untilBlock } of told.forfeits.values())
    if (untilBlock > newest) refuse(`a forfeit of ${hotkey}, which is gone,`)
  for (const { attempt, row } of told.rows) {
    const held = db.prepare('SELECT row FROM attempts WHERE id = ?').get(attempt)?.row
    if (held !== undefined && !isSame(JSON.parse(String(held)), row)) refuse(`row ${attempt}`)
  }
}

interface Told {
  readonly scores: Map<string, Score>
  readonly forfeits: Map<string, Forfeit>
  readonly rows: readonly RowEntry[]
  /** Start block of the oldest round that rows still rest on: an older score may be gone. */
  readonly freshFrom: number
}

/** Reads what the log says of scores, forfeits and rows; null where it has no `state` yet. */
const toldSince = (db: DatabaseSync): Told | null => {
  const state = db
    .prepare("SELECT position, body FROM log_entries WHERE kind = 'state' ORDER BY position DESC LIMIT 1")
    .get()
  if (state === undefined) return null
  const { scores, forfeits, rounds } = JSON.parse(String(state.body)) as StateEntry
  const told = {
    scores: new Map(scores.map((score) => [registrationKey(score), score])),
    forfeits: new Map(forfeits.map((forfeit) => [forfeitKey(forfeit), forfeit])),
    rows: [] as RowEntry[],
    freshFrom: rounds.at(-1) ?? 0,
  }
  const later = db.prepare(
    "SELECT kind, body FROM log_entries WHERE position > ? AND kind IN ('score', 'forfeit', 'row') ORDER BY position",
  )
  for (const { kind, body } of later.iterate(Number(state.position))) {
    const entry: unknown = JSON.parse(String(body))
    if (kind === 'score') {
      const { kind: _, ...score } = entry as ScoreEntry
      told.scores.set(registrationKey(score), score)
    } else if (kind === 'forfeit') {
      const { forfeit } = entry as { readonly forfeit: Forfeit }
      told.forfeits.set(forfeitKey(forfeit), forfeit)
    } else told.rows.push(entry as RowEntry)
  }
  return told
}

const isSame = (a: unknown, b: unknown): boolean => b !== undefined && canonicalJson(a) === canonicalJson(b)

const forfeitKey = (forfeit: Registration & { readonly atBlock: number }): string =>
  `${registrationKey(forfeit)} ${forfeit.atBlock}`

const scoreIn = (row: Record<string, unknown>): Score =>
  ({
    hotkey: String(row.hotkey),
    uid: Number(row.uid),
    registeredAt: Number(row.registered_at),
    average: Number(row.average),
    sigma: Number(row.sigma),
    samples: Number(row.samples),
    lastRoundBlock: Number(row.last_round_block),
  }) as Score
