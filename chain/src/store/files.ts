import { existsSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { StoreName } from './kind.ts'
import { sync } from './open.ts'
import { storeFailure, unreadable } from './refusals.ts'

/** Gives a whole file its name, in the place of what has it. */
export const moveInto = (draft: string, file: string): void => {
  sync(draft)
  renameSync(draft, file)
  sync(dirname(file))
}

/** A copy onto itself, or onto what belongs to it, would destroy it. */
export const mustBeElsewhere = ({ file, to }: { readonly file: string; readonly to: string }): void => {
  if (!filesOf(real(file)).includes(real(to))) return
  throw new SubnetError({
    code: 'BACKUP_IN_PLACE',
    message: `${to} is ${file} itself, or belongs to it; name another file`,
  })
}

const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return existsSync(dirname(path)) ? join(realpathSync(dirname(path)), basename(path)) : path
  }
}

/** Names a store's file and those that lie beside it while it is open. */
export const filesOf = (file: string): readonly string[] => [file, `${file}-wal`, `${file}-shm`]

/** Removes files that may not be there. */
export const remove = (...files: readonly string[]): void => {
  for (const file of files) rmSync(file, { force: true })
}

/** Gives any failure a code. */
export const named = (cause: unknown, of: StoreName): unknown => {
  if (cause instanceof SubnetError) return cause
  const failure = storeFailure(cause, of)
  return failure === cause ? unreadable(of, cause) : failure
}
