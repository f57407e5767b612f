import type { DatabaseSync } from 'node:sqlite'

/** Prepares the statements of the chain's database. */
export const prepareStatements = (database: DatabaseSync) => ({
  getMeta: database.prepare('SELECT value FROM meta WHERE name = ?'),
  setMeta: database.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
  readNode: database.prepare('SELECT body FROM nodes WHERE id = ?'),
  writeNode: database.prepare('INSERT INTO nodes VALUES (?, ?)'),
  dropNode: database.prepare('DELETE FROM nodes WHERE id = ?'),
  dropNodes: database.prepare('DELETE FROM nodes WHERE id >= ? AND id < ?'),
  lastNode: database.prepare('SELECT max(id) AS id FROM nodes'),
  addBlock: database.prepare(
    'INSERT INTO blocks (hash, number, header, extrinsics, root, first, end, retired, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ),
  block: database.prepare('SELECT * FROM blocks WHERE hash = ?'),
  blockAt: database.prepare('SELECT blocks.* FROM numbers JOIN blocks USING (hash) WHERE numbers.number = ?'),
  others: database.prepare(
    `SELECT blocks.hash AS hash, blocks.number AS number, header, first, end FROM blocks LEFT JOIN numbers ON numbers.number = blocks.number
     WHERE blocks.number > ? AND numbers.hash IS NOT blocks.hash ORDER BY blocks.number`,
  ),
  dropBlock: database.prepare('DELETE FROM blocks WHERE hash = ?'),
  dropState: database.prepare('UPDATE blocks SET root = NULL WHERE hash = ?'),
  setHash: database.prepare('INSERT INTO numbers VALUES (?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash'),
  cutNumbers: database.prepare('DELETE FROM numbers WHERE number > ?'),
  lastNumber: database.prepare('SELECT max(number) AS number FROM numbers'),
  hashAt: database.prepare('SELECT hash FROM numbers WHERE number = ?'),
  numberOf: database.prepare(
    `SELECT number FROM numbers WHERE substr(hash, 1, 8) = substr(?1, 1, 8) AND hash = ?1
     UNION SELECT number FROM blocks WHERE hash = ?1`,
  ),
  size: database.prepare('SELECT page_size * page_count AS bytes FROM pragma_page_size(), pragma_page_count()'),
})

export type Statements = ReturnType<typeof prepareStatements>
export type Row = Readonly<Record<string, unknown>>

/** Reads a column of bytes. */
export const bytesOf = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw new TypeError(`Column ${column} of the chain's database holds no bytes`)
}

/** Reads a column of whole numbers. */
export const numberOf = (row: Row | undefined, column: string): number | null => {
  const value = row?.[column]
  return typeof value === 'number' ? value : null
}
