import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { migrate } from './schema.ts'

/**
 * Opens the chain's database and locks it until it is closed or the process dies.
 * A block is one transaction, so after kill -9 the last whole block stands. After a power cut the last blocks may be missing,
 * since WAL with synchronous=NORMAL does not wait for the disk; what is there is whole.
 * @param folder null: in memory
 * @throws CHAIN_FOLDER_IN_USE, CHAIN_FOLDER, CHAIN_DATA_VERSION
 */
export const openDatabase = (folder: string | null): DatabaseSync => {
  let database: DatabaseSync | undefined
  try {
    if (folder !== null) mkdirSync(folder, { recursive: true })
    database = new DatabaseSync(folder === null ? ':memory:' : join(folder, 'chain.sqlite'))
    // Exclusive mode takes the lock with the first access and keeps it; the kernel drops it with the process.
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT',
    )
    migrate(database)
    return database
  } catch (error) {
    database?.close()
    throw error instanceof SubnetError ? error : asRefusal(error, folder ?? ':memory:')
  }
}

/** @source sqlite.org/rescode.html */
const SQLITE_BUSY = 5

const asRefusal = (cause: unknown, folder: string): SubnetError => {
  if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
    return new SubnetError({
      code: 'CHAIN_FOLDER_IN_USE',
      message: `Another process runs the chain in ${folder}; stop it, or give this one another folder`,
      cause,
    })
  }
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SubnetError({
    code: 'CHAIN_FOLDER',
    message: `The chain's data in ${folder} cannot be opened: ${why}; check the folder`,
    cause,
  })
}
