import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import type { Forfeit } from '../src/ledger-audits.ts'
import { recordRound, verdictRow } from './recorded.ts'

const [ME = '', MINER = '', OTHER = '', HEIR = ''] = ['Me', 'Miner', 'Other', 'Heir'].map(
  (path) => keypairFromUri(`//${path}`).address,
)

const owner = { genesisHash: `0x${'aa'.repeat(32)}` as Hex, netuid: 1 as NetUid, hotkey: ME as Ss58 }
const spec = { name: 'inference', version: 1, model: `0x${'cc'.repeat(32)}` as Hex }
const forfeit: Forfeit = {
  hotkey: MINER as Ss58,
  uid: 3 as Uid,
  registeredAt: 7 as Block,
  atBlock: 12 as Block,
  untilBlock: 900 as Block,
  kind: 'planned',
  reason: 'wrong-output',
  receipt: null,
}

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-check-'))
  file = join(folder, 'ledger.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Makes a ledger with two rounds, a forfeit and a log that tells of them. */
const made = (): void => {
  using ledger = openLedger({ file, owner })
  ledger.log.begin({ terms: { ...owner, spec, block: 5 as Block }, state: ledger.scoreState })
  recordRound(ledger, { block: 10, verdicts: [verdictRow({ hotkey: MINER as Ss58, roundBlock: 10 as Block })] })
  const other = verdictRow({ roundBlock: 15 as Block, hotkey: OTHER as Ss58, uid: 4 as Uid, value: 0.5 })
  recordRound(ledger, {
    block: 15,
    verdicts: [verdictRow({ hotkey: MINER as Ss58, roundBlock: 15 as Block }), other],
    forfeits: [forfeit],
  })
}
const edit = (sql: string): void => {
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
}

describe('ledger whose tables were edited is refused, untouched', () => {
  test.each([
    ['a better score', 'UPDATE scores SET average = 1 WHERE uid = 4'],
    ['another holder of a score', "UPDATE scores SET hotkey = '5Thief' WHERE uid = 4"],
    ['a score more', "INSERT INTO scores VALUES ('5Thief', 9, 1, 1, 0, 9, 15)"],
    ['a score less', 'DELETE FROM scores WHERE uid = 4'],
    ['a shorter forfeit', 'UPDATE forfeits SET until_block = 20'],
    ['a forfeit less', 'DELETE FROM forfeits'],
    [
      'a forfeit more',
      "INSERT INTO forfeits SELECT hotkey, 4, 7, 12, 900, 'planned', 'wrong-output', NULL FROM scores WHERE uid = 4",
    ],
  ])('%s', (_, sql) => {
    made()
    edit(sql)
    const bytes = readFileSync(file)
    expect(() => openLedger({ file, owner })).toThrow(expect.objectContaining({ code: 'LEDGER_EDITED' }))
    expect(readFileSync(file)).toEqual(bytes)
  })
})

test('a ledger that nobody edited opens again, also when a uid changed hands and a forfeit ran out', () => {
  made()
  {
    using ledger = openLedger({ file, owner })
    const heir = verdictRow({
      roundBlock: 20 as Block,
      hotkey: HEIR as Ss58,
      uid: 4 as Uid,
      registeredAt: 18 as Block,
    })
    recordRound(ledger, { block: 20, verdicts: [heir] })
    recordRound(ledger, { block: 1_000, verdicts: [verdictRow({ hotkey: MINER as Ss58, roundBlock: 1_000 as Block })] })
    expect(ledger.scores().map(({ hotkey }) => hotkey)).not.toContain(OTHER)
    expect(ledger.forfeits(1_000 as Block)).toEqual([])
  }
  using again = openLedger({ file, owner })
  expect(again.lastRoundBlock()).toBe(1_000)
})
