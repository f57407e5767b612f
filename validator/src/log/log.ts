import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '@arbor/chain/store/transaction'
import { toHex } from '@arbor/shared/hex'
import { rootOf } from '@arbor/shared/merkle'
import type { Block, Blocks, Hex } from '@arbor/shared/units'
import type { ScoreState } from '../scoring/rules.ts'
import { type Append, appenderOf } from './append.ts'
import { type CheckOptions, checkLog, type LogCheck, newestTerms } from './check.ts'
import type { TermsEntry } from './entry.ts'
import { type Extent, extentOf } from './extent.ts'
import { headsOf, type LogHeads, type LogOwner } from './heads.ts'
import { nodesOf } from './nodes.ts'
import { type KeepRule, type Pruned, pruneLog } from './prune.ts'

/** A validator's log of receipts, as the part of its ledger that it is. */
export interface ReceiptLog {
  /** Adds entries, inside of the transaction that makes what they tell true. */
  readonly append: Append
  readonly heads: LogHeads
  extent(): Extent
  /** Root of the first so many entries. */
  root(size: number): Hex
  /**
   * Writes by what the entries that follow are to be read, where that has changed or nothing is there: the terms, and the state, from which an auditor can begin.
   * @throws LOG_EDITED
   */
  begin(of: { readonly terms: Omit<TermsEntry, 'kind' | 'version'>; readonly state: () => ScoreState }): void
  /** What the chain held of an earlier log that was lost, as the terms say; null where none was. */
  lost(): TermsEntry['lost'] | null
  /** Tells whether a round is the first of its epoch, of so many blocks, whose end a `state` entry is to follow. @param of.block start of the round */
  isStateDue(of: { readonly block: Block; readonly every: Blocks }): boolean
  /** @throws LOG_EDITED, LOG_TRUNCATED, LOG_OTHER */
  check(of?: CheckOptions): LogCheck
  prune(rule: KeepRule): Pruned
}

/** Opens the log of an open ledger. */
export const openLog = (db: DatabaseSync, owner: LogOwner): ReceiptLog => {
  const append = appenderOf(db)
  const nodeAt = nodesOf(db)
  const stated = db.prepare(
    "SELECT body ->> '$.rounds[0]' AS round FROM log_entries INDEXED BY log_states WHERE kind = 'state' ORDER BY position DESC LIMIT 1",
  )
  return {
    append,
    heads: headsOf(db, owner),
    extent: extentOf(db),
    root: (size) => toHex(rootOf(size, nodeAt)),
    lost: () => newestTerms(db)?.lost ?? null,
    begin: ({ terms, state }) => {
      const held = newestTerms(db)
      if (held !== null && isSame(held, terms)) return
      const lost = terms.lost ?? held?.lost // what was lost once stays so
      transaction(db, () =>
        append([
          { kind: 'terms', version: 1, ...terms, ...(lost === undefined ? {} : { lost }) },
          { kind: 'state', block: terms.block, ...state() },
        ]),
      )
    },
    isStateDue: ({ block, every }) => {
      const round = stated.get()?.round
      return typeof round !== 'number' || Math.floor(round / every) < Math.floor(block / every)
    },
    check: (of) => checkLog(db, owner, of),
    prune: (rule) => pruneLog(db, rule),
  }
}

const isSame = (held: TermsEntry, { spec, ...of }: Omit<TermsEntry, 'kind' | 'version'>): boolean =>
  held.genesisHash === of.genesisHash &&
  held.netuid === of.netuid &&
  held.hotkey === of.hotkey &&
  held.spec.name === spec.name &&
  held.spec.version === spec.version &&
  held.spec.model === spec.model &&
  (of.lost === undefined || (held.lost?.size === of.lost.size && held.lost.root === of.lost.root))
