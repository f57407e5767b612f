import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ChainClient } from '@arbor/chain/client/types'
import { openFacts } from '../../validator/src/auditor/facts.ts'
import { startReplay } from '../../validator/src/auditor/replay.ts'
import { readEntry } from '../../validator/src/log/read-entry.ts'
import type { Member } from './member.ts'
import spec from './spec.ts'
import { netuid } from './world.ts'

/** What the auditor makes of one validator's whole log. */
export interface LogAudit {
  readonly validator: string
  /** The first thing that does not follow; null when everything does. */
  readonly mismatch: string | null
  readonly entries: number
  readonly rows: number
  /** Rows by the block that they were computed at and everything that the log said before that a row follows from. */
  readonly rowsBySource: ReadonlyMap<string, string>
}

/** Replays a log, from the first entry whose body is kept, by the auditor's own functions. */
export const auditLog = async (member: Member, chain: ChainClient): Promise<LogAudit> => {
  using db = new DatabaseSync(join(member.data, 'ledger.sqlite'), { readOnly: true, timeout: 5_000 })
  const stored = db.prepare('SELECT position, body FROM log_entries WHERE body IS NOT NULL ORDER BY position').all()
  const facts = await openFacts({ chain, netuid })
  const replay = startReplay({ self: member.key.address, netuid, spec, genesisHash: chain.genesisHash }, facts)
  const source = createHash('sha256')
  const rowsBySource = new Map<string, string>()
  let isBegun = false
  for (const { position, body } of stored) {
    const entry = readEntry(String(body))
    await replay.take({ position: Number(position), entry })
    if (entry.kind === 'state' && !isBegun) {
      const { scores, forfeits, rounds } = entry
      source.update(JSON.stringify([scores, forfeits, rounds])) // of a log whose beginning was forgotten
      isBegun = true
    } else if (entry.kind === 'verdict') {
      const { roundBlock, repeat, hotkey, uid, registeredAt, reason, value, sigma } = entry
      source.update(JSON.stringify([roundBlock, repeat, hotkey, uid, registeredAt, reason, value, sigma]))
    } else if (entry.kind === 'round-end') source.update(`${entry.roundBlock}`)
    else if (entry.kind === 'row')
      rowsBySource.set(`${entry.block.number} ${source.copy().digest('hex')}`, JSON.stringify(entry.row))
  }
  const { mismatch, attempts } = replay.end()
  const text = mismatch === null ? null : JSON.stringify(mismatch).slice(0, 400)
  return { validator: member.name, mismatch: text, entries: stored.length, rows: attempts.length, rowsBySource }
}

/** Counts rows that two validators computed at one block from the same receipts, and lists those that differ. */
export const compareRows = (
  a: LogAudit,
  b: LogAudit,
): { readonly compared: number; readonly different: readonly string[] } => {
  const shared = [...a.rowsBySource.keys()].filter((name) => b.rowsBySource.has(name))
  const different = shared.filter((name) => a.rowsBySource.get(name) !== b.rowsBySource.get(name))
  return { compared: shared.length, different }
}
