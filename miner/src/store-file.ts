import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/**
 * Opens a store of the data folder in write-ahead mode. A row is in the file when its request is answered: what the process writes
 * outlives its kill, and every write is flushed, so that a machine that loses power remembers it too.
 * @param of.what names the store in errors
 * @param of.schema SQL that makes the tables which are not there yet
 * @throws MINER_DATA when the file cannot be used
 */
export const openStoreFile = (of: {
  readonly file: string
  readonly what: string
  readonly schema: string
}): DatabaseSync => {
  const { file, what, schema } = of
  try {
    const database = new DatabaseSync(file)
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000; ${schema}`)
    return database
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'MINER_DATA',
      message: `The ${what} ${file} cannot be used: ${why}; check the data folder, one miner may use it`,
      cause,
    })
  }
}
