import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { createTree, type GrowingTree, leafHash } from '@arbor/shared/merkle'
import type { Block } from '@arbor/shared/units'
import { blockOf } from '../log/encode.ts'
import type { LogEntry } from '../log/entry.ts'
import { readEntry } from '../log/read-entry.ts'
import type { Mismatch, Placed } from './findings.ts'
import type { LogPage, ServedLog } from './served-log.ts'

/** Entries of one audit; a day of 4 096 miners has a tenth of it. */
export const MOST_ENTRIES = 5_000_000

/** Leaves that are kept, to find the one that was edited. */
const MOST_LEAVES = 512

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
  /** Hashes of the first leaves that were read, to find the one that was edited. */
  readonly leaves: readonly Uint8Array[]
}

/**
 * Opens the stretch from the newest `terms` entry at or before a block on, of those that stand within what the validator had bound itself to:
 * a state that was told later could be made for the row that is audited.
 * @returns null when the peaks before it are none
 * @throws AUDIT_PRUNED when the log keeps nothing of that age, AUDIT_TOO_LARGE
 */
export async function openStretch(
  log: ServedLog,
  of: { readonly before: Block; readonly size: number; readonly within: Within | null },
  signal: AbortSignal,
): Promise<Stretch | null> {
  let page = await firstPage(log, of, signal)
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
        if (leaves.length < MOST_LEAVES) leaves.push(leaf)
        if (tree.size - from > MOST_ENTRIES) throw tooMany(log.url)
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

/** How many entries a log had at a block, as its validator has bound itself to. */
export interface Within {
  readonly size: number
  readonly block: Block
}

/** Steps back until a stretch begins early enough; an anchor is some epochs behind at most. */
const MOST_STEPS = 16

async function firstPage(
  log: ServedLog,
  { before, within }: { readonly before: Block; readonly within: Within | null },
  signal: AbortSignal,
): Promise<LogPage> {
  let [asked, last] = [before, Number.POSITIVE_INFINITY]
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const page = await log.page({ state: asked }, signal)
    const [text] = page.entries
    if (page.from === 0 || text === undefined) return page
    if (text === null) throw pruned(log.url, page.from)
    const entry = entryOf(text)
    if (entry instanceof Error) return page // what is no entry is told when it is read
    const block = blockOf(entry)
    if (block === null || block > asked || page.from >= last) break
    if (within === null || page.from < within.size) return page
    last = page.from
    asked = Math.min(block - 1, within.block) as Block
    if (asked < 0) break
  }
  throw empty(log.url, asked)
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
