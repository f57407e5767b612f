import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/** @source sqlite.org/rescode.html */
const SQLITE_BUSY = 5

/**
 * Takes a folder for this process by an exclusively locked file in it, until it is disposed of or the process dies.
 * @param of.file the lock file, made when it is not there
 * @param of.what what the process is, as "a validator"
 * @throws FOLDER_IN_USE while another process holds it, FOLDER_UNUSABLE when it cannot be written
 */
export function lockFolder({ file, what }: { readonly file: string; readonly what: string }): Disposable {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file)
    // Exclusive mode takes the lock with the first access and keeps it; the kernel drops it with the process.
    lock.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (version INTEGER); COMMIT',
    )
    const held = lock
    return { [Symbol.dispose]: () => held.close() }
  } catch (cause) {
    lock?.close()
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
      throw new SubnetError({
        code: 'FOLDER_IN_USE',
        message: `${what} runs with ${file} already; stop it, or name another folder with --data`,
        cause,
      })
    }
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'FOLDER_UNUSABLE',
      message: `${file} cannot be used: ${why}; name another folder with --data`,
      cause,
    })
  }
}
