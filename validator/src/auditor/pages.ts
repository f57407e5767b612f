import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { createTree, type GrowingTree, leafHash } from '@arbor/shared/merkle'
import type { Block } from '@arbor/shared/units'
import type { LogEntry } from '../log/entry.ts'
import { readEntry } from '../log/read-entry.ts'
import type { Mismatch, Placed } from './findings.ts'
import type { ServedLog } from './served-log.ts'

/** Entries of one audit; a day of 4 096 miners has a tenth of it. */
export const MOST_ENTRIES = 5_000_000

/** A stretch of log that is being read; its entries are proven only when its tree's root was compared with a head's. */
export interface Stretch {
  /** Position of its first entry. */
  readonly from: number
  /** The tree over all entries before it and those that were read. */
  readonly tree: GrowingTree
  /** Reads on; ends at the head's size, at the first entry that is none, or when the caller has enough. */
  entries(): AsyncGenerator<Placed>
  /** An entry that is none. */
  readonly broken: Mismatch | null
  /** Hashes of the leaves that were read, to find the one that was edited. */
  readonly leaves: readonly Uint8Array[]
}

/**
 * Opens the stretch from the newest `terms` entry at or before a block on.
 * @returns null when the peaks before it are none
 * @throws AUDIT_PRUNED when the log keeps nothing of that age, AUDIT_TOO_LARGE
 */
export async function openStretch(
  log: ServedLog,
  of: { readonly before: Block; readonly size: number },
  signal: AbortSignal,
): Promise<Stretch | null> {
  let page = await log.page({ state: of.before }, signal)
  const { from } = page
  if (page.entries.length === 0 || from >= of.size) throw empty(log.url, of.before)
  const peaks = await log.peaks(from, signal)
  if (peaks === null) return null
  const tree = createTree({ size: from, peaks })
  const leaves: Uint8Array[] = []
  let broken: Mismatch | null = null
  const entries = async function* (): AsyncGenerator<Placed> {
    for (;;) {
      for (const text of page.entries.slice(0, of.size - tree.size)) {
        if (text === null) throw pruned(log.url, tree.size)
        const position = tree.size
        const leaf = leafHash(toBytes(text))
        tree.add(leaf)
        leaves.push(leaf)
        if (leaves.length > MOST_ENTRIES) throw tooMany(log.url)
        const entry = entryOf(text)
        if (entry instanceof Error) {
          broken = {
            position,
            kind: 'tree',
            what: 'an entry of the log',
            expected: entry.message,
            found: text.slice(0, 1_000),
          }
          return
        }
        yield { position, entry }
      }
      if (tree.size >= of.size) return
      const position = tree.size
      page = await log.page({ from: position }, signal)
      if (page.from !== position || page.entries.length === 0) throw stuck(log.url, position)
    }
  }
  return {
    from,
    tree,
    entries,
    get broken() {
      return broken
    },
    leaves,
  }
}

const entryOf = (text: string): LogEntry | Error => {
  try {
    return readEntry(text)
  } catch (error) {
    if (error instanceof SubnetError) return error
    throw error
  }
}

const pruned = (url: string, position: number): SubnetError =>
  new SubnetError({
    code: 'AUDIT_PRUNED',
    message: `${url} keeps entry ${position} no more, of which later rows follow; audit a newer epoch`,
    details: { position },
  })

const empty = (url: string, block: Block): SubnetError =>
  new SubnetError({
    code: 'AUDIT_PRUNED',
    message: `${url} has no entries of before block ${block} any more, or none yet; audit a newer epoch`,
    details: { block },
  })

const stuck = (url: string, position: number): SubnetError =>
  new SubnetError({
    code: 'AUDIT_ANSWER',
    message: `${url} has signed a head of more entries and gives none from ${position} on; it is broken, or hides them`,
    details: { position },
    retryable: true,
  })

const tooMany = (url: string): SubnetError =>
  new SubnetError({
    code: 'AUDIT_TOO_LARGE',
    message: `${url} sent more than ${MOST_ENTRIES} entries for one epoch; the audit ends there`,
    details: { most: MOST_ENTRIES },
  })
