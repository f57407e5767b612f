import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { afterAll, describe, expect, test } from 'vitest'
import { guarded } from '../src/store/guard.ts'
import type { StoreKind } from '../src/store/kind.ts'
import { openStore, readStore } from '../src/store/open.ts'
import { transaction } from '../src/store/transaction.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const nextFile = (): string => {
  const own = join(folder, String(++files))
  mkdirSync(own)
  return join(own, 'things.sqlite')
}

const FIRST = `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS parts (id INTEGER PRIMARY KEY, thing INTEGER NOT NULL REFERENCES things ON DELETE CASCADE) STRICT;`
const REBUILD = `CREATE TABLE things_2 (id INTEGER PRIMARY KEY, text TEXT NOT NULL, size INTEGER NOT NULL DEFAULT 0) STRICT;
  INSERT INTO things_2 (id, text) SELECT id, text FROM things; DROP TABLE things; ALTER TABLE things_2 RENAME TO things;`
const kind: StoreKind = { name: 'store', mark: 'Test', table: 'things', migrations: [FIRST], remedy: 'restore it' }
const kind2: StoreKind = { ...kind, migrations: [FIRST, REBUILD] }
const owner = { genesisHash: `0x${'aa'.repeat(32)}` as Hex, netuid: 1 as NetUid, hotkey: '5Me' as Ss58 }

/** Makes a store of some pages, with nothing left in its write-ahead file. */
const made = (rows = 200): string => {
  const file = nextFile()
  const db = openStore({ file, kind, owner })
  const add = db.prepare('INSERT INTO things (text) VALUES (?)')
  transaction(db, () => {
    for (let row = 0; row < rows; row += 1) add.run('x'.repeat(100))
  })
  db.close()
  return file
}
const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'))
  }
  return 'none'
}

describe('store', () => {
  test('keeps what was written, under write-ahead logging with every write flushed', () => {
    const file = made()
    const db = openStore({ file, kind, owner })
    const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    expect(['journal_mode', 'synchronous', 'foreign_keys', 'user_version'].map(pragma)).toEqual(['wal', 2, 1, 1])
    expect(db.prepare('SELECT count(*) AS n FROM things').get()?.n).toBe(200)
    db.close()
    expect(readdirSync(join(file, '..'))).toEqual(['things.sqlite'])
  })

  test('lies in memory when no file is named', () => {
    for (const file of [undefined, ':memory:']) openStore({ file, kind, owner }).close()
    expect(existsSync(':memory:')).toBe(false)
  })

  test('is made whole or not at all when its maker fails', () => {
    const file = nextFile()
    const bad = { ...kind, migrations: [`${FIRST} CREATE TABLE things (again INTEGER) STRICT;`] }
    expect(codeOf(() => openStore({ file, kind: bad, owner }))).toBe('STORE_UNREADABLE')
    expect(readdirSync(join(file, '..'))).toEqual([])
  })
})

const replaced =
  (by: (file: string) => void) =>
  (file: string): void => {
    rmSync(file)
    by(file)
  }

/** Spoils a whole store in one way each. */
const SPOILT: readonly (readonly [string, string, (file: string) => void])[] = [
  ['is a folder', 'STORE_NOT_A_FILE', replaced((file) => mkdirSync(file))],
  ['has no bytes', 'STORE_EMPTY', (file) => truncateSync(file, 0)],
  ['is no database', 'STORE_NOT_A_DATABASE', (file) => writeFileSync(file, 'no database '.repeat(1_000))],
  ['is a few bytes of one', 'STORE_NOT_A_DATABASE', (file) => truncateSync(file, 40)],
  ['was cut off within a page', 'STORE_TRUNCATED', (file) => truncateSync(file, statSync(file).size - 1)],
  ['was cut off behind its first page', 'STORE_TRUNCATED', (file) => truncateSync(file, 4_096)],
  [
    'was overwritten in the middle',
    'STORE_DAMAGED',
    (file) => {
      const bytes = readFileSync(file)
      bytes.fill(0xff, 8_192 * 2, 8_192 * 2 + 4_096)
      writeFileSync(file, bytes)
    },
  ],
  [
    'has a row that belongs to none',
    'STORE_DAMAGED',
    (file) => edit(file, 'PRAGMA foreign_keys = OFF; INSERT INTO parts (thing) VALUES (9999)'),
  ],
  ['is gone but for its write-ahead file', 'STORE_DAMAGED', replaced((file) => writeFileSync(`${file}-wal`, 'x'))],
  [
    'has another owner’s form',
    'STORE_DAMAGED',
    (file) => edit(file, "UPDATE meta SET value = 'me' WHERE key = 'owner'"),
  ],
  ['is of a newer version', 'STORE_NEWER', (file) => edit(file, 'PRAGMA user_version = 2')],
  ['is another kind of store', 'STORE_OTHER_KIND', (file) => edit(file, 'PRAGMA application_id = 7')],
  [
    'is some other database',
    'STORE_OTHER_KIND',
    replaced((file) => edit(file, 'CREATE TABLE other (id INTEGER PRIMARY KEY)')),
  ],
]
const edit = (file: string, sql: string): void => {
  const db = new DatabaseSync(file)
  db.exec(`${sql}; PRAGMA wal_checkpoint(TRUNCATE)`)
  db.close()
}

describe('store is refused, and left byte for byte as it was, when its file', () => {
  test.each(SPOILT)('%s', (_, code, spoil) => {
    const file = made()
    spoil(file)
    const bytes = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : null
    expect(codeOf(() => openStore({ file, kind, owner }))).toBe(code)
    expect(existsSync(file) && statSync(file).isFile() ? readFileSync(file) : null).toEqual(bytes)
  })

  test.each([
    ['another chain', 'STORE_OTHER_CHAIN', { ...owner, genesisHash: `0x${'bb'.repeat(32)}` as Hex }],
    ['another subnet', 'STORE_OTHER_SUBNET', { ...owner, netuid: 2 as NetUid }],
    ['another hotkey', 'STORE_OTHER_HOTKEY', { ...owner, hotkey: '5You' as Ss58 }],
  ])('belongs to %s', (_, code, mine) => {
    const file = made()
    const bytes = readFileSync(file)
    expect(codeOf(() => openStore({ file, kind, owner: mine }))).toBe(code)
    expect(readFileSync(file)).toEqual(bytes)
    openStore({ file, kind, owner }).close()
  })

  test('has a write-ahead file from a kill, and belongs to another: neither is touched', () => {
    const file = made()
    const live = openStore({ file, kind, owner })
    live.exec("INSERT INTO things (text) VALUES ('in the write-ahead file')")
    const copy = nextFile()
    for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${copy}${end}`)
    live.close()
    const [bytes, ahead] = [readFileSync(copy), readFileSync(`${copy}-wal`)]
    expect(codeOf(() => openStore({ file: copy, kind, owner: { ...owner, netuid: 3 as NetUid } }))).toBe(
      'STORE_OTHER_SUBNET',
    )
    expect([readFileSync(copy), readFileSync(`${copy}-wal`)]).toEqual([bytes, ahead])
    const mine = openStore({ file: copy, kind, owner })
    expect(mine.prepare('SELECT count(*) AS n FROM things').get()?.n).toBe(201)
    mine.close()
  })

  const opens = (file: string) => `
    import { openStore } from ${JSON.stringify(fileURLToPath(new URL('../src/store/open.ts', import.meta.url)))}
    try { openStore({ file: ${JSON.stringify(file)}, kind: ${JSON.stringify(kind)}, owner: ${JSON.stringify(owner)} }).close() }
    catch (error) { console.log(error.code) }`

  test.each(['the file', 'the folder'])('may not be written: %s is read-only', (which) => {
    const file = made()
    const bytes = readFileSync(file)
    const [path, mode] = which === 'the file' ? [file, 0o444] : [join(file, '..'), 0o555]
    for (const above of [folder, join(file, '..')]) chmodSync(above, 0o777)
    chmodSync(file, 0o666)
    chmodSync(path, mode)
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {} // root may write everything
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', opens(file)], { encoding: 'utf8', ...user })
    chmodSync(path, 0o755)
    expect([child.stdout.trim(), child.stderr]).toEqual(['STORE_READ_ONLY', ''])
    expect(readFileSync(file)).toEqual(bytes)
  })
})

describe('migration of a store', () => {
  test('takes a file of before versions had numbers as the first one', () => {
    const file = nextFile()
    edit(
      file,
      `${FIRST} INSERT INTO meta (key, value) VALUES ('owner', '${owner.genesisHash} 1 5Me'); INSERT INTO things (text) VALUES ('old')`,
    )
    const db = openStore({ file, kind: kind2, owner })
    expect(db.prepare('SELECT text, size FROM things').all()).toMatchObject([{ text: 'old', size: 0 }])
    expect(db.prepare('PRAGMA user_version').get()?.user_version).toBe(2)
    db.close()
  })

  test('keeps the rows that belong to a table which is rebuilt', () => {
    const file = made(3)
    edit(file, 'INSERT INTO parts (thing) VALUES (2)')
    const db = openStore({ file, kind: kind2, owner })
    expect(db.prepare('SELECT count(*) AS n FROM parts').get()?.n).toBe(1)
    expect(db.prepare('PRAGMA foreign_keys').get()?.foreign_keys).toBe(1)
    db.close()
  })

  test('that fails half-way leaves the version before it, with its data', () => {
    const file = made(3)
    const failing = { ...kind, migrations: [FIRST, `${REBUILD} INSERT INTO nowhere VALUES (1);`] }
    expect(codeOf(() => openStore({ file, kind: failing, owner }))).toBe('STORE_UNREADABLE')
    const db = openStore({ file, kind, owner })
    expect(db.prepare('SELECT count(*) AS n FROM things').get()?.n).toBe(3)
    db.close()
  })

  test('that leaves rows which belong to none is undone', () => {
    const file = made(3)
    edit(file, 'INSERT INTO parts (thing) VALUES (2)')
    const loosing = { ...kind, migrations: [FIRST, 'DELETE FROM things WHERE id = 2;'] }
    expect(codeOf(() => openStore({ file, kind: loosing, owner }))).toBe('STORE_UNREADABLE')
    const db = openStore({ file, kind, owner })
    expect(db.prepare('SELECT count(*) AS n FROM things').get()?.n).toBe(3)
    db.close()
  })

  test('that is killed half-way leaves the version before it, with its data', () => {
    const file = made(3)
    const script = `
      import { DatabaseSync } from 'node:sqlite'
      import { migrate } from ${JSON.stringify(fileURLToPath(new URL('../src/store/migrate.ts', import.meta.url)))}
      const db = new DatabaseSync(${JSON.stringify(file)})
      db.exec('PRAGMA cache_spill = 1; PRAGMA cache_size = 1')
      db.function('die', () => process.kill(process.pid, 'SIGKILL'))
      migrate(db, { migrations: [${JSON.stringify(FIRST)}, ${JSON.stringify(`${REBUILD} SELECT die();`)}], applicationId: 1 })`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect([child.signal, child.stderr]).toEqual(['SIGKILL', ''])
    const db = openStore({ file, kind, owner })
    expect(db.prepare('SELECT id, text FROM things').all()).toHaveLength(3)
    expect(db.prepare('PRAGMA user_version').get()?.user_version).toBe(1)
    db.close()
  })
})

describe('store that is read while another process writes it', () => {
  test('shows what is committed, and cannot be written', () => {
    const file = made(3)
    const writer = openStore({ file, kind, owner })
    const reader = readStore({ file, kind })
    writer.exec("INSERT INTO things (text) VALUES ('new')")
    expect(reader?.prepare('SELECT count(*) AS n FROM things').get()?.n).toBe(4)
    expect(() => reader?.exec('DELETE FROM things')).toThrow('readonly')
    reader?.close()
    writer.close()
  })

  test('is none before it is made', () => {
    const file = nextFile()
    expect(readStore({ file, kind })).toBeNull()
    expect(existsSync(file)).toBe(false)
  })
})

describe('transaction', () => {
  test('keeps nothing when its body throws, and takes part in the one around it', () => {
    const db = openStore({ kind, owner })
    const add = db.prepare('INSERT INTO things (text) VALUES (?)')
    expect(() =>
      transaction(db, () => {
        transaction(db, () => void add.run('inner'))
        throw new Error('outer')
      }),
    ).toThrow('outer')
    expect(transaction(db, () => db.prepare('SELECT count(*) AS n FROM things').get()?.n)).toBe(0)
  })

  test('says which store another process holds for too long', () => {
    const file = made(1)
    const other = openStore({ file, kind, owner })
    const db = openStore({ file, kind, owner })
    db.exec('PRAGMA busy_timeout = 1')
    const store = guarded(
      { add: () => transaction(db, () => db.exec("INSERT INTO things (text) VALUES ('x')")) },
      { kind, file },
    )
    transaction(other, () => expect(codeOf(store.add)).toBe('STORE_BUSY'))
    store.add()
    for (const open of [db, other]) open.close()
  })
})
