import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Block, Hex, Ss58, Uid } from '@arbor/shared/units'
import { netUid } from '@arbor/shared/units'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { openScoresReader } from '../src/read-scores.ts'
import type { Score } from '../src/scores.ts'
import { recordRound, verdictRow } from './recorded.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-scores-'))
  file = join(folder, 'ledger.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const owner = { genesisHash: `0x${'00'.repeat(32)}` as Hex, netuid: netUid(1), hotkey: '5V' as Ss58 }
const verdict = (hotkey: string, uid: number) =>
  verdictRow({ hotkey: hotkey as Ss58, uid: uid as Uid, registeredAt: 5 as Block, value: 0.5, sigma: 0.1 })
const score = (hotkey: string, uid: number): Score => ({
  hotkey: hotkey as Ss58,
  uid: uid as Uid,
  registeredAt: 5 as Block,
  average: 0.5,
  sigma: 0.1,
  samples: 1,
  lastRoundBlock: 10 as Block,
})

test('scores are read while the validator writes them, and before it has begun', () => {
  using reader = openScoresReader({ file })
  expect(reader.read(1 as Block)).toEqual([])
  using ledger = openLedger({ file, owner })
  expect(reader.read(1 as Block)).toEqual([])
  recordRound(ledger, { block: 10, verdicts: [verdict('5A', 1)] })
  expect(reader.read(11 as Block)).toEqual([score('5A', 1)])
})

test('a registration that has forfeited its score has none until the block of its pardon', () => {
  using ledger = openLedger({ file, owner })
  recordRound(ledger, { block: 10, verdicts: [verdict('5A', 1), verdict('5B', 2)] })
  const db = new DatabaseSync(file)
  const add = db.prepare(
    "INSERT INTO forfeits (hotkey, uid, registered_at, at_block, until_block, kind, reason) VALUES (?, ?, 5, 10, 20, 'user', 'fingerprint')",
  )
  add.run('5A', 1)
  add.run('5C', 3)
  db.close()
  using reader = openScoresReader({ file })
  const averages = (at: number): unknown => reader.read(at as Block).map(({ hotkey, average }) => [hotkey, average])
  expect(averages(19)).toEqual([
    ['5A', 0],
    ['5B', 0.5],
    ['5C', 0],
  ])
  expect(averages(20)).toEqual([
    ['5A', 0.5],
    ['5B', 0.5],
  ])
})

test('a file that is no ledger is refused, and read once it is mended', () => {
  using reader = openScoresReader({ file })
  writeFileSync(file, 'no database at all, but long enough to be looked at as one')
  expect(() => reader.read(1 as Block)).toThrow(expect.objectContaining({ code: 'LEDGER_UNREADABLE' }))
  rmSync(file)
  new DatabaseSync(file).close()
  expect(reader.read(1 as Block)).toEqual([])
})
