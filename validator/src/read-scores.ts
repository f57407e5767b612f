import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Ss58, Uid } from '@arbor/shared/units'
import { type Registration, registrationKey, type Score } from './scores.ts'

/** What a validator's ledger says of miners, as another process reads it. */
export interface ScoresReader extends Disposable {
  /**
   * Reads the averages of all registrations; one that has forfeited its score at this block has the average 0. Nothing while the
   * validator has made no ledger yet.
   * @throws LEDGER_UNREADABLE
   */
  read(at: Block): readonly Score[]
}

/** Opens the scores of a validator that runs, or will: nothing is written, and no lock is taken for longer than a read. */
export function openScoresReader({ file }: { readonly file: string }): ScoresReader {
  let db: DatabaseSync | null = null
  return {
    read: (at) => {
      try {
        if (db === null && !existsSync(file)) return []
        db ??= new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
        return scoresOf(db, at)
      } catch (cause) {
        db?.close()
        db = null // it may be whole again, or another file, when it is opened next
        throw new SubnetError({
          code: 'LEDGER_UNREADABLE',
          message: `cannot read the ledger ${file}: ${cause instanceof Error ? cause.message : String(cause)}; name the validator's own --data folder`,
          cause,
        })
      }
    },
    [Symbol.dispose]: () => db?.close(),
  }
}

function scoresOf(db: DatabaseSync, at: Block): readonly Score[] {
  const has = (table: string): boolean =>
    db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined
  if (!has('scores')) return [] // it is being made
  const forfeits = has('forfeits')
    ? db.prepare('SELECT hotkey, uid, registered_at FROM forfeits WHERE until_block > ?').all(at).map(registrationIn)
    : []
  const scores = new Map(
    db
      .prepare('SELECT hotkey, uid, registered_at, average, sigma, samples, last_round_block FROM scores')
      .all()
      .map(
        (row): Score => ({
          ...registrationIn(row),
          average: Number(row.average),
          sigma: Number(row.sigma),
          samples: Number(row.samples),
          lastRoundBlock: Number(row.last_round_block) as Block,
        }),
      )
      .map((score) => [registrationKey(score), score]),
  )
  for (const registration of forfeits) {
    const key = registrationKey(registration)
    const unscored: Score = { ...registration, average: 0, sigma: 0, samples: 0, lastRoundBlock: at }
    scores.set(key, { ...(scores.get(key) ?? unscored), average: 0 })
  }
  return [...scores.values()]
}

const registrationIn = (row: Readonly<Record<string, unknown>>): Registration => ({
  hotkey: String(row.hotkey) as Ss58,
  uid: Number(row.uid) as Uid,
  registeredAt: Number(row.registered_at) as Block,
})
