import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { blobName } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { BlobStore } from './types.ts'
import { UNFINISHED, writeWhole } from './whole-file.ts'

const NAMED = /^[0-9a-f]{64}$/

/**
 * Opens a folder of files by their name. A file appears under its name only when all of it is on the disk; what an earlier process left
 * unfinished is removed. One process at a time writes to a folder.
 * @throws BLOB_NOT_WRITTEN where the folder cannot be made
 */
export function openBlobStore({ folder }: { readonly folder: string }): BlobStore {
  trying(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const file of readdirSync(folder)) if (file.endsWith(UNFINISHED)) rmSync(join(folder, file), { force: true })
  })
  const fileOf = (name: Hex): string => join(folder, plainName(name))
  const read: BlobStore['read'] = (name) => {
    const bytes = contentOf(fileOf(name))
    if (bytes === null || blobName(bytes) === name.toLowerCase()) return bytes
    rmSync(fileOf(name), { force: true })
    return null
  }
  return {
    fileOf,
    has: (name) => existsSync(fileOf(name)),
    read,
    write: (bytes) => {
      const name = blobName(bytes)
      if (read(name) === null) trying(folder, () => writeWhole(fileOf(name), bytes))
      return name
    },
    prune: ({ keep, mostBytes }) => {
      const kept = new Set([...keep].map(plainName))
      const files = filesIn(folder)
      let bytes = files.reduce((sum, { size }) => sum + size, 0)
      for (const { name, size } of files.filter((file) => !kept.has(file.name)).sort((a, b) => a.at - b.at)) {
        if (bytes <= mostBytes) return
        rmSync(join(folder, name), { force: true })
        bytes -= size
      }
    },
  }
}

/** @throws BLOB_NAME when it is no name, and could be a path */
const plainName = (name: Hex): string => {
  if (isHex(name, 32)) return Buffer.from(fromHex(name)).toString('hex')
  throw new SubnetError({
    code: 'BLOB_NAME',
    message: `"${String(name).slice(0, 80)}" is no name of a file; names are 32 bytes in hexadecimal, as 0x…`,
  })
}

const contentOf = (file: string): Uint8Array | null => {
  try {
    return readFileSync(file)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const filesIn = (folder: string): { readonly name: string; readonly size: number; readonly at: number }[] =>
  readdirSync(folder)
    .filter((name) => NAMED.test(name))
    .flatMap((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false })
      return found === undefined ? [] : [{ name, size: found.size, at: found.mtimeMs }]
    })

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const trying = (folder: string, work: () => void): void => {
  try {
    work()
  } catch (cause) {
    throw new SubnetError({
      code: 'BLOB_NOT_WRITTEN',
      message: `a file could not be written to ${folder}: ${cause instanceof Error ? cause.message : String(cause)}; make room, or name another folder with --data`,
      cause,
      retryable: true,
    })
  }
}
