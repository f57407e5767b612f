import type { DatabaseSync } from 'node:sqlite'
import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { decodeHeader, encodeHeader } from '../header.ts'
import { type Key, keyBytes, toKey } from '../key.ts'
import { compact, reader, vec } from '../scale.ts'
import type { Change } from '../state/overlay.ts'
import { trieEdit } from '../trie/edit.ts'
import type { Trie } from '../trie/node.ts'
import { trieGet, trieNode } from '../trie/read.ts'
import type { StoredBlock } from '../types.ts'

/** A block with what it changed. */
export interface ImportedBlock {
  readonly block: StoredBlock
  readonly before: Trie
  readonly after: Trie
  readonly changes: readonly Change[]
}

/** What the chain keeps: blocks, the state of the best one, and what each block replaced in the state. */
export interface Store {
  /** Number of the best block; null before genesis. */
  bestNumber(): number | null
  finalizedNumber(): number
  /** States before this block are gone. */
  firstState(): number
  blockAt(number: number): StoredBlock | null
  block(hash: Hex): StoredBlock | null
  hashAt(number: number): Hex | null
  /** Reads the state of the best block. */
  loadState(): Trie
  /** Values that keys had after `number` where they are different now, each key once. */
  valuesAt(number: number): Change[]
  /** Keys that a block changed. */
  changedKeys(number: number): Key[]
  /** Adds a block and its state at once, and forgets states before `firstState`. */
  add(imported: ImportedBlock, firstState: number): void
  setFinalized(number: number): void
  close(): void
}

type Row = Readonly<Record<string, unknown>>

/** Wraps an open database. */
export const createStore = (database: DatabaseSync): Store => {
  const sql = prepare(database)
  const setMeta = (name: string, value: number): void => void sql.setMeta.run(name, Buffer.from(String(value)))
  const metaNumber = (name: string): number => {
    const row = sql.getMeta.get(name)
    return row === undefined ? 0 : Number(Buffer.from(bytesOf(row, 'value')).toString())
  }
  const write = ({ block, before, after, changes }: ImportedBlock, firstState: number): void => {
    const { number } = block.header
    sql.addBlock.run(number, fromHex(block.hash), encodeHeader(block.header), encodeBody(block.extrinsics))
    for (const [key, value] of changes) {
      const name = keyBytes(key)
      if (number > 0) sql.addJournal.run(number, name, trieGet(before, key) ?? null)
      if (value === undefined) sql.deleteState.run(name)
      else sql.setState.run(name, value, trieNode(after, key)?.hashed === true ? 1 : 0)
    }
    if (firstState > metaNumber('firstState')) {
      sql.pruneJournal.run(firstState)
      setMeta('firstState', firstState)
    }
  }
  return {
    bestNumber: () => {
      const best = sql.best.get()?.['number']
      return typeof best === 'number' ? best : null
    },
    finalizedNumber: () => metaNumber('finalized'),
    firstState: () => metaNumber('firstState'),
    blockAt: (number) => readBlock(sql.blockAt.get(number)),
    block: (hash) => readBlock(sql.block.get(fromHex(hash))),
    hashAt: (number) => {
      const row = sql.hashAt.get(number)
      return row === undefined ? null : toHex(bytesOf(row, 'hash'))
    },
    loadState: () =>
      trieEdit(trieEdit(undefined, readState(sql.loadState.iterate(0)), 0), readState(sql.loadState.iterate(1)), 1),
    valuesAt: (number) => sql.valuesAt.all(number).map(readChange),
    changedKeys: (number) => sql.changedKeys.all(number).map((row) => toKey(bytesOf(row, 'key'))),
    add: (imported, firstState) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        write(imported, firstState)
        database.exec('COMMIT')
      } catch (cause) {
        // SQLite itself rolls back on some errors, a full disk among them.
        if (database.isTransaction) database.exec('ROLLBACK')
        throw notWritten(imported.block, cause)
      }
    },
    setFinalized: (number) => setMeta('finalized', number),
    close: () => database.close(),
  }
}

const notWritten = ({ header }: StoredBlock, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_NOT_WRITTEN',
    message: `Block ${header.number} could not be written: ${cause instanceof Error ? cause.message : String(cause)}; make room or repair the disk, then start the chain again: it stands at the block before`,
    cause,
  })

const prepare = (database: DatabaseSync) => ({
  getMeta: database.prepare('SELECT value FROM meta WHERE name = ?'),
  setMeta: database.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
  best: database.prepare('SELECT max(number) AS number FROM blocks'),
  blockAt: database.prepare('SELECT * FROM blocks WHERE number = ?'),
  block: database.prepare('SELECT * FROM blocks WHERE hash = ?'),
  hashAt: database.prepare('SELECT hash FROM blocks WHERE number = ?'),
  addBlock: database.prepare('INSERT INTO blocks (number, hash, header, extrinsics) VALUES (?, ?, ?, ?)'),
  loadState: database.prepare('SELECT key, value FROM state WHERE kept = ? ORDER BY key'),
  setState: database.prepare(
    'INSERT INTO state VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, kept = excluded.kept',
  ),
  deleteState: database.prepare('DELETE FROM state WHERE key = ?'),
  addJournal: database.prepare('INSERT INTO journal VALUES (?, ?, ?)'),
  pruneJournal: database.prepare('DELETE FROM journal WHERE block <= ?'),
  changedKeys: database.prepare('SELECT key FROM journal WHERE block = ? ORDER BY key'),
  // SQLite takes the other columns from the row that holds the minimum. @source sqlite.org/lang_select.html#bareagg
  valuesAt: database.prepare('SELECT key, before AS value, min(block) FROM journal WHERE block > ? GROUP BY key'),
})

function* readState(rows: Iterable<Row>): Generator<Change> {
  for (const row of rows) yield readChange(row)
}

const readChange = (row: Row): Change => [
  toKey(bytesOf(row, 'key')),
  row['value'] === null ? undefined : bytesOf(row, 'value'),
]

const readBlock = (row: Row | undefined): StoredBlock | null =>
  row === undefined
    ? null
    : {
        hash: toHex(bytesOf(row, 'hash')),
        header: decodeHeader(bytesOf(row, 'header')),
        extrinsics: decodeBody(bytesOf(row, 'extrinsics')),
      }

const encodeBody = (extrinsics: readonly Uint8Array[]): Uint8Array =>
  concatBytes(compact(extrinsics.length), ...extrinsics.map(vec))

const decodeBody = (encoded: Uint8Array): readonly Uint8Array[] => {
  const source = reader(encoded)
  return Array.from({ length: source.compact() }, () => source.vec().slice())
}

const bytesOf = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw new TypeError(`Column ${column} of the chain's database holds no bytes`)
}
