import { existsSync, linkSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { inspectStore, mustBeWritable } from './inspect.ts'
import type { StoreKind, StoreName } from './kind.ts'
import { place, readStore, sync } from './open.ts'
import { storeFailure, unreadable } from './refusals.ts'

/** All pages in one step: a store that is written meanwhile would make smaller ones begin again and again. */
const ALL_PAGES = 2 ** 31 - 1

/** What a backup holds. */
export interface BackedUp {
  readonly bytes: number
  readonly version: number
  readonly owner: string | null
}

/**
 * Copies a store that another process may be writing, as it stands at one moment, into one file that needs no other beside it. The copy is
 * checked whole, flushed, and gets its name last: there is never half a backup.
 * @param of.verify further checks of the copy
 * @param of.replace whether a file of that name may go
 * @throws STORE_MISSING, BACKUP_EXISTS, BACKUP_IN_PLACE, STORE_*
 */
export const backUp = async (of: {
  readonly file: string
  readonly kind: StoreKind
  readonly to: string
  readonly replace: boolean
  readonly verify?: (copy: DatabaseSync, owner: string | null) => void
}): Promise<BackedUp> => {
  const { file, kind, to, replace, verify } = of
  mustBeElsewhere(of)
  if (existsSync(to) && !replace) throw exists(to)
  const source = readStore({ file, kind })
  if (source === null) throw missing({ kind, file })
  const draft = join(dirname(to), `.${basename(to)}.${process.pid}.part`)
  try {
    await backup(source, draft, { rate: ALL_PAGES }).finally(() => source.close())
    standAlone(draft)
    const found = inspectStore({ file: draft, kind, owner: null, depth: 'whole' })
    if (found === null) throw missing({ kind, file: draft })
    reading({ file: draft, kind }, (copy) => verify?.(copy, found.owner))
    const { size: bytes } = statSync(draft)
    remove(`${draft}-wal`, `${draft}-shm`)
    if (replace) moveInto(draft, to)
    else if (!place(draft, to)) throw exists(to)
    return { bytes, ...found }
  } catch (cause) {
    throw named(cause, { kind, file: to })
  } finally {
    remove(...filesOf(draft), `${draft}-journal`)
  }
}

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
  mustBeElsewhere({ file: from, to: file, kind })
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

/** Leaves write-ahead logging, so that the file can be read from where nothing can be written. */
const standAlone = (file: string): void => {
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA journal_mode = DELETE')
  } finally {
    db.close()
  }
}

const reading = (of: StoreName, body: (db: DatabaseSync) => void): void => {
  const db = new DatabaseSync(of.file, { readOnly: true })
  try {
    body(db)
  } finally {
    db.close()
  }
}

const moveInto = (draft: string, file: string): void => {
  sync(draft)
  renameSync(draft, file)
  sync(dirname(file))
}

/** A copy onto itself, or onto what belongs to it, would destroy it. */
const mustBeElsewhere = ({
  file,
  to,
}: {
  readonly file: string
  readonly to: string
  readonly kind: StoreKind
}): void => {
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

const filesOf = (file: string): readonly string[] => [file, `${file}-wal`, `${file}-shm`]

const remove = (...files: readonly string[]): void => {
  for (const file of files) rmSync(file, { force: true })
}

const named = (cause: unknown, of: StoreName): unknown => {
  if (cause instanceof SubnetError) return cause
  const failure = storeFailure(cause, of)
  return failure === cause ? unreadable(of, cause) : failure
}

const exists = (to: string): SubnetError =>
  new SubnetError({
    code: 'BACKUP_EXISTS',
    message: `${to} is there already; name another file, or replace it with --force`,
  })

const missing = ({ kind, file }: StoreName): SubnetError =>
  new SubnetError({
    code: 'STORE_MISSING',
    message: `there is no ${kind.name} at ${file}; name the folder or file that has it`,
    details: { file },
  })
