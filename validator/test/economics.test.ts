import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Alpha, Block, NetUid, Rao, UnixMs } from '@arbor/shared/units'
import spec from '@arbor/subnet-spec/inference-tiny'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { reportOf } from '../src/economics/command.ts'
import { outlookOf } from '../src/economics/outlook.ts'
import { economicsSchema, linesOf } from '../src/economics/report.ts'
import { openLedger } from '../src/ledger.ts'
import { asker, genesisHash, miner, netuid } from './exchange.ts'
import { metagraph, neuron } from './fixtures.ts'
import { recordRound, verdictRow } from './recorded.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-economics-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const graph = metagraph({
  neurons: [
    neuron({ uid: 0, dividends: 1, emission: 9_000_000_000n as Alpha }), // a validator earns nothing by answering
    neuron({ uid: 4, hotkey: miner.address, incentive: 0.5, emission: 4_000_000_000n as Alpha }),
    neuron({ uid: 5, incentive: 0.5, emission: 2_000_000_000n as Alpha }),
  ],
})
const report = (options: Partial<Parameters<typeof reportOf>[0]['options']> = {}) =>
  reportOf({
    spec,
    options: { netuid: 1 as NetUid, chunks: 4, ...options },
    cwd: folder,
    metagraph: graph,
    burn: 500_000_000n as Rao,
  })

describe('economics', () => {
  test('take the average miner that is paid, and the cheaper way out of a forfeit', () => {
    const found = economicsSchema.parse(report({ answers: 200 }))
    expect(found).toMatchObject({ minersPaid: 2, emissionPerRoundRao: 1.5e9, forfeitRounds: 8, lossRao: 3.5e9 })
    expect(found.epoch).toBeNull()
    const { outlook } = found
    expect(outlook).toMatchObject({ answers: 200, isEnough: true })
    expect(outlook.share).toBeLessThan(0.2)
    for (const cheat of outlook.cheats) {
      if (cheat.saving <= 0) continue
      expect(cheat.profit).toBeLessThan(0)
      expect(cheat.bestProfit).toBeLessThan(0)
      expect(cheat.unaudited).toBeCloseTo(cheat.saving * 1.5e9)
      expect(cheat.found).toBeGreaterThanOrEqual(0.99 - 1e-9)
    }
    expect(linesOf(found).join('\n')).toContain('an average miner earns 1.5 α a round')
  })

  test("ask for less of everything's cost when there are more answers", () => {
    const shares = [10, 100, 1_000, 10_000].map((answers) => report({ answers }).outlook)
    const costs = shares.map(({ share, lookCost }) => share * lookCost)
    expect(costs).toEqual([...costs].sort((a, b) => b - a))
    expect(costs[3]).toBeLessThan(0.001)
  })

  test('say that a single answer cannot be watched closely enough', () => {
    const outlook = outlookOf({
      terms: {
        forfeits: [],
        forfeitRounds: 8,
        attacks: [{ name: 'hidden', saving: 1, perChunk: 0.2 }],
        detection: 0.99,
      },
      stakes: { emissionPerRound: 10, burn: 0, idleRounds: 2, forfeitRounds: 8 },
      answers: 1,
      chunks: 1,
      rounds: 1,
    })
    expect(outlook).toMatchObject({ share: 1, isEnough: false })
  })

  test('tell what the last audited epoch cost a validator', () => {
    const ledger = openLedger({
      file: join(folder, 'ledger.sqlite'),
      owner: { genesisHash, netuid, hotkey: asker.address },
    })
    const about = { hotkey: miner.address, uid: 4, registeredAt: 5 as Block } as never as {
      hotkey: typeof miner.address
      uid: never
      registeredAt: Block
    }
    const outlook = [
      { name: 'a', tempts: true, detection: 1, found: 0.9, foundInEpoch: 0.98, profit: -1 },
      { name: 'b', tempts: false, detection: 1, found: 0, foundInEpoch: 0, profit: -1 },
    ]
    const plan = { ...about, answers: 40, dropped: 0, share: 0.1, look: 1, outlook }
    ledger.beginPass({ before: 15 as Block, upTo: 9, round: 2, epoch: 1, tokens: 50, plans: [plan] })
    recordRound(ledger, { block: 10, verdicts: [verdictRow({ ...about, checkMs: 30, prefilled: 90 })] })
    const audit = { ...about, value: 1, checkMs: 20, prefilled: 60 }
    ledger.recordAudits({
      before: 15 as Block,
      at: 1 as UnixMs,
      audits: [
        { ...audit, id: 'x', reason: 'ok' },
        { ...audit, id: 'y', reason: 'sampling' },
        { ...audit, id: 'z', reason: 'unjudged', checkMs: null, prefilled: null },
      ],
      forfeits: [],
    })
    expect(report({ data: folder }).epoch).toBeNull() // the pass has not ended
    ledger.endPass(15 as Block)
    const found = report({ data: folder })
    expect(found.epoch).toEqual({
      epoch: 1,
      planned: { checks: 1, seconds: 0.03, prefilled: 90 },
      users: { checks: 2, seconds: 0.04, prefilled: 120 },
      answers: 40,
      tokens: 2_000,
      miners: [{ uid: 4, hotkey: miner.address, answers: 40, audited: 2, failed: 1, found: 0.98 }],
    })
    expect(found.outlook.answers).toBe(20) // two rounds an epoch
    expect(linesOf(found).join('\n')).toContain('0.020 ms a served token')
    ledger.close()
  })

  test('refuse a folder without a ledger, and a spec without audit terms', () => {
    expect(() => report({ data: join(folder, 'none') })).toThrow(expect.objectContaining({ code: 'ECONOMICS_LEDGER' }))
    const { audit: _, ...plain } = spec
    expect(() =>
      reportOf({ spec: plain, options: { netuid, chunks: 4 }, cwd: folder, metagraph: graph, burn: 1n as Rao }),
    ).toThrow(expect.objectContaining({ code: 'ECONOMICS_NO_TERMS' }))
  })
})
