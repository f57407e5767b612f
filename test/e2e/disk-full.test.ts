import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Blocks, Hex, NetUid, Uid, UnixMs } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { backUp } from '../../chain/src/store/backup.ts'
import { type Ledger, openLedger } from '../../validator/src/ledger.ts'
import { LEDGER } from '../../validator/src/ledger-schema.ts'
import { openTraffic } from '../../validator/src/traffic.ts'
import { answeredBy, asker, genesisHash, netuid, taskOf } from '../../validator/test/exchange.ts'
import { recordRound, termsAt, verdictRow } from '../../validator/test/recorded.ts'
import { smallDisk } from './support/small-disk.ts'

const { folder: disk, mounts, mount, unmount } = smallDisk({ name: 'full', size: '4m' })

const PAGE = 4_096
const junk = join(disk, 'junk')
/** Fills the disk but for so many pages. */
const leave = (pages: number): void => {
  for (const bytes of [65_536, PAGE]) {
    try {
      for (;;) writeFileSync(junk, Buffer.alloc(bytes), { flag: 'a' })
    } catch {
      // full
    }
  }
  truncateSync(junk, Math.floor(statSync(junk).size / PAGE) * PAGE - pages * PAGE)
}
const makeRoom = (): void => rmSync(junk, { force: true })

const owner = { genesisHash, netuid: netuid as NetUid, hotkey: asker.address }
const miner = keypairFromUri('//Miner').address
const hex = `0x${'ab'.repeat(32)}` as Hex
const file = join(disk, 'ledger.sqlite')
const verdict = (block: number, uid = 3) =>
  verdictRow({ roundBlock: block as Block, hotkey: miner, uid: uid as Uid, seed: hex, answerHash: hex })
const round = (ledger: Ledger, block: number): void =>
  recordRound(ledger, { block, verdicts: Array.from({ length: 40 }, (_, uid) => verdict(block, uid)) })

/** All that a ledger holds, as another connection sees it. */
const contents = (): string => {
  const db = new DatabaseSync(file, { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  const rows = tables.map(({ name }) => [name, db.prepare(`SELECT * FROM ${name}`).all()])
  db.close()
  return JSON.stringify(rows)
}

/** Tries a write with ever more room until it succeeds; each failure must be typed and leave everything as it was. */
const untilItFits = (write: () => void, of: { readonly most: number } = { most: 200 }): number => {
  for (let pages = 0; pages < of.most; pages += 1) {
    leave(pages)
    const before = contents()
    try {
      write()
      makeRoom()
      return pages
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_FULL', retryable: true })
      expect(contents()).toBe(before)
    }
  }
  throw new Error('it never fitted')
}

describe.skipIf(!mounts)('full disk under a validator (needs the right to mount a small one)', () => {
  beforeAll(mount)
  afterAll(unmount)
  beforeEach(() => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true })
  })

  test('every write of the ledger fails typed at every page, leaves what was there, and succeeds when there is room', () => {
    using ledger = openLedger({ file, owner })
    const spec = { name: 'inference', version: 1, model: hex }
    ledger.log.begin({ terms: { ...owner, spec, block: 5 as Block }, state: ledger.scoreState })
    round(ledger, 10)
    const at = 1 as UnixMs
    const run = termsAt(20)
    const failures: number[] = []
    const tried = (write: () => void): number => failures.push(untilItFits(write))
    tried(() => ledger.beginRound({ ...run, state: 'planned', at }))
    tried(() => ledger.moveRound(run.roundBlock, { state: 'answered', after: 21 as Block }))
    tried(() =>
      ledger.recordRound({
        state: 'recorded',
        run,
        endedAt: 23 as Block,
        at,
        verdicts: Array.from({ length: 40 }, (_, uid) => verdict(20, uid)),
        forfeits: [],
        terms: { halfLifeRounds: 8 },
      }),
    )
    const block = { number: 24 as Block, hash: hex }
    const row = [[3 as Uid, 65_535]] as const
    const computed = { row, departed: [], registrations: [{ hotkey: miner, uid: 3 as Uid, registeredAt: 7 as Block }] }
    tried(() =>
      ledger.openAttempt({
        mechanism: 0,
        method: 'open',
        version: 1n,
        salt: null,
        block,
        tempo: 10 as Blocks,
        at,
        compute: () => computed,
      }),
    )
    const id = ledger.lastAttempt()?.id ?? 0
    tried(() => ledger.moveAttempt(id, { state: 'failed', error: 'x', at }))
    const pass = { before: 30 as Block, upTo: 9, round: 2, epoch: 1 }
    tried(() => ledger.beginPass({ ...pass, tokens: 1, plans: [] }))
    tried(() =>
      ledger.recordAudits({
        before: pass.before,
        at,
        audits: [
          {
            hotkey: miner,
            uid: 3 as Uid,
            registeredAt: 7 as Block,
            id: 'ab'.repeat(32),
            reason: 'ok',
            value: 1,
            checkMs: 1,
            prefilled: 1,
          },
        ],
        forfeits: [],
      }),
    )
    tried(() => void ledger.endPass(pass.before))
    expect(Math.max(...failures)).toBeGreaterThan(3) // a round takes several pages: it failed at each of them
    expect(ledger.lastRoundBlock()).toBe(20)
    ledger.close()
    using again = openLedger({ file, owner })
    expect(again.log.check().entries).toBeGreaterThan(80)
  })

  test('a validator that is started on a full disk says so, leaves its ledger whole, and starts when there is room', () => {
    openLedger({ file, owner }).close()
    leave(0)
    const names = readdirSync(disk).filter((name) => name !== 'junk' && !/-(wal|shm)$/.test(name))
    expect(() => openLedger({ file, owner })).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
    expect(() => openLedger({ file: join(disk, 'new.sqlite'), owner })).toThrow(
      expect.objectContaining({ code: 'STORE_FULL' }),
    )
    expect(readdirSync(disk).filter((name) => name !== 'junk' && !/-(wal|shm)$/.test(name))).toEqual(names)
    makeRoom()
    openLedger({ file, owner }).close()
  })

  test('a gateway whose file of answers finds no room says so, and goes on when there is', () => {
    using traffic = openTraffic({ file: join(disk, 'traffic.sqlite'), owner, spec: inference })
    const record = (counter: number): void => {
      const request = { n: counter }
      const answer = answeredBy({ counter, request, respond: () => ({ text: 'x'.repeat(20_000) }) })
      traffic.record({ task: taskOf(request), answer, head: 40 as Block })
    }
    record(1)
    leave(2)
    expect(() => record(2)).toThrow(expect.objectContaining({ code: 'STORE_FULL', retryable: true }))
    expect(traffic.lastRow()).toBe(1)
    makeRoom()
    record(2)
    expect(traffic.lastRow()).toBe(2)
  })

  test('a backup that finds no room says so and leaves no file', async () => {
    using ledger = openLedger({ file, owner })
    round(ledger, 10)
    leave(10)
    const to = join(disk, 'copy.sqlite')
    await expect(backUp({ file, kind: LEDGER, to, replace: false })).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(readdirSync(disk).filter((name) => name.includes('copy'))).toEqual([])
    makeRoom()
    await backUp({ file, kind: LEDGER, to, replace: false })
  })
})
