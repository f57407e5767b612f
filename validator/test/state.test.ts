import {
  type Dirent,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lockFolder } from '@arbor/chain/folder-lock'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { checkCommand } from '../src/state/check-command.ts'
import { backupCommand, restoreCommand } from '../src/state/copies.ts'
import { recordRound, verdictRow } from './recorded.ts'
import { releasedLedger } from './released-ledgers.ts'

const me = keypairFromUri('//Me').address
const miner = keypairFromUri('//Miner').address
const owner = { genesisHash: `0x${'aa'.repeat(32)}` as Hex, netuid: 1 as NetUid, hotkey: me }
const spec = { name: 'inference', version: 1, model: `0x${'cc'.repeat(32)}` as Hex }

let folder: string
let data: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-state-'))
  data = join(folder, 'data')
  file = join(data, 'ledger.sqlite')
  mkdirSync(data)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (of: { readonly hotkey?: Ss58 } = {}) => openLedger({ file, owner: { ...owner, ...of } })
const made = (of: Parameters<typeof open>[0] = {}): ReturnType<typeof open> => {
  const ledger = open(of)
  const terms = { ...owner, ...of, spec, block: 5 as Block }
  ledger.log.begin({ terms, state: ledger.scoreState })
  add(ledger, 10)
  return ledger
}
const hex = `0x${'ab'.repeat(32)}` as Hex
const add = (ledger: ReturnType<typeof open>, block: number): void => {
  const verdict = verdictRow({ roundBlock: block as Block, hotkey: miner, seed: hex, answerHash: hex })
  recordRound(ledger, { block, verdicts: [verdict] })
}

const run = async (make: typeof checkCommand, ...args: readonly string[]): Promise<string> => {
  const written: string[] = []
  const stdout = { write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream
  const context = { stdout, stderr: stdout, stdin: process.stdin, cwd: folder, signal: new AbortController().signal }
  const command = make(context as unknown as Parameters<typeof checkCommand>[0]).exitOverride()
  const outer = new Command().addCommand(command).exitOverride()
  await outer.parseAsync([command.name(), ...args], { from: 'user' })
  return written.join('')
}
const backup = (...args: readonly string[]) => run(backupCommand, '--data', data, ...args)
const restored = (from: string) => run(restoreCommand, '--data', data, '--from', from)
const check = async () => JSON.parse(await run(checkCommand, '--data', data, '--json'))
const refused = (code: string) => expect.objectContaining({ code })

/** Every file of a folder with its bytes and time of change. */
const picture = (of: string): unknown =>
  (readdirSync(of, { recursive: true, withFileTypes: true }) as Dirent<string>[])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((name) => [name, statSync(name).mtimeMs, readFileSync(name).toString('base64')])

describe('backup', () => {
  test('is one whole file of what was recorded, made while the ledger is open and written', async () => {
    using ledger = made()
    const to = join(folder, 'copy.sqlite')
    const [said] = await Promise.all([backup('--to', to), Promise.resolve().then(() => add(ledger, 15))])
    expect(said).toContain(`${to}: `)
    expect(readdirSync(folder).sort()).toEqual(['copy.sqlite', 'data'])
    using copy = openLedger({ file: to, owner })
    expect([10, 15]).toContain(copy.lastRoundBlock())
    expect(copy.log.check().entries).toBeGreaterThan(3)
  })

  test('replaces no file unless it is told to, and never the ledger itself', async () => {
    made().close()
    const to = join(folder, 'copy.sqlite')
    writeFileSync(to, 'mine')
    await expect(backup('--to', to)).rejects.toEqual(refused('BACKUP_EXISTS'))
    expect(readFileSync(to, 'utf8')).toBe('mine')
    await backup('--to', to, '--force')
    for (const same of [file, `${file}-wal`]) {
      await expect(backup('--to', same, '--force')).rejects.toEqual(refused('BACKUP_IN_PLACE'))
    }
    await backup('--to', to, '--force')
    expect(readdirSync(folder).sort()).toEqual(['copy.sqlite', 'data'])
  })

  test.each([
    ['is not there', () => rmSync(file), 'STORE_MISSING'],
    ['was emptied', () => writeFileSync(file, ''), 'STORE_EMPTY'],
    ['was edited', () => edit('UPDATE scores SET average = 0.75'), 'LEDGER_EDITED'],
    ['has an edited log', () => edit("UPDATE log_entries SET body = replace(body, '12.5', '13.5')"), 'LOG_EDITED'],
  ])('of a ledger that %s is refused, and leaves no file', async (_, spoil, code) => {
    made().close()
    spoil()
    await expect(backup('--to', join(folder, 'copy.sqlite'))).rejects.toEqual(refused(code))
    expect(readdirSync(folder)).toEqual(['data'])
  })

  test('goes nowhere when its folder is not there', async () => {
    made().close()
    await expect(backup('--to', join(folder, 'nowhere', 'copy.sqlite'))).rejects.toEqual(refused('STORE_UNREADABLE'))
  })
})
const edit = (sql: string): void => {
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
}

describe('restore', () => {
  test('brings back what was recorded at the backup, and keeps what was there', async () => {
    const ledger = made()
    const to = join(folder, 'copy.sqlite')
    await backup('--to', to)
    add(ledger, 15)
    ledger.close()
    expect(await restored(to)).toContain('ledger.sqlite.replaced-1')
    {
      using again = open()
      expect(again.lastRoundBlock()).toBe(10)
      add(again, 20)
    }
    expect(await restored(`${file}.replaced-1`)).toContain('ledger.sqlite.replaced-2')
    using newest = open()
    expect(newest.lastRoundBlock()).toBe(15)
  })

  test('replaces a ledger that is damaged, or has gone', async () => {
    made().close()
    const to = join(folder, 'copy.sqlite')
    await backup('--to', to)
    for (const spoil of [() => writeFileSync(file, 'damaged'), () => rmSync(file)]) {
      spoil()
      await restored(to)
      using ledger = open()
      expect(ledger.lastRoundBlock()).toBe(10)
    }
  })

  test('takes no writes of the replaced ledger for its own', async () => {
    const to = join(folder, 'copy.sqlite')
    const killed = made()
    await backup('--to', to)
    add(killed, 15)
    const [bytes, ahead] = [readFileSync(file), readFileSync(`${file}-wal`)]
    killed.close()
    writeFileSync(file, bytes.fill(0xff, 100, 200))
    writeFileSync(`${file}-wal`, ahead)
    await restored(to)
    expect(readdirSync(data).filter((name) => name.endsWith('-wal'))).toEqual(['ledger.sqlite.replaced-1-wal'])
    using ledger = open()
    expect(ledger.lastRoundBlock()).toBe(10)
  })

  test('is refused while a validator runs, from a spoilt backup, and over another’s ledger', async () => {
    made().close()
    const to = join(folder, 'copy.sqlite')
    await backup('--to', to)
    rmSync(file)
    const other = keypairFromUri('//Other').address
    made({ hotkey: other }).close()
    const bytes = readFileSync(file)
    await expect(restored(to)).rejects.toEqual(refused('BACKUP_OTHER_OWNER'))
    writeFileSync(to, readFileSync(to).subarray(0, 8_192))
    await expect(restored(to)).rejects.toEqual(refused('STORE_TRUNCATED'))
    await expect(restored(join(folder, 'none.sqlite'))).rejects.toEqual(refused('STORE_MISSING'))
    await expect(restored(file)).rejects.toEqual(refused('BACKUP_IN_PLACE'))
    using _held = lockFolder({ file: join(data, 'lock.sqlite'), what: 'a validator' })
    await expect(restored(to)).rejects.toEqual(refused('FOLDER_IN_USE'))
    expect(readFileSync(file)).toEqual(bytes)
    expect(readdirSync(data).filter((name) => !name.startsWith('lock'))).toEqual(['ledger.sqlite'])
  })
})

describe('check', () => {
  test('finds a sound folder sound and writes nothing, whether the ledger is open or not', async () => {
    const ledger = made()
    const live = await check()
    expect(live).toMatchObject({
      ok: true,
      findings: [{ name: 'ledger', ok: true }, { name: 'log' }, { name: 'bodies' }, { name: 'traffic' }],
    })
    ledger.close()
    const before = picture(data)
    expect((await check()).ok).toBe(true)
    expect(picture(data)).toEqual(before)
  })

  test('reads a ledger whose process was killed, with what its write-ahead file holds', async () => {
    const ledger = made()
    const killed = join(folder, 'killed')
    mkdirSync(killed)
    for (const name of ['ledger.sqlite', 'ledger.sqlite-wal'])
      writeFileSync(join(killed, name), readFileSync(join(data, name)))
    const entries = ledger.log.extent().size
    ledger.close()
    data = killed
    expect((await check()).findings[1].facts.entries).toBe(entries)
  })

  test.each([
    [
      'a page overwritten',
      'ledger',
      'STORE_DAMAGED',
      () => writeFileSync(file, readFileSync(file).fill(0xff, 8_192, 12_288)),
    ],
    ['a log edited', 'log', 'LOG_EDITED', () => edit("UPDATE log_entries SET body = replace(body, '12.5', '13.5')")],
    ['a score edited', 'log', 'LEDGER_EDITED', () => edit('UPDATE scores SET average = 0.75')],
    [
      'traffic that is none',
      'traffic',
      'STORE_NOT_A_DATABASE',
      () => writeFileSync(join(data, 'traffic.sqlite'), 'x'.repeat(200)),
    ],
  ])('finds %s, and writes nothing', async (_, name, code, spoil) => {
    made().close()
    spoil()
    const before = picture(data)
    await expect(run(checkCommand, '--data', data)).rejects.toEqual(
      expect.objectContaining({ code: 'DATA_UNSOUND', message: expect.stringContaining(`${name} (${code})`) }),
    )
    expect(picture(data)).toEqual(before)
  })

  test('finds a ledger of a released schema sound, without migrating it', async () => {
    releasedLedger({ file, version: 2, owner: `${owner.genesisHash} 1 ${me}` })
    const before = picture(data)
    expect(await check()).toMatchObject({ ok: true, findings: [{ facts: { schema: 2 } }, {}, {}, {}] })
    expect(picture(data)).toEqual(before)
  })
})

test('ledger keeps its scores when its spec has a new version, and says so in the log', () => {
  const before = made()
  const scores = before.scores()
  before.close()
  {
    using upgraded = open()
    const terms = { ...owner, spec: { ...spec, version: 2 }, block: 20 as Block }
    upgraded.log.begin({ terms, state: upgraded.scoreState })
    expect(upgraded.scores()).toEqual(scores)
    add(upgraded, 20)
  }
  using again = open()
  expect(again.scores()).toMatchObject([{ hotkey: miner, samples: 2 }])
  const db = new DatabaseSync(file, { readOnly: true })
  const told = db.prepare("SELECT kind, body FROM log_entries WHERE kind IN ('terms', 'state') ORDER BY position").all()
  db.close()
  const versions = told.map(({ kind, body }) => (kind === 'terms' ? JSON.parse(String(body)).spec.version : kind))
  expect(versions.slice(-4)).toContain(2)
  expect(versions.at(versions.lastIndexOf(2) + 1)).toBe('state')
})

test('docs/state.md shows commands that work as they stand there', async () => {
  made().close()
  mkdirSync(join(folder, 'validator'))
  writeFileSync(join(folder, 'validator', 'ledger.sqlite'), readFileSync(file))
  const page = readFileSync(new URL('../../docs/state.md', import.meta.url), 'utf8')
  const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.trim().split('\n'))
  const makers = { check: checkCommand, backup: backupCommand, restore: restoreCommand }
  expect(lines.length).toBeGreaterThan(3)
  for (const line of lines) {
    const [arbor, validator, name = '', ...args] = line.split(' ')
    expect([arbor, validator]).toEqual(['arbor', 'validator'])
    expect(await run(makers[name as keyof typeof makers], ...args)).not.toBe('')
  }
})
