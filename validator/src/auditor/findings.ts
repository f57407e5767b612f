import type { Block, Ss58, Uid } from '@arbor/shared/units'
import type { LogEntry } from '../log/entry.ts'

/** A value as a report shows it. */
export type Shown = string | number | boolean | null | readonly Shown[] | { readonly [key: string]: Shown }

/** Where a log is not what it has to be. */
export interface Mismatch {
  /** Place in the log; null for what is of no single entry. */
  readonly position: number | null
  /** Kind of the entry; `tree` for the log as a whole, `chain` for what the chain holds. */
  readonly kind: LogEntry['kind'] | 'tree' | 'chain'
  /** Which part of it. */
  readonly what: string
  readonly expected: Shown
  readonly found: Shown
}

/** An entry with its place in the log. */
export interface Placed<Entry extends LogEntry = LogEntry> {
  readonly position: number
  readonly entry: Entry
}

/** A miner that was to be asked in a round and has no verdict; the log alone cannot say why. */
export interface Omission {
  readonly roundBlock: Block
  readonly hotkey: Ss58
  readonly uid: Uid
}

/** Writes a mismatch of an entry. */
export const mismatchOf = (
  { position, entry }: Placed,
  what: string,
  { expected, found }: { readonly expected: unknown; readonly found: unknown },
): Mismatch => ({ position, kind: entry.kind, what, expected: shown(expected), found: shown(found) })

/** Cuts what a report shows of a value to what a report may hold. */
export const shown = (value: unknown): Shown => {
  const text = JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field)) ?? 'null'
  return text.length <= MOST_CHARS ? (JSON.parse(text) as Shown) : `${text.slice(0, MOST_CHARS)}…`
}

/** A row of 4 096 uids has some 50 000 characters. */
const MOST_CHARS = 65_536
