import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { notOpened } from './failures.ts'
import { migrate } from './schema.ts'

/** Name of the database within the chain's folder. */
export const CHAIN_FILE = 'chain.sqlite'

/**
 * Opens the chain's database and locks it until it is closed or the process dies.
 * A block is one transaction, so after kill -9 the last whole block stands. After a power cut the last blocks may be missing,
 * since WAL with synchronous=NORMAL does not wait for the disk; what is there is whole.
 * @param folder null: in memory
 * @throws CHAIN_FOLDER_IN_USE, CHAIN_FOLDER, CHAIN_DATA_VERSION, CHAIN_DATA_CORRUPT
 */
export const openDatabase = (folder: string | null): DatabaseSync => {
  let database: DatabaseSync | undefined
  try {
    if (folder !== null) mkdirSync(folder, { recursive: true })
    database = new DatabaseSync(folder === null ? ':memory:' : join(folder, CHAIN_FILE))
    // Exclusive mode takes the lock with the first access and keeps it; the kernel drops it with the process.
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864; BEGIN IMMEDIATE; COMMIT',
    )
    migrate(database)
    return database
  } catch (error) {
    database?.close()
    throw notOpened(error, folder ?? ':memory:')
  }
}
