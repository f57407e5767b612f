import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { LEDGER } from '../src/ledger-schema.ts'
import { RELEASED_VERSIONS, releasedLedger } from './released-ledgers.ts'

const owner = { genesisHash: `0x${'aa'.repeat(32)}` as Hex, netuid: 1 as NetUid, hotkey: '5Me' as Ss58 }
const ownerText = `${owner.genesisHash} 1 5Me`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-upgrade-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const made = (version: number): string => {
  const file = join(folder, 'ledger.sqlite')
  releasedLedger({ file, version, owner: ownerText })
  return file
}

/** Tables and indexes as SQLite holds them, without their spacing. */
const schemaOf = (file: string): readonly string[] => {
  const db = new DatabaseSync(file, { readOnly: true })
  const rows = db.prepare('SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name').all()
  db.close()
  return rows.map((row) => `${row.type} ${row.name} ${String(row.sql).replace(/\s+/g, ' ')}`)
}

describe.each(RELEASED_VERSIONS)('ledger of released schema %i', (version) => {
  test('keeps its scores, rounds, verdicts and weights when it is upgraded', () => {
    const file = made(version)
    using ledger = openLedger({ file, owner })
    expect(ledger.scores()).toEqual([
      { hotkey: '5Anna', uid: 1, registeredAt: 7, average: 0.625, sigma: 0.015, samples: 2, lastRoundBlock: 360 },
      { hotkey: '5Bert', uid: 2, registeredAt: 9, average: 0.125, sigma: 0, samples: 2, lastRoundBlock: 360 },
    ])
    expect(ledger.recentRounds(9)).toEqual([360, 180])
    expect(ledger.scoreState()).toMatchObject({ rounds: [360, 180], endedAt: 360 })
    expect(ledger.lastRoundAt()).toBe(1_790_002_160_000)
    expect(ledger.verdictCounts()).toEqual(
      new Map([
        ['5Anna', new Map([['ok', 2]])],
        [
          '5Bert',
          new Map([
            ['ok', 1],
            ['timeout', 1],
          ]),
        ],
      ]),
    )
    expect(ledger.forfeits(500 as Block)).toMatchObject(version < 2 ? [] : [{ hotkey: '5Bert', untilBlock: 900 }])
    const row = [
      [1, 65_535],
      [2, 13_107],
    ]
    expect(ledger.lastAttempt()).toMatchObject({
      id: 2,
      mechanism: 0,
      method: 'open',
      state: 'finalised',
      row,
      includedAt: 367,
    })
    expect(ledger.recentAttempts(0, 9).map(({ state }) => state)).toEqual(['finalised', 'confirmed'])
    expect(ledger.lastPass()).toEqual(version < 2 ? null : { before: 360, upTo: 12, round: 2, epoch: 1 })
  })

  test('ends with the very tables of a new one', () => {
    const file = made(version)
    openLedger({ file, owner }).close()
    const fresh = join(folder, 'fresh.sqlite')
    openLedger({ file: fresh, owner }).close()
    expect(schemaOf(file)).toEqual(schemaOf(fresh))
  })

  test('is refused untouched when it belongs to another validator', () => {
    const file = made(version)
    const bytes = readFileSync(file)
    expect(() => openLedger({ file, owner: { ...owner, hotkey: '5You' as Ss58 } })).toThrow(
      expect.objectContaining({ code: 'STORE_OTHER_HOTKEY' }),
    )
    expect(readFileSync(file)).toEqual(bytes)
  })
})

test('a ledger of a later schema is refused, and stays as it was', () => {
  const file = join(folder, 'ledger.sqlite')
  openLedger({ file, owner }).close()
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA user_version = ${LEDGER.migrations.length + 1}`)
  db.close()
  const bytes = readFileSync(file)
  expect(() => openLedger({ file, owner })).toThrow(expect.objectContaining({ code: 'STORE_NEWER' }))
  expect(readFileSync(file)).toEqual(bytes)
})
