import { SubnetError } from '@arbor/shared/errors'

/** @source sqlite.org/rescode.html */
const SQLITE = { busy: 5, full: 13, corrupt: 11, notADatabase: 26 } as const

/** The primary code of an error of SQLite; null for other errors. */
const sqliteCode = (cause: unknown): number | null =>
  cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : null

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Says why the chain's database cannot be opened. */
export const notOpened = (cause: unknown, folder: string): SubnetError => {
  if (cause instanceof SubnetError) return cause
  if (sqliteCode(cause) === SQLITE.busy) {
    return new SubnetError({
      code: 'CHAIN_FOLDER_IN_USE',
      message: `Another process runs the chain in ${folder}; stop it, or give this one another folder`,
      cause,
    })
  }
  if (isCorrupt(cause)) return corruptFile(cause, folder)
  return new SubnetError({
    code: 'CHAIN_FOLDER',
    message: `The chain's data in ${folder} cannot be opened: ${reason(cause)}; check the folder`,
    cause,
  })
}

/** Says why something could not be written; what stood before still stands. */
export const notWritten = (what: string, cause: unknown): SubnetError => {
  if (cause instanceof SubnetError) return cause
  if (isCorrupt(cause)) return corruptFile(cause, 'its folder')
  return new SubnetError({
    code: 'CHAIN_NOT_WRITTEN',
    message: `${what} could not be written: ${reason(cause)}; make room or repair the disk: the chain stands where it stood, and goes on when it can write`,
    cause,
    retryable: sqliteCode(cause) === SQLITE.full,
  })
}

/** Runs a read of the database. @throws CHAIN_DATA_CORRUPT, CHAIN_FOLDER when the disk refuses */
export const reading = <Result>(read: () => Result): Result => {
  try {
    return read()
  } catch (cause) {
    if (isCorrupt(cause)) throw corruptFile(cause, 'its folder')
    if (sqliteCode(cause) === null) throw cause
    throw new SubnetError({
      code: 'CHAIN_FOLDER',
      message: `The chain's data cannot be read: ${reason(cause)}; check the disk`,
      cause,
    })
  }
}

const isCorrupt = (cause: unknown): boolean => {
  const code = sqliteCode(cause)
  return code === SQLITE.corrupt || code === SQLITE.notADatabase
}

const corruptFile = (cause: unknown, where: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_DATA_CORRUPT',
    message: `The chain's database in ${where} is damaged: ${reason(cause)}; restore it from a copy or an export, or begin anew in another folder`,
    cause,
  })
