import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { SubnetError } from '@arbor/shared/errors'
import { empty, isFile, mustBeDatabase } from './header.ts'
import { applicationId, ownerText, type StoreKind, type StoreName, type StoreOwner } from './kind.ts'
import { connectReading } from './read.ts'
import { damaged, readOnly, storeFailure, unreadable } from './refusals.ts'

/** What a file was found to be. */
export interface Inspected {
  /** Schema version; 0 where files had none yet. */
  readonly version: number
  /** As it stands in the file; null where nobody claimed it yet. */
  readonly owner: string | null
}

/** How deep the database itself is looked at: `quick` reads every page, `whole` compares the indexes with the tables too. */
export type Depth = 'none' | 'quick' | 'whole'

/**
 * Looks whether a file is a whole store of this kind, and whose, over a connection that cannot write: the file stays as it is.
 * @param of.owner who must own it; null for anybody
 * @param of.untouched leave nothing beside the file either (`connectReading`)
 * @returns null when there is no file
 * @throws STORE_NOT_A_FILE, STORE_EMPTY, STORE_NOT_A_DATABASE, STORE_TRUNCATED, STORE_DAMAGED, STORE_OTHER_KIND, STORE_NEWER,
 *   STORE_OTHER_CHAIN, STORE_OTHER_SUBNET, STORE_OTHER_HOTKEY, STORE_UNREADABLE
 */
export const inspectStore = (of: {
  readonly file: string
  readonly kind: StoreKind
  readonly owner: StoreOwner | null
  readonly depth: Depth
  readonly untouched?: boolean
}): Inspected | null => {
  if (!isFile(of)) return null
  mustBeDatabase(of)
  let db: DatabaseSync | undefined
  try {
    db = connectReading(of)
    const found = mustBeOurs(db, of)
    if (of.depth !== 'none') mustBeWhole(db, of)
    return found
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    const failure = storeFailure(cause, of)
    throw failure === cause ? unreadable(of, cause) : failure
  } finally {
    db?.close()
  }
}

/** Looks whether this user may write a file and beside it. @throws STORE_READ_ONLY */
export const mustBeWritable = (of: StoreName): void => {
  for (const [path, name] of [
    [of.file, 'it'],
    [dirname(of.file), 'its folder'],
  ] as const) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch (cause) {
      throw readOnly(of, name, cause)
    }
  }
}

const mustBeOurs = (
  db: DatabaseSync,
  of: StoreName & { readonly kind: StoreKind; readonly owner: StoreOwner | null },
): Inspected => {
  const { kind, owner } = of
  const id = Number(db.prepare('PRAGMA application_id').get()?.application_id)
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name))
  if (tables.length === 0) throw empty(of, 'has no tables')
  if (id !== applicationId(kind) && !(id === 0 && tables.includes(kind.table))) throw otherKind(of)
  if (version > kind.migrations.length) throw newer(of, version)
  const held = heldOwner(db, tables)
  if (owner !== null && held !== null) mustOwn(of, held, owner)
  return { version, owner: held }
}

/** Reads the owner; the traffic file's stood in a table of its own at first. */
const heldOwner = (db: DatabaseSync, tables: readonly string[]): string | null => {
  const sql = tables.includes('meta')
    ? "SELECT value FROM meta WHERE key = 'owner'"
    : tables.includes('owner')
      ? 'SELECT owner AS value FROM owner'
      : null
  const value = sql === null ? undefined : db.prepare(sql).get()?.value
  return value === undefined ? null : String(value)
}

const mustOwn = (of: StoreName, held: string, owner: StoreOwner): void => {
  if (held === ownerText(owner)) return
  const [chain, ...rest] = held.split(' ')
  const hotkey = rest.at(-1)
  const refuse = (code: string, what: string, theirs: string, ours: string): never => {
    throw new SubnetError({
      code,
      message: `the ${of.kind.name} ${of.file} belongs to ${what} ${theirs}, not ${ours}; name another --data folder`,
      details: { file: of.file, held, mine: ownerText(owner) },
    })
  }
  if (rest.length !== (owner.netuid === undefined ? 1 : 2)) throw damaged(of, `its owner reads "${held}"`)
  if (chain !== owner.genesisHash)
    refuse('STORE_OTHER_CHAIN', 'the chain with genesis', String(chain), owner.genesisHash)
  if (hotkey !== owner.hotkey) refuse('STORE_OTHER_HOTKEY', 'hotkey', String(hotkey), owner.hotkey)
  refuse('STORE_OTHER_SUBNET', 'subnet', String(rest[0]), String(owner.netuid))
}

const mustBeWhole = (db: DatabaseSync, of: StoreName & { readonly depth: Depth }): void => {
  const check = of.depth === 'whole' ? 'integrity_check' : 'quick_check'
  const said = db.prepare(`PRAGMA ${check}(1)`).get()?.[check]
  if (said !== 'ok') throw damaged(of, `SQLite says "${said}"`)
  const astray = db.prepare('PRAGMA foreign_key_check').get()
  if (astray !== undefined) throw damaged(of, `a row of ${astray.table} belongs to none of ${astray.parent}`)
}

const otherKind = ({ kind, file }: StoreName): SubnetError =>
  new SubnetError({
    code: 'STORE_OTHER_KIND',
    message: `${file} is a database, but no ${kind.name}; put the right file there, or name another --data folder`,
    details: { file },
  })

const newer = ({ kind, file }: StoreName & { readonly kind: Pick<StoreKind, 'name'> }, version: number): SubnetError =>
  new SubnetError({
    code: 'STORE_NEWER',
    message: `the ${kind.name} ${file} has schema ${version}, written by a newer Arbor; use that Arbor, or a backup from before the upgrade`,
    details: { file, version },
  })
