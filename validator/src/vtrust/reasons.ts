import { readStore } from '@arbor/chain/store/open'
import { SubnetError } from '@arbor/shared/errors'
import type { Ss58 } from '@arbor/shared/units'
import { LEDGER } from '../ledger-schema.ts'
import { registrationKey } from '../scores.ts'
import { FRESH_ROUNDS } from '../scoring/fold.ts'

/** What a validator found of one miner lately. */
export interface Reasons {
  /** Verdicts of the newest rounds, by reason. */
  readonly reasons: Readonly<Record<string, number>>
  /** Mean of their values. */
  readonly value: number
}

/** What a ledger says of the newest rounds. */
export interface LedgerReasons {
  /** Whose ledger it is. */
  readonly hotkey: Ss58
  readonly netuid: number
  /** By registration. */
  readonly of: ReadonlyMap<string, Reasons>
}

/**
 * Reads the verdicts of the rounds that weights rest on, while the validator runs or not.
 * @throws VTRUST_LEDGER when there is no ledger; STORE_* when it cannot be read
 */
export function readReasons(file: string): LedgerReasons {
  const db = readStore({ file, kind: LEDGER })
  if (db === null)
    throw new SubnetError({
      code: 'VTRUST_LEDGER',
      message: `there is no ledger ${file}; name a validator's own folder with --data, or its hotkey with --hotkey`,
    })
  try {
    const [, netuid, hotkey] = String(db.prepare("SELECT value FROM meta WHERE key = 'owner'").get()?.value).split(' ')
    const rows = db
      .prepare(
        `SELECT hotkey, uid, registered_at AS registeredAt, reason, count(*) AS verdicts, sum(value) AS value FROM verdicts
         WHERE round_block IN (SELECT round_block FROM rounds ORDER BY round_block DESC LIMIT ?)
         GROUP BY hotkey, uid, registered_at, reason`,
      )
      .all(FRESH_ROUNDS)
    const found = new Map<string, { reasons: Record<string, number>; verdicts: number; value: number }>()
    for (const row of rows) {
      const key = registrationKey(row as never)
      const held = found.get(key) ?? { reasons: {}, verdicts: 0, value: 0 }
      held.reasons[String(row.reason)] = Number(row.verdicts)
      found.set(key, { ...held, verdicts: held.verdicts + Number(row.verdicts), value: held.value + Number(row.value) })
    }
    const of = new Map(
      [...found].map(([key, { reasons, verdicts, value }]) => [key, { reasons, value: value / verdicts }]),
    )
    return { hotkey: hotkey as Ss58, netuid: Number(netuid), of }
  } finally {
    db.close()
  }
}
