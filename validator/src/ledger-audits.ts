import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '@arbor/chain/store/transaction'
import type { Block, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { AttackOutlook } from '@arbor/subnet-spec/audit/policy'
import type { Exchange } from './exchange.ts'
import type { LedgerPart } from './ledger-part.ts'
import type { Registration } from './scores.ts'
import { graver } from './scoring/fold.ts'

/** What a proven cheat costs a registration: no weight until a block. */
export interface Forfeit extends Registration {
  /** Where the answer was judged. */
  readonly atBlock: Block
  readonly untilBlock: Block
  readonly kind: Exchange['kind']
  readonly reason: string
  /** Id of the receipt that shows it; null where none is kept. */
  readonly receipt: string | null
}

/** One look through the users' answers of a round, from its plan to its end. */
export interface Pass {
  /** Answers that were given after blocks before this one. */
  readonly before: Block
  /** The last row of the traffic file that belongs to it. */
  readonly upTo: number
  readonly round: number
  readonly epoch: number
}

/** How one registration's answers of a pass are audited; fixed before the first is looked at. */
export interface AuditPlan extends Registration {
  readonly answers: number
  /** Of them those that had no room. */
  readonly dropped: number
  readonly share: number
  /** Chunks of a drawn answer that are looked at. */
  readonly look: number
  readonly outlook: readonly AttackOutlook[]
}

/** A user's answer that was looked at. */
export interface AuditRow extends Registration {
  readonly id: string
  /** `unjudged` when nobody could. */
  readonly reason: string
  readonly value: number
  readonly checkMs: number | null
  readonly prefilled: number | null
}

/** What a pass found of one registration. */
export interface AuditCount extends AuditPlan {
  readonly audited: number
  readonly failed: number
}

/** What a validator must not forget of its audits; each method one transaction. */
export interface AuditLedger {
  /** Forfeits that last at a block, of registrations as they are. */
  forfeits(at: Block): readonly Forfeit[]
  /** The pass that was begun and not ended; null when there is none. */
  openPass(): Pass | null
  lastPass(): Pass | null
  /** Fixes how a pass audits. */
  beginPass(
    pass: Pass & {
      /** Tokens of an answer, on average. */
      readonly tokens: number
      readonly plans: readonly AuditPlan[]
    },
  ): void
  plans(before: Block): readonly AuditPlan[]
  /** Those of the ids that were looked at already. */
  audited(ids: readonly string[]): ReadonlySet<string>
  /** Records what was found; an answer that is there already is left as it is, and so is its forfeit. */
  recordAudits(of: {
    readonly before: Block
    readonly at: UnixMs
    readonly audits: readonly AuditRow[]
    readonly forfeits: readonly Forfeit[]
  }): void
  endPass(before: Block): readonly AuditCount[]
  /** Probability that each attack, in all answers of the epoch's ended passes, would not have been found, by its name. */
  missed(of: Registration & { readonly epoch: number }): ReadonlyMap<string, number>
}

/** Epochs whose audits are kept: a week of Bittensor's. */
const KEPT_EPOCHS = 140

/** Makes the part of a ledger that audits need. */
export function auditLedger({ db, append }: Pick<LedgerPart, 'db' | 'append'>): AuditLedger {
  return { ...passes(db), ...findings({ db, append }) }
}

function passes(db: DatabaseSync): Pick<AuditLedger, 'openPass' | 'lastPass' | 'beginPass' | 'plans' | 'missed'> {
  const addPlan = db.prepare(
    'INSERT INTO audit_plans (before, hotkey, uid, registered_at, answers, dropped, share, look, outlook) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const passOf = (row: Record<string, unknown> | undefined): Pass | null =>
    row === undefined
      ? null
      : {
          before: Number(row.before) as Block,
          upTo: Number(row.up_to),
          round: Number(row.round),
          epoch: Number(row.epoch),
        }
  const open = db.prepare('SELECT * FROM passes WHERE closed = 0 ORDER BY before LIMIT 1')
  const last = db.prepare('SELECT * FROM passes ORDER BY before DESC LIMIT 1')
  const addPass = db.prepare(
    'INSERT INTO passes (before, up_to, round, epoch, tokens, closed) VALUES (?, ?, ?, ?, ?, 0)',
  )
  const planned = db.prepare('SELECT * FROM audit_plans WHERE before = ? ORDER BY uid')
  const outlooks = db.prepare(
    'SELECT outlook FROM audit_plans JOIN passes USING (before) WHERE epoch = ? AND hotkey = ? AND uid = ? AND registered_at = ?',
  )
  return {
    openPass: () => passOf(open.get()),
    lastPass: () => passOf(last.get()),
    beginPass: ({ before, upTo, round, epoch, tokens, plans }) =>
      transaction(db, () => {
        forget(db, epoch)
        addPass.run(before, upTo, round, epoch, tokens)
        for (const { hotkey, uid, registeredAt, answers, dropped, share, look, outlook } of plans)
          addPlan.run(before, hotkey, uid, registeredAt, answers, dropped, share, look, JSON.stringify(outlook))
      }),
    plans: (before) => planned.all(before).map(planOf),
    missed: ({ hotkey, uid, registeredAt, epoch }) => {
      const rows = outlooks.all(epoch, hotkey, uid, registeredAt)
      const missed = new Map<string, number>()
      for (const { name, found } of rows.flatMap((row) => JSON.parse(String(row.outlook)) as readonly AttackOutlook[]))
        missed.set(name, (missed.get(name) ?? 1) * (1 - found))
      return missed
    },
  }
}

function findings({
  db,
  append,
}: Pick<LedgerPart, 'db' | 'append'>): Pick<AuditLedger, 'forfeits' | 'audited' | 'recordAudits' | 'endPass'> {
  const known = db.prepare('SELECT 1 FROM audits WHERE id = ?')
  const add = db.prepare(
    'INSERT OR IGNORE INTO audits (id, before, hotkey, uid, registered_at, reason, value, check_ms, prefilled, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const lasting = db.prepare('SELECT * FROM forfeits WHERE until_block > ? ORDER BY uid, at_block')
  const close = db.prepare('UPDATE passes SET closed = 1 WHERE before = ?')
  const counted = db.prepare(
    `SELECT p.*, coalesce(sum(a.reason <> 'unjudged'), 0) AS audited, coalesce(sum(a.reason NOT IN ('ok', 'unjudged')), 0) AS failed
     FROM audit_plans p LEFT JOIN audits a USING (before, hotkey, uid, registered_at)
     WHERE before = ? GROUP BY before, hotkey, uid, registered_at ORDER BY uid`,
  )
  return {
    forfeits: (at) => lasting.all(at).map(forfeitIn),
    audited: (ids) => new Set(ids.filter((id) => known.get(id) !== undefined)),
    recordAudits: ({ before, at, audits, forfeits }) =>
      transaction(db, () => {
        const fresh = audits.filter((row) => {
          const { id, hotkey, uid, registeredAt, reason, value, checkMs, prefilled } = row
          return (
            Number(add.run(id, before, hotkey, uid, registeredAt, reason, value, checkMs, prefilled, at).changes) === 1
          )
        })
        append(
          fresh.map(({ id, hotkey, uid, registeredAt, reason, value }) => ({
            kind: 'audit',
            hotkey,
            uid,
            registeredAt,
            before,
            reason,
            value,
            receipt: id,
          })),
        )
        const ids = new Set(fresh.map(({ id }) => id))
        const added = addForfeits(
          db,
          forfeits.filter(({ receipt }) => receipt !== null && ids.has(receipt)),
        )
        append(added.map((forfeit) => ({ kind: 'forfeit', forfeit })))
      }),
    endPass: (before) => {
      close.run(before)
      return counted
        .all(before)
        .map((row) => ({ ...planOf(row), audited: Number(row.audited), failed: Number(row.failed) }))
    },
  }
}

/** Records forfeits; of two of one registration at one block the graver counts. Part of a transaction. @returns those that count now and did not before */
export function addForfeits(db: DatabaseSync, forfeits: readonly Forfeit[]): readonly Forfeit[] {
  const held = db.prepare('SELECT * FROM forfeits WHERE hotkey = ? AND uid = ? AND registered_at = ? AND at_block = ?')
  const put = db.prepare(
    'INSERT OR REPLACE INTO forfeits (hotkey, uid, registered_at, at_block, until_block, kind, reason, receipt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  return forfeits.filter((forfeit) => {
    const { hotkey, uid, registeredAt, atBlock, untilBlock, kind, reason, receipt } = forfeit
    const row = held.get(hotkey, uid, registeredAt, atBlock)
    if (row !== undefined && graver(forfeitIn(row), forfeit) !== forfeit) return false
    put.run(hotkey, uid, registeredAt, atBlock, untilBlock, kind, reason, receipt)
    return true
  })
}

function forget(db: DatabaseSync, epoch: number): void {
  const from = epoch - KEPT_EPOCHS
  for (const table of ['audits', 'audit_plans'])
    db.prepare(`DELETE FROM ${table} WHERE before IN (SELECT before FROM passes WHERE epoch < ?)`).run(from)
  db.prepare('DELETE FROM passes WHERE epoch < ?').run(from)
}

const registrationIn = (row: Record<string, unknown>): Registration => ({
  hotkey: String(row.hotkey) as Ss58,
  uid: Number(row.uid) as Uid,
  registeredAt: Number(row.registered_at) as Block,
})

const planOf = (row: Record<string, unknown>): AuditPlan => ({
  ...registrationIn(row),
  answers: Number(row.answers),
  dropped: Number(row.dropped),
  share: Number(row.share),
  look: Number(row.look),
  outlook: JSON.parse(String(row.outlook)) as readonly AttackOutlook[],
})

/** Reads a forfeit's row. */
export const forfeitIn = (row: Record<string, unknown>): Forfeit => ({
  ...registrationIn(row),
  atBlock: Number(row.at_block) as Block,
  untilBlock: Number(row.until_block) as Block,
  kind: String(row.kind) as Forfeit['kind'],
  reason: String(row.reason),
  receipt: row.receipt === null ? null : String(row.receipt),
})
