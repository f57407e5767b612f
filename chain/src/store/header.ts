import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { SubnetError } from '@arbor/shared/errors'
import type { StoreName } from './kind.ts'
import { damaged, notAStore, unreadable } from './refusals.ts'

/** Tells whether there is a file. A write-ahead file alone means that there was one. */
export const isFile = (of: StoreName): boolean => {
  const stat = statOf(of.file, of)
  if (stat === null) {
    if ((statOf(`${of.file}-wal`, of)?.size ?? 0) === 0) return false
    throw damaged(of, `it is gone, but its write-ahead file ${of.file}-wal is there`)
  }
  if (!stat.isFile()) {
    throw new SubnetError({
      code: 'STORE_NOT_A_FILE',
      message: `${of.file} is ${stat.isDirectory() ? 'a folder' : 'no plain file'}, where the ${of.kind.name} should be; move it away, or ${of.kind.remedy}`,
      details: { file: of.file },
    })
  }
  if (stat.size === 0) throw empty(of, 'has no bytes')
  return true
}

const statOf = (path: string, of: StoreName) => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null
  } catch (cause) {
    throw unreadable(of, cause)
  }
}

/** The header of a SQLite file. @source sqlite.org/fileformat.html#the_database_header */
const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'

/** Looks at the header alone: whether it is a database, and whether the file is as long as it says. */
export const mustBeDatabase = (of: StoreName): void => {
  const { header, size } = headerOf(of)
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw notAStore(of)
  const stored = header.readUInt16BE(16)
  const pageSize = stored === 1 ? 65_536 : stored
  const isCurrent = header.readUInt32BE(24) === header.readUInt32BE(92) // else the number of pages says nothing
  const isAhead = (statOf(`${of.file}-wal`, of)?.size ?? 0) > 0 // pages may be there alone
  const bytes = header.readUInt32BE(28) * pageSize
  if (!isCurrent || isAhead || size >= bytes) return
  throw new SubnetError({
    code: 'STORE_TRUNCATED',
    message: `the ${of.kind.name} ${of.file} was cut off: it has ${size} of ${bytes} bytes; ${of.kind.remedy}`,
    details: { file: of.file, size, bytes },
  })
}

const headerOf = (of: StoreName): { readonly header: Buffer; readonly size: number } => {
  let descriptor: number | undefined
  try {
    descriptor = openSync(of.file, 'r')
    const header = Buffer.alloc(HEADER_BYTES)
    const length = readSync(descriptor, header, 0, HEADER_BYTES, 0)
    return { header: header.subarray(0, length), size: fstatSync(descriptor).size }
  } catch (cause) {
    throw unreadable(of, cause)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Says that nothing is in a file. */
export const empty = ({ kind, file }: StoreName, how: string): SubnetError =>
  new SubnetError({
    code: 'STORE_EMPTY',
    message: `the ${kind.name} ${file} ${how}: it was emptied, or its first writer was killed; remove it if nothing was in it yet, else ${kind.remedy}`,
    details: { file },
  })
