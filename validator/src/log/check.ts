import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import { nodeHash, rootOf } from '@arbor/shared/merkle'
import { verifyHead } from '@arbor/shared/tree-head'
import type { LogEntry, TermsEntry } from './entry.ts'
import { extentOf } from './extent.ts'
import { headsOf, type LogOwner } from './heads.ts'
import { edited, nodesOf } from './nodes.ts'
import { readEntry } from './read-entry.ts'

/** What a check saw. */
export interface LogCheck {
  /** Entries of the log, of which so many have their bodies. */
  readonly entries: number
  readonly bodies: number
  /** Size of the newest signed head; null without one. */
  readonly signed: number | null
}

const HASH_BYTES = 32

/** The newest entries that are checked before a log is used: six rounds of 4 096 miners, half a second. */
export const RECENT = 50_000

export interface CheckOptions {
  /** Looks at the newest `RECENT` entries only; the rest is proven by the root as it is stored. */
  readonly recent?: boolean
  /** Reads each entry as well, as an auditor does. */
  readonly read?: boolean
}

/**
 * Checks a log against itself and its newest signed head, and changes nothing: each body against its leaf, each leaf from the first body on
 * against the tree, the tree against the head, the head against the hotkey. Holds 32 bytes for each entry that it looks at.
 * @throws LOG_EDITED, LOG_TRUNCATED, LOG_OTHER
 */
export const checkLog = (db: DatabaseSync, owner: LogOwner, of: CheckOptions = {}): LogCheck => {
  const { size, first: oldest } = extentOf(db)()
  const first = of.recent === true ? Math.max(oldest, size - RECENT) : oldest
  mustBeOwn(db, owner)
  const head = headsOf(db, owner).newest()
  if (head !== null && head.size > size)
    throw new SubnetError({
      code: 'LOG_TRUNCATED',
      message: `the log of receipts has ${size} entries, and its newest head signed ${head.size}: the end is missing, and nothing was changed. Restore the newest copy of ledger.sqlite, or name another --data folder`,
      details: { entries: size, signed: head.size },
    })
  if (head !== null && !verifyHead(head)) throw edited(`the signature of its head of ${head.size} entries is wrong`)
  const leaves = checkBodies({ db, first, size, read: of.read === true })
  checkNodes({ db, first, size, leaves })
  if (head !== null && toHex(rootOf(head.size, nodesOf(db))) !== head.root)
    throw edited(`the root of its first ${head.size} entries is not the one that was signed`)
  return { entries: size, bodies: size - oldest, signed: head?.size ?? null }
}

/** The newest terms name chain, subnet and hotkey. */
const mustBeOwn = (db: DatabaseSync, owner: LogOwner): void => {
  const terms = newestTerms(db)
  if (terms === null) return
  const { genesisHash, netuid, hotkey } = terms
  if (genesisHash === owner.genesisHash && netuid === owner.netuid && hotkey === owner.hotkey) return
  throw new SubnetError({
    code: 'LOG_OTHER',
    message: `the log of receipts is of chain ${genesisHash}, subnet ${netuid}, hotkey ${hotkey}, not of chain ${owner.genesisHash}, subnet ${owner.netuid}, hotkey ${owner.hotkey}; nothing was changed. Name another --data folder`,
    details: { genesisHash, netuid, hotkey },
  })
}

/** The terms that a log's newest entries are to be read by; null where there are none yet. @throws LOG_EDITED */
export const newestTerms = (db: DatabaseSync): TermsEntry | null => {
  const row = db
    .prepare("SELECT body FROM log_entries INDEXED BY log_terms WHERE kind = 'terms' ORDER BY position DESC LIMIT 1")
    .get()
  if (row === undefined) return null
  if (row.body === null) throw edited('the newest terms have lost their content')
  const entry = readKept(String(row.body))
  if (entry.kind !== 'terms') throw edited('an entry of terms holds something else')
  return entry
}

/** Reads an entry of our own log. @throws LOG_EDITED */
export const readKept = (text: string): LogEntry => {
  try {
    return readEntry(text)
  } catch (error) {
    throw edited(error instanceof Error ? error.message : String(error))
  }
}

interface Range {
  readonly db: DatabaseSync
  readonly first: number
  readonly size: number
}

/** Compares each body with its leaf. @returns the leaves, one after the other */
const checkBodies = ({ db, first, size, read }: Range & { readonly read: boolean }): Buffer => {
  const leaves = Buffer.alloc((size - first) * HASH_BYTES)
  let next = first
  const rows = db.prepare('SELECT position, leaf, body FROM log_entries WHERE position >= ? ORDER BY position')
  for (const { position, leaf, body } of rows.iterate(first)) {
    if (position !== next) throw edited(`entry ${next} is missing`)
    if (typeof body !== 'string') throw edited(`entry ${position} has lost its content`)
    const found = hash('sha256', `\0${body}`, 'buffer')
    if (!(leaf instanceof Uint8Array) || !found.equals(leaf)) throw edited(`entry ${position} is not what was hashed`)
    if (read) readKept(body)
    leaves.set(found, (next - first) * HASH_BYTES)
    next += 1
  }
  if (next !== size) throw edited(`entry ${next} is missing`)
  return leaves
}

/** Computes every node above the leaves from the first body on, and compares it with the one that is kept. */
const checkNodes = ({ db, first, size, leaves }: Range & { readonly leaves: Buffer }): void => {
  const nodeAt = nodesOf(db)
  const kept = db.prepare('SELECT position, hash FROM log_nodes WHERE level = ? AND position >= ? ORDER BY position')
  let [children, start, end] = [leaves, first, size]
  for (let level = 1; end > start; level += 1) {
    if (start % 2 === 1) {
      start -= 1
      children = Buffer.concat([nodeAt(level - 1, start), children])
    }
    const [from, to] = [start / 2, Math.floor(end / 2)]
    const parents = Buffer.alloc((to - from) * HASH_BYTES)
    let next = from
    for (const { position, hash: held } of kept.iterate(level, from)) {
      if (position !== next || next >= to)
        throw edited(`node ${next} of level ${level} of its tree is missing or one too many`)
      const at = (next - from) * 2 * HASH_BYTES
      const found = nodeHash(
        children.subarray(at, at + HASH_BYTES),
        children.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES),
      )
      if (!(held instanceof Uint8Array) || Buffer.compare(found, held) !== 0)
        throw edited(`node ${next} of level ${level} of its tree does not follow from the entries`)
      parents.set(found, (next - from) * HASH_BYTES)
      next += 1
    }
    if (next !== to) throw edited(`node ${next} of level ${level} of its tree is missing`)
    ;[children, start, end] = [parents, from, to]
  }
}
