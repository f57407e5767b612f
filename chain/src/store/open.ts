import { closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { type Depth, inspectStore, mustBeWritable } from './inspect.ts'
import { applicationId, ownerText, type StoreKind, type StoreOwner } from './kind.ts'
import { migrate } from './migrate.ts'
import { BUSY_MS, connectReading } from './read.ts'
import { storeFailure, unreadable } from './refusals.ts'

/** What opens a store. */
export interface StoreOptions {
  /** Made when it is not there; absent, or `:memory:`: in memory. */
  readonly file?: string | undefined
  readonly kind: StoreKind
  /** Who claims a new store, and must have claimed an old one; null where several share it. */
  readonly owner: StoreOwner | null
  /** `quick` unless told: reading every page of 100 MB takes 0.14 s of a core. */
  readonly depth?: Depth
}

/**
 * Opens a store: looks at the file without touching it, makes it when there is none, brings its tables to the newest version and
 * claims it for its owner. A write is flushed before it counts (`synchronous`), so that what was promised outlives a power cut.
 * @throws what `inspectStore` throws; STORE_READ_ONLY, STORE_FULL, STORE_BUSY, STORE_NOT_WRITTEN
 */
export const openStore = ({ file, kind, owner, depth = 'quick' }: StoreOptions): DatabaseSync => {
  if (file === undefined || file === MEMORY) return connect(MEMORY, kind, owner)
  const of = { file, kind, owner, depth }
  try {
    if (inspectStore(of) === null) make(file, kind, owner)
    else mustBeWritable(of)
    return connect(file, kind, owner)
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    const failure = storeFailure(cause, of)
    throw failure === cause ? unreadable(of, cause) : failure
  }
}

/** Opens a store that another process may be writing, to read. @throws what `inspectStore` throws; null when there is no file */
export const readStore = (of: {
  readonly file: string
  readonly kind: StoreKind
  readonly owner?: StoreOwner | null
  /** Leave nothing beside the file either (`connectReading`). */
  readonly untouched?: boolean
}): DatabaseSync | null => (inspectStore({ owner: null, ...of, depth: 'none' }) === null ? null : connectReading(of))

/** SQLite's name for a database without a file. */
const MEMORY = ':memory:'

const connect = (name: string, kind: StoreKind, owner: StoreOwner | null): DatabaseSync => {
  const db = new DatabaseSync(name, { timeout: BUSY_MS })
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${kind.synchronous ?? 'FULL'}; PRAGMA foreign_keys = ON`)
    migrate(db, { migrations: kind.migrations, applicationId: applicationId(kind) })
    if (owner !== null) db.prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('owner', ?)").run(ownerText(owner))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Makes a whole store beside the place and puts it there by one link: a kill leaves no half-made file, and two makers one store. */
const make = (file: string, kind: StoreKind, owner: StoreOwner | null): void => {
  const draft = `${file}.${process.pid}.new`
  try {
    remove(draft)
    connect(draft, kind, owner).close()
    place(draft, file)
  } finally {
    remove(draft)
  }
}

/**
 * Gives a whole file its name, unless something has that name already.
 * @returns whether it was placed
 */
export const place = (draft: string, file: string): boolean => {
  sync(draft)
  try {
    linkSync(draft, file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    copyFileSync(draft, file, constants.COPYFILE_EXCL) // a file system without links
  }
  sync(dirname(file))
  return true
}

/** Flushes a file or folder to the disk. */
export const sync = (path: string): void => {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const remove = (file: string): void => {
  for (const name of [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]) rmSync(name, { force: true })
}
