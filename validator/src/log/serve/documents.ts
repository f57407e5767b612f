import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { isHex, toHex } from '@arbor/shared/hex'
import { consistencyProof, inclusionProof } from '@arbor/shared/merkle'
import { exchangeId } from '../../exchange.ts'
import { readReceipt } from '../../receipt-schema.ts'
import { receiptFile } from '../../receipts.ts'
import { historyOf } from '../../training/history.ts'
import { isTrainingReceipt, readTrainingReceipt } from '../../training/receipt.ts'
import { extentOf } from '../extent.ts'
import { headsOf, type LogOwner } from '../heads.ts'
import { nodesOf } from '../nodes.ts'
import { readEntry } from '../read-entry.ts'
import type { ServeLimits } from './limits.ts'

/** What is answered, and how long it stays true. */
export interface Document {
  readonly status: number
  readonly body: string
  /** `fixed`: these bytes are the answer for ever. */
  readonly lasts: 'fixed' | 'now'
}

/** What can be asked of a log. */
export interface Documents {
  head(size: number | null): Document
  entries(of: { readonly from: number | { readonly state: number }; readonly count: number }): Document
  inclusion(index: number, size: number): Document
  consistency(from: number, to: number): Document
  body(id: string): Document
  /** Rounds of a training subnet, from one on; the newest where none is named. */
  training(from: number | null): Document
}

/** Why nothing is answered, with its status. */
export const REFUSALS = {
  LOG_NOT_FOUND: 404,
  LOG_METHOD: 405,
  LOG_BAD_QUERY: 400,
  LOG_NO_HEAD: 404,
  LOG_NO_BODY: 404,
  LOG_RATE: 429,
  LOG_BUSY: 503,
} as const
export type RefusalCode = keyof typeof REFUSALS

export const refusal = (code: RefusalCode): Document => ({
  status: REFUSALS[code],
  body: JSON.stringify({ code }),
  lasts: 'now',
})
const ok = (value: unknown, lasts: Document['lasts'] = 'fixed'): Document => ({
  status: 200,
  body: JSON.stringify(value),
  lasts,
})

/** Reads documents from a ledger that another connection writes. Nothing is told that no signed head covers. */
export const documentsOf = (of: {
  readonly db: DatabaseSync
  readonly owner: LogOwner
  /** The validator's data folder, where the receipts lie. */
  readonly data: string
  readonly limits: Pick<ServeLimits, 'pageEntries' | 'pageBytes' | 'pageRounds'>
}): Documents => {
  const { db, limits } = of
  const heads = headsOf(db, of.owner)
  const nodeAt = nodesOf(db)
  const extent = extentOf(db)
  const rows = db.prepare(
    'SELECT leaf, body FROM log_entries WHERE position >= ? AND position < ? ORDER BY position LIMIT ?',
  )
  const stateAt = db.prepare(
    "SELECT position FROM log_entries INDEXED BY log_states WHERE kind = 'state' AND block <= ? AND position < ? AND body IS NOT NULL ORDER BY position DESC LIMIT 1",
  )
  const kindAt = db.prepare('SELECT kind FROM log_entries WHERE position = ?')
  const bodyOf = db.prepare('SELECT position FROM log_bodies WHERE receipt = ?')
  const newestRound = db.prepare('SELECT max(round) AS v FROM training_rounds WHERE position < ?')
  const textAt = db.prepare('SELECT body FROM log_entries WHERE position = ?')

  /** The newest state at or before a block, and the terms before it; else where bodies begin. */
  const startOf = (block: number, size: number): number => {
    const state = stateAt.get(block, size)?.position
    if (state === undefined) return extent().first
    const position = Number(state)
    return kindAt.get(position - 1)?.kind === 'terms' ? position - 1 : position
  }

  return {
    head: (size) => {
      const head = size === null ? heads.newest() : heads.at(size)
      if (head === null) return refusal('LOG_NO_HEAD')
      const anchored = heads.anchored()
      const shown = anchored === null ? null : { size: anchored.head.size, block: anchored.anchoredAt }
      return ok({ head, anchored: shown, first: extent().first }, 'now')
    },
    entries: ({ from: start, count }) => {
      const size = heads.newest()?.size
      if (size === undefined) return refusal('LOG_NO_HEAD')
      const from = typeof start === 'number' ? start : startOf(start.state, size)
      const most = Math.min(count, limits.pageEntries)
      const entries: (string | { readonly leaf: string })[] = []
      let bytes = 0
      for (const { leaf, body } of rows.iterate(from, size, most)) {
        const entry = typeof body === 'string' ? body : { leaf: toHex(leaf as Uint8Array) }
        bytes += typeof entry === 'string' ? Buffer.byteLength(entry) : 80
        if (entries.length > 0 && bytes > limits.pageBytes) break
        entries.push(entry)
      }
      const next = from + entries.length < size ? from + entries.length : null
      // A page that the head cut short grows, one that was pruned shrinks, and a state moves on.
      const isFixed = typeof start === 'number' && next !== null && entries.every((entry) => typeof entry === 'string')
      return ok({ from, size, entries, next }, isFixed ? 'fixed' : 'now')
    },
    inclusion: (index, size) => {
      if (size > (heads.newest()?.size ?? 0)) return refusal('LOG_NO_HEAD')
      if (index >= size) return refusal('LOG_BAD_QUERY')
      const proof = inclusionProof({ index, size, nodeAt }).map(toHex)
      return ok({ index, size, leaf: toHex(nodeAt(0, index)), proof })
    },
    consistency: (from, to) => {
      if (to > (heads.newest()?.size ?? 0)) return refusal('LOG_NO_HEAD')
      if (from > to) return refusal('LOG_BAD_QUERY')
      return ok({ from, to, proof: consistencyProof({ from, to, nodeAt }).map(toHex) })
    },
    training: (from) => {
      const before = heads.newest()?.size
      if (before === undefined) return refusal('LOG_NO_HEAD')
      const newest = Number(newestRound.get(before)?.v ?? 0)
      const most = limits.pageRounds
      return ok(historyOf(db, { from: from ?? Math.max(0, newest - most + 1), before, most }), 'now')
    },
    body: (id) => {
      if (!isHex(`0x${id}`, 32) || id !== id.toLowerCase()) return refusal('LOG_NO_BODY')
      const position = bodyOf.get(Buffer.from(id, 'hex'))?.position
      if (position === undefined || Number(position) >= (heads.newest()?.size ?? 0)) return refusal('LOG_NO_BODY')
      if (!isNamedBy(textAt.get(Number(position))?.body, id)) return refusal('LOG_NO_BODY')
      const text = planned(receiptFile(of.data, id), id)
      return text === null ? refusal('LOG_NO_BODY') : { status: 200, body: text, lasts: 'fixed' }
    },
  }
}

/** Tells whether an entry is a round's verdict on this exchange; users' answers have no verdicts. */
const isNamedBy = (body: unknown, id: string): boolean => {
  if (typeof body !== 'string') return false
  const entry = readEntry(body)
  return entry.kind === 'verdict' && entry.receipt === id
}

/** Reads a receipt's file; null unless it holds, whole, a round's own question, or a judged update, under this name. */
const planned = (file: string, id: string): string | null => {
  try {
    const text = readFileSync(file, 'utf8')
    if (isTrainingReceipt(text)) return readTrainingReceipt(text).id === id ? text : null
    const { exchange } = readReceipt(text)
    return exchange.kind === 'planned' && exchangeId(exchange) === id ? text : null
  } catch {
    return null // gone, or cut short by a power cut
  }
}
