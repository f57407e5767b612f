import { existsSync, linkSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { type BackedUp, backUp } from './backup.ts'
import { filesOf, moveInto, mustBeElsewhere, named, remove } from './files.ts'
import { inspectStore, mustBeWritable } from './inspect.ts'
import type { StoreKind, StoreName } from './kind.ts'

/**
 * Puts a backup in the place of a store that no process has open. What was there stays beside it, under the name that is returned.
 * @throws STORE_MISSING, BACKUP_IN_PLACE, STORE_OTHER_* when a whole store is there that belongs to another, STORE_*
 */
export const restore = async (of: {
  readonly from: string
  readonly file: string
  readonly kind: StoreKind
  readonly verify?: (copy: DatabaseSync, owner: string | null) => void
}): Promise<BackedUp & { readonly aside: string | null }> => {
  const { from, file, kind, verify } = of
  const draft = `${file}.${process.pid}.restored`
  mustBeElsewhere({ file: from, to: file })
  try {
    const copied = await backUp({
      file: from,
      kind,
      to: draft,
      replace: true,
      ...(verify === undefined ? {} : { verify }),
    })
    const aside = setAside({ file, kind }, copied.owner)
    moveInto(draft, file)
    return { ...copied, aside }
  } catch (cause) {
    throw named(cause, { kind, file })
  } finally {
    remove(draft)
  }
}

/**
 * Links what is there to another name. A whole store is settled first, so that its last writes are in the file itself and none are left
 * that would be taken for the new one's.
 */
const setAside = (of: StoreName & { readonly kind: StoreKind }, owner: string | null): string | null => {
  const { file, kind } = of
  const found = heldBy(of)
  if (found !== null && found.owner !== null && owner !== null && found.owner !== owner) {
    throw new SubnetError({
      code: 'BACKUP_OTHER_OWNER',
      message: `the backup belongs to "${owner}", and the ${kind.name} ${file} to "${found.owner}"; name the right one, or another --data folder`,
    })
  }
  if (found !== null) settle(file)
  if (!filesOf(file).some((name) => existsSync(name))) return null
  const aside = freeName(file)
  for (const [from, to] of [
    [file, aside],
    [`${file}-wal`, `${aside}-wal`],
  ] as const)
    if (existsSync(from)) linkSync(from, to)
  remove(`${file}-wal`, `${file}-shm`)
  return aside
}

/** Looks whose store is in the place of the restored one; null where there is none, or none that is whole. */
const heldBy = (of: StoreName & { readonly kind: StoreKind }) => {
  mustBeWritable({ ...of, file: dirname(of.file) })
  try {
    return inspectStore({ ...of, owner: null, depth: 'quick', untouched: true })
  } catch (cause) {
    if (cause instanceof SubnetError && cause.code.startsWith('STORE_')) return null // that is why it is being replaced
    throw cause
  }
}

const settle = (file: string): void => {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}

const freeName = (file: string): string => {
  for (let number = 1; ; number += 1) if (!existsSync(`${file}.replaced-${number}`)) return `${file}.replaced-${number}`
}
