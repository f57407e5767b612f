import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Block, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { moveScores } from '../src/round.ts'
import type { VerdictRow } from '../src/rounds/ledger.ts'

const owner = { genesisHash: '0xaa' as Hex, netuid: 1 as NetUid, hotkey: '5Fme' as Ss58 }
const verdict = (over: Partial<VerdictRow> = {}): VerdictRow => ({
  hotkey: '5Fminer' as Ss58,
  uid: 3 as Uid,
  registeredAt: 7 as Block,
  round: 2,
  roundBlock: 10 as Block,
  task: 'chat',
  seed: '0x01',
  reason: 'ok',
  value: 1,
  sigma: 0,
  totalMs: 12.5,
  ...over,
})
const round = (block: number, verdicts: readonly VerdictRow[]) => ({
  roundBlock: block as Block,
  at: 1_000 as UnixMs,
  verdicts,
  scores: moveScores({ before: [], verdicts, halfLifeRounds: 8 }),
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-ledger-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('ledger', () => {
  test('forgets rounds beyond those kept, and the scores of whoever left', () => {
    const ledger = openLedger({ owner, keptRounds: 2 })
    ledger.recordRound(round(10, [verdict(), verdict({ hotkey: '5Fgone' as Ss58, uid: 4 as Uid })]))
    for (const block of [15, 20, 25]) ledger.recordRound(round(block, [verdict({ roundBlock: block as Block })]))
    expect(ledger.verdictCounts()).toEqual(new Map([['5Fminer', new Map([['ok', 2]])]]))
    expect(ledger.scores()).toMatchObject([{ hotkey: '5Fminer', lastRoundBlock: 25 }])
    expect(ledger.lastRoundBlock()).toBe(25)
    ledger.close()
  })

  test('keeps rounds, scores and attempts over a restart', () => {
    const file = join(folder, 'ledger.sqlite')
    const first = openLedger({ file, owner })
    first.recordRound(round(10, [verdict()]))
    const id = first.openAttempt({ row: [[3 as Uid, 65_535]], computedAt: 12 as Block, at: 1 as UnixMs })
    first.moveAttempt(id, { state: 'finalised', block: 13 as Block })
    first.close()

    const again = openLedger({ file, owner })
    expect(again.lastRoundBlock()).toBe(10)
    expect(again.scores()).toMatchObject([{ hotkey: '5Fminer', uid: 3, registeredAt: 7, average: 1, samples: 1 }])
    expect(again.lastAttempt()).toEqual({
      id,
      row: [[3, 65_535]],
      state: 'finalised',
      computedAt: 12,
      includedAt: 13,
      readBackAt: null,
      error: null,
    })
    again.moveAttempt(id, { state: 'confirmed', block: 14 as Block })
    expect(again.lastAttempt()).toMatchObject({ state: 'confirmed', includedAt: 13, readBackAt: 14 })
    again.close()
  })

  test('refuses a round that it holds already and changes nothing', () => {
    const ledger = openLedger({ owner })
    ledger.recordRound(round(10, [verdict()]))
    expect(() => ledger.recordRound(round(10, [verdict({ value: 0, reason: 'timeout' })]))).toThrow()
    expect(ledger.scores()[0]?.average).toBe(1)
    expect(ledger.verdictCounts()).toEqual(new Map([['5Fminer', new Map([['ok', 1]])]]))
  })

  test('records nothing of a round when one of its verdicts cannot be written', () => {
    const ledger = openLedger({ owner })
    expect(() => ledger.recordRound(round(10, [verdict(), verdict()]))).toThrow()
    expect(ledger.lastRoundBlock()).toBeNull()
    expect(ledger.scores()).toEqual([])
  })

  test('refuses a file of another chain, subnet or hotkey by name', () => {
    const file = join(folder, 'ledger.sqlite')
    openLedger({ file, owner }).close()
    expect(() => openLedger({ file, owner: { ...owner, genesisHash: '0xbb' } })).toThrow(
      expect.objectContaining({ code: 'STORE_OTHER_CHAIN' }),
    )
  })

  test('refuses a file that is no ledger', () => {
    const file = join(folder, 'ledger.sqlite')
    writeFileSync(file, 'not a database, and long enough to be read as a header of one page or more'.repeat(20))
    expect(() => openLedger({ file, owner })).toThrow(expect.objectContaining({ code: 'STORE_NOT_A_DATABASE' }))
  })
})
