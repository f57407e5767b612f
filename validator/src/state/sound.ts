import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { mustFollowFromLog } from '../ledger-check.ts'
import { LEDGER } from '../ledger-schema.ts'
import { checkLog, type LogCheck } from '../log/check.ts'
import type { LogOwner } from '../log/heads.ts'

/**
 * Checks the log of a ledger whose file is whole, entry by entry, and what rows follow from against it.
 * @param of.owner as it stands in the file
 * @returns null where the schema is older than logs are: it becomes the newest when the validator starts
 * @throws LOG_EDITED, LOG_TRUNCATED, LOG_OTHER, LEDGER_EDITED, STORE_DAMAGED
 */
export const mustBeSound = (of: {
  readonly db: DatabaseSync
  readonly file: string
  readonly owner: string | null
}): LogCheck | null => {
  const version = Number(of.db.prepare('PRAGMA user_version').get()?.user_version)
  if (version < LEDGER.migrations.length) return null
  const found = checkLog(of.db, ownerIn(of), { read: true })
  mustFollowFromLog(of.db, of.file)
  return found
}

/** Reads an owner as `ownerText` writes it. */
export const ownerIn = ({ file, owner }: { readonly file: string; readonly owner: string | null }): LogOwner => {
  const [genesisHash, netuid, hotkey, ...more] = (owner ?? '').split(' ')
  if (hotkey === undefined || more.length > 0) {
    throw new SubnetError({
      code: 'STORE_DAMAGED',
      message: `the ledger ${file} is damaged: its owner reads "${owner}"; ${LEDGER.remedy}`,
      details: { file },
    })
  }
  return { genesisHash: genesisHash as Hex, netuid: Number(netuid) as NetUid, hotkey: hotkey as Ss58 }
}
