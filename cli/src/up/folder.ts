import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'

/** The file that marks a folder as a local net's, and that is locked while the net runs. */
const mark = 'net.sqlite'
/** Everything that a local net keeps beside its mark. */
const kept = /^(chain|wallets|(miner|validator)-\d+)$/
/** @source sqlite.org/rescode.html */
const SQLITE_BUSY = 5

/**
 * Takes a folder for a local net until it is closed or the process dies: a new or empty one, or one that a local net made.
 * @param of.fresh throws away what an older net left there, and nothing else
 * @throws UP_NOT_A_NET for a folder that holds other things, UP_FOLDER_IN_USE while another net runs in it, UP_FOLDER
 */
export function openNetFolder({ data, fresh }: { readonly data: string; readonly fresh: boolean }): Disposable {
  const lock = claim(data)
  if (fresh) {
    for (const name of readdirSync(data).filter((each) => kept.test(each)))
      rmSync(join(data, name), { recursive: true, force: true })
  }
  return { [Symbol.dispose]: () => lock.close() }
}

function claim(data: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    if (!existsSync(join(data, mark)) && readdirSync(data).length > 0) throw notANet(data)
    lock = new DatabaseSync(join(data, mark))
    // Exclusive mode takes the lock with the first access and keeps it; the kernel drops it with the process.
    lock.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS net (version INTEGER); COMMIT',
    )
    return lock
  } catch (error) {
    lock?.close()
    throw error instanceof SubnetError ? error : asRefusal(error, data)
  }
}

const notANet = (data: string): SubnetError =>
  new SubnetError({
    code: 'UP_NOT_A_NET',
    message: `${data} holds files that no local net made; name a new or empty folder with --data`,
  })

function asRefusal(cause: unknown, data: string): SubnetError {
  if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
    return new SubnetError({
      code: 'UP_FOLDER_IN_USE',
      message: `another local net runs in ${data}; stop it, or name another folder with --data`,
      cause,
    })
  }
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SubnetError({
    code: 'UP_FOLDER',
    message: `the folder ${data} cannot be used: ${why}; name another with --data`,
    cause,
  })
}
