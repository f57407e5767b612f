import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { AttackOutlook } from '@arbor/subnet-spec/audit/policy'

/** What one kind of check took in an epoch. */
export interface Checks {
  readonly checks: number
  /** Of one thread. */
  readonly seconds: number
  /** Tokens that the checks' prefills ran over. */
  readonly prefilled: number
}

/** What was audited of one registration in an epoch. */
export interface Reached {
  readonly uid: number
  readonly hotkey: string
  readonly answers: number
  readonly audited: number
  readonly failed: number
  /** Probability that a cheat in all of its answers would have been found, by the attack that hides best. */
  readonly found: number
}

/** What a ledger says of an epoch. */
export interface EpochCost {
  readonly epoch: number
  readonly planned: Checks
  readonly users: Checks
  /** Users' answers, and about how many tokens they have. */
  readonly answers: number
  readonly tokens: number
  readonly miners: readonly Reached[]
}

/**
 * Reads what the last audited epoch cost, while the validator runs or not.
 * @param of.file the validator's ledger
 * @returns null before the first pass over users' answers
 * @throws ECONOMICS_LEDGER when there is no ledger, or it is of an older version
 */
export function readEpochCost(of: {
  readonly file: string
  readonly roundBlocks: number
  readonly rounds: number
}): EpochCost | null {
  if (!existsSync(of.file)) throw unusable(of.file, "is not there; name the validator's folder with --data")
  const db = new DatabaseSync(of.file, { readOnly: true })
  try {
    const epoch = db.prepare('SELECT max(epoch) AS v FROM passes WHERE closed = 1').get()?.v
    return epoch === null || epoch === undefined ? null : costOf(db, Number(epoch), of)
  } catch (cause) {
    throw unusable(of.file, `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  } finally {
    db.close()
  }
}

const SUMS = 'count(check_ms) AS checks, coalesce(sum(check_ms), 0) AS ms, coalesce(sum(prefilled), 0) AS prefilled'

function costOf(
  db: DatabaseSync,
  epoch: number,
  of: { readonly roundBlocks: number; readonly rounds: number },
): EpochCost {
  const from = epoch * of.rounds * of.roundBlocks
  const planned = db
    .prepare(`SELECT ${SUMS} FROM verdicts WHERE round_block >= ? AND round_block < ?`)
    .get(from, from + of.rounds * of.roundBlocks)
  const users = db.prepare(`SELECT ${SUMS} FROM audits JOIN passes USING (before) WHERE epoch = ?`).get(epoch)
  const served = db
    .prepare(
      'SELECT coalesce(sum(p.answers), 0) AS answers, coalesce(sum(p.answers * passes.tokens), 0) AS tokens FROM audit_plans p JOIN passes USING (before) WHERE epoch = ?',
    )
    .get(epoch)
  return {
    epoch,
    planned: checksOf(planned),
    users: checksOf(users),
    answers: Number(served?.answers),
    tokens: Math.round(Number(served?.tokens)),
    miners: reachedIn(db, epoch),
  }
}

const checksOf = (row: Record<string, unknown> | undefined): Checks => ({
  checks: Number(row?.checks ?? 0),
  seconds: Number(row?.ms ?? 0) / 1_000,
  prefilled: Number(row?.prefilled ?? 0),
})

function reachedIn(db: DatabaseSync, epoch: number): readonly Reached[] {
  const rows = db
    .prepare(
      `SELECT p.*, coalesce(sum(a.reason <> 'unjudged'), 0) AS audited, coalesce(sum(a.reason NOT IN ('ok', 'unjudged')), 0) AS failed
       FROM audit_plans p JOIN passes USING (before) LEFT JOIN audits a USING (before, hotkey, uid, registered_at)
       WHERE epoch = ? GROUP BY before, hotkey, uid, registered_at ORDER BY uid, before`,
    )
    .all(epoch)
  const byMiner = new Map<string, Reached>()
  for (const row of rows) {
    const key = `${row.hotkey}/${row.uid}/${row.registered_at}`
    const known = byMiner.get(key)
    const tempting = (JSON.parse(String(row.outlook)) as readonly AttackOutlook[]).filter(({ tempts }) => tempts)
    byMiner.set(key, {
      uid: Number(row.uid),
      hotkey: String(row.hotkey),
      answers: (known?.answers ?? 0) + Number(row.answers),
      audited: (known?.audited ?? 0) + Number(row.audited),
      failed: (known?.failed ?? 0) + Number(row.failed),
      found: Math.min(1, ...tempting.map(({ foundInEpoch }) => foundInEpoch)), // rows ascend: the last pass has the epoch's
    })
  }
  return [...byMiner.values()]
}

const unusable = (file: string, why: string): SubnetError =>
  new SubnetError({ code: 'ECONOMICS_LEDGER', message: `The ledger ${file} ${why}` })
