import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { filesOf, moveInto, mustBeElsewhere, named, remove } from './files.ts'
import { inspectStore } from './inspect.ts'
import type { StoreKind, StoreName } from './kind.ts'
import { place, readStore } from './open.ts'

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
