import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { StoreName } from './kind.ts'

/** @source sqlite.org/rescode.html */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const
/** With less room than this, a disk that fails to write counts as full: SQLite says "I/O error" when it cannot grow its shared memory. */
const NO_ROOM_BYTES = 65_536

/** Says that a store is damaged, and how that was seen. */
export const damaged = ({ kind, file }: StoreName, why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_DAMAGED',
    message: `the ${kind.name} ${file} is damaged: ${why}; ${kind.remedy}`,
    details: { file },
    cause,
  })

/** Says that a file could not be opened or read at all. */
export const unreadable = ({ kind, file }: StoreName, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_UNREADABLE',
    message: `the ${kind.name} ${file} cannot be used: ${reasonOf(cause)}; check the folder, or ${kind.remedy}`,
    details: { file },
    cause,
  })

/** Says that a file, or its folder, may not be written. */
export const readOnly = ({ kind, file }: StoreName, where: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_READ_ONLY',
    message: `the ${kind.name} ${file} cannot be written: ${where} is read-only for this user; make it writable, or name another folder with --data`,
    details: { file },
    cause,
  })

/** Gives an error of SQLite its own code; any other, and a breach of a constraint, stays as it is. */
export const storeFailure = (cause: unknown, of: StoreName): unknown => {
  const { kind, file } = of
  switch (sqliteCode(cause)) {
    case SQLITE.full:
      return full(of, cause)
    case SQLITE.io:
      return hasNoRoom(file) ? full(of, cause) : notWritten(of, cause)
    case SQLITE.busy:
    case SQLITE.locked:
      return new SubnetError({
        code: 'STORE_BUSY',
        message: `the ${kind.name} ${file} is being written by another process for too long: ${reasonOf(cause)}; see what holds it`,
        details: { file },
        cause,
        retryable: true,
      })
    case SQLITE.corrupt:
      return damaged(of, reasonOf(cause), cause)
    case SQLITE.notADatabase:
      return notAStore(of, cause)
    case SQLITE.readOnly:
      return readOnly(of, 'it', cause)
    case SQLITE.cannotOpen:
      return hasNoRoom(file) ? full(of, cause) : unreadable(of, cause)
    default:
      return cause
  }
}

/** Says that a file is no database. */
export const notAStore = ({ kind, file }: StoreName, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_NOT_A_DATABASE',
    message: `${file} is no ${kind.name}: it does not begin as a SQLite database does; ${kind.remedy}`,
    details: { file },
    cause,
  })

const full = ({ kind, file }: StoreName, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_FULL',
    message: `the ${kind.name} ${file} could not be written: the disk is full; make room: nothing of what was being written is in the file, and what was there stands`,
    details: { file },
    cause,
    retryable: true,
  })

const notWritten = ({ kind, file }: StoreName, cause: unknown): SubnetError =>
  new SubnetError({
    code: 'STORE_NOT_WRITTEN',
    message: `the disk refused the ${kind.name} ${file}: ${reasonOf(cause)}; check the disk: what was there before stands`,
    details: { file },
    cause,
    retryable: true,
  })

const hasNoRoom = (file: string): boolean => {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize < NO_ROOM_BYTES
  } catch {
    return false // the folder has gone: not a matter of room
  }
}

/** The primary code of an error of SQLite; null for other errors. */
const sqliteCode = (cause: unknown): number | null =>
  cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : null

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
