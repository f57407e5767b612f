import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Block, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { recordRound, termsAt, verdictRow as verdict } from './recorded.ts'

const owner = { genesisHash: '0xaa' as Hex, netuid: 1 as NetUid, hotkey: '5Fme' as Ss58 }
const identity = { hotkey: '5Fminer', uid: 3, registeredAt: 7 }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-ledger-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('ledger', () => {
  test('forgets the verdicts of rounds beyond those kept, and the score of whoever left long ago', () => {
    const ledger = openLedger({ owner, keptRounds: 2 })
    recordRound(ledger, { block: 10, verdicts: [verdict(), verdict({ hotkey: '5Fgone' as Ss58, uid: 4 as Uid })] })
    for (const block of [15, 20, 10 + 561 * 5])
      recordRound(ledger, { block, verdicts: [verdict({ roundBlock: block as Block })] })
    expect(ledger.verdictCounts()).toEqual(new Map([['5Fminer', new Map([['ok', 2]])]]))
    expect(ledger.scores()).toMatchObject([{ hotkey: '5Fminer', lastRoundBlock: 2_815 }])
    expect(ledger.lastRoundBlock()).toBe(2_815)
    ledger.close()
  })

  test('keeps rounds and scores over a restart', () => {
    const file = join(folder, 'ledger.sqlite')
    const first = openLedger({ file, owner })
    recordRound(first, { block: 10, verdicts: [verdict()] })
    first.close()

    const again = openLedger({ file, owner })
    expect(again.lastRoundBlock()).toBe(10)
    expect(again.scores()).toMatchObject([{ hotkey: '5Fminer', uid: 3, registeredAt: 7, average: 1, samples: 1 }])
    again.close()
  })

  test('refuses a round that it holds already and changes nothing', () => {
    const ledger = openLedger({ owner })
    recordRound(ledger, { block: 10, verdicts: [verdict()] })
    expect(() => recordRound(ledger, { block: 10, verdicts: [verdict({ value: 0, reason: 'timeout' })] })).toThrow()
    expect(ledger.scores()[0]?.average).toBe(1)
    expect(ledger.verdictCounts()).toEqual(new Map([['5Fminer', new Map([['ok', 1]])]]))
  })

  test('records nothing of a round when one of its verdicts cannot be written', () => {
    const ledger = openLedger({ owner })
    expect(() => recordRound(ledger, { block: 10, verdicts: [verdict(), verdict()] })).toThrow()
    expect(ledger.lastRoundBlock()).toBeNull()
    expect(ledger.scores()).toEqual([])
  })

  test('refuses a round a move that its state does not lead to, and changes nothing', () => {
    using ledger = openLedger({ owner })
    const block = 10 as Block
    const draw = { state: 'drawn', draw: null } as const
    expect(() => ledger.moveRound(block, draw)).toThrow(expect.objectContaining({ code: 'LEDGER_MOVE' }))
    ledger.beginRound({ ...termsAt(10), state: 'planned', at: 1 as UnixMs })
    expect(() => ledger.moveRound(block, draw)).toThrow(expect.objectContaining({ code: 'LEDGER_MOVE' }))
    expect(ledger.openRound()).toMatchObject({ state: 'planned', pass: 0, roundBlock: 10 })
    ledger.moveRound(block, { state: 'dropped', reason: 'late' })
    expect(ledger.openRound()).toBeNull()
    expect(() => ledger.moveRound(block, { state: 'answered', after: block })).toThrow('is dropped')
    expect([ledger.lastBegunBlock(), ledger.lastRoundBlock()]).toEqual([10, null])
  })

  test('has the state that a fold of its log gives', () => {
    using ledger = openLedger({ owner })
    recordRound(ledger, { block: 10, verdicts: [verdict({ value: 0.5 }), verdict({ value: 1, repeat: 1 })] })
    recordRound(ledger, { block: 15, verdicts: [verdict({ roundBlock: 15 as Block, value: 0 })] })
    expect(ledger.scoreState()).toEqual({
      scores: [{ ...identity, average: 0.75 * 0.5 ** 0.125, sigma: 0, samples: 3, lastRoundBlock: 15 }],
      forfeits: [],
      rounds: [15, 10],
      endedAt: 18,
    })
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
