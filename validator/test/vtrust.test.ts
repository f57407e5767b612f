import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metagraph, WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { consensusOf } from '../src/vtrust/consensus.ts'
import { explain } from '../src/vtrust/explain.ts'
import { readTrust } from '../src/vtrust/read.ts'
import { readReasons } from '../src/vtrust/reasons.ts'
import { linesOf, vtrustSchema } from '../src/vtrust/report.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'
import { recordRound, verdictRow } from './recorded.ts'
import { keys } from './rounds/support.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-vtrust-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const staked = (uid: number, hotkey: string, totalStake: bigint) =>
  neuron({ uid, hotkey, totalStake, registeredAt: 5, lastUpdate: 90, validatorPermit: true })
const miner = (uid: number) =>
  neuron({ uid, hotkey: `5Fm${uid}`, registeredAt: 5, validatorPermit: false, totalStake: 0n })
const graph = metagraph({
  lastEpochBlock: 95,
  ownerHotkey: '5Fnobody',
  neurons: [staked(0, keys.me, 20n), staked(1, '5Fv1', 45n), staked(2, '5Fv2', 35n), miner(3), miner(4)],
})
const rows: Readonly<Record<number, WeightRow>> = {
  0: [
    [3, 65_535],
    [4, 65_535],
  ],
  1: [[3, 65_535]],
  2: [[3, 65_535]],
} as never
const chainOf = (over: Partial<Parameters<typeof readTrust>[0]> = {}): Parameters<typeof readTrust>[0] => ({
  finalized: async () => graph.block,
  blockHash: async (number) => `0x${number}` as Hex,
  metagraph: async () => graph,
  hyperparameters: async () => hyperparameters({ kappa: 32_767, activityCutoff: 100 }),
  weights: async (_, uid) => rows[uid] ?? [],
  pendingCommits: () => Promise.reject(new Error('commit-reveal is off')),
  ...over,
})
const forgetful =
  (code: string) =>
  async (_: NetUid, at?: Hex): Promise<Metagraph> => {
    if (at === graph.block.hash) return graph
    throw new SubnetError({ code, message: 'gone' })
  }

test('an own weight that no other supports is named, with what the own verdicts said of its miner', async () => {
  const file = join(folder, 'ledger.sqlite')
  const owner = { genesisHash: `0x${'aa'.repeat(32)}` as Hex, netuid: 1 as NetUid, hotkey: keys.me }
  const ledger = openLedger({ file, owner })
  const of4 = { hotkey: '5Fm4' as Ss58, uid: 4 as never, registeredAt: 5 as Block }
  const bad = { ...of4, repeat: 1, reason: 'timeout', value: 0 }
  recordRound(ledger, {
    block: 80,
    verdicts: [verdictRow({ ...of4, roundBlock: 80 as Block }), verdictRow({ ...bad, roundBlock: 80 as Block })],
  })
  ledger.close()
  const reasons = readReasons(file)
  expect(reasons.hotkey).toBe(keys.me)
  const report = explain({ netuid: 1, read: await readTrust(chainOf(), 1 as NetUid), hotkey: reasons.hotkey, reasons })
  expect(vtrustSchema.parse(report).explained).toMatchObject({ trust: 0.5, difference: [4] })
  expect(report.explained?.miners).toMatchObject([
    { uid: 4, own: 0.5, consensus: 0, clipped: 0.5, verdicts: { reasons: { ok: 1, timeout: 1 }, value: 0.5 } },
    { uid: 3, own: 0.5, consensus: 1, clipped: 0, verdicts: null, others: [{ weight: 1 }, { weight: 1 }] },
  ])
  expect(linesOf(report).join('\n')).toContain('uid 0 loses 0.5000 of 1, nine tenths of it by uid 4')
})

test('without the state of the last epoch it tells what one now would come to', async () => {
  const read = await readTrust(chainOf({ metagraph: forgetful('CHAIN_RPC') }), 1 as NetUid)
  const report = explain({ netuid: 1, read, hotkey: keys.me, reasons: null })
  expect(report).toMatchObject({ basis: 'now', block: 100, explained: { trust: 0.5 } })
  expect(report.warnings.join()).toContain('keeps no state of the last epoch')
  await expect(readTrust(chainOf({ metagraph: forgetful('CHAIN_UNREACHABLE') }), 1 as NetUid)).rejects.toThrow('gone')
})

test('few validators, one that decides alone, and one that sets nothing are warned of', async () => {
  const read = await readTrust(
    chainOf({ weights: async (_, uid) => (uid === 2 ? [] : (rows[uid] ?? [])) }),
    1 as NetUid,
  )
  const { warnings, deciding } = explain({ netuid: 1, read, hotkey: null, reasons: null })
  expect(deciding).toBe(2)
  expect(warnings[0]).toContain('only 2 validators set weights that count')
  expect(warnings[1]).toBe(
    'uid 2 counts with 35.0 % of the stake and gives nobody a weight: that counts as zero for all',
  )
  const alone = {
    ...read,
    consensus: consensusOf({
      ...read.input,
      neurons: read.input.neurons.map((n) => ({ ...n, totalStake: n.uid === 1 ? 900n : n.totalStake })),
    }),
  }
  expect(explain({ netuid: 1, read: alone, hotkey: null, reasons: null })).toMatchObject({ deciding: 1 })
})

test('a folder without a ledger is refused by name', () => {
  expect(() => readReasons(join(folder, 'none.sqlite'))).toThrow(expect.objectContaining({ code: 'VTRUST_LEDGER' }))
})

test('a person is shown the miners that make the difference, and how many more there are', () => {
  const miners = Array.from({ length: 50 }, (_, i) => ({
    uid: i,
    hotkey: `5F${i}`,
    own: 0.02,
    consensus: i < 25 ? 0.01 : 0.02,
    clipped: i < 25 ? 0.01 : 0,
    others: [],
    verdicts: null,
  }))
  const explained = {
    uid: 60,
    hotkey: '5F',
    stake: 0.2,
    trust: 0.75,
    held: 0.75,
    miners,
    difference: miners.slice(0, 23).map(({ uid }) => uid),
  }
  const lines = linesOf({
    netuid: 1,
    basis: 'epoch',
    block: 9,
    kappa: 0.5,
    validators: [],
    deciding: 1,
    warnings: [],
    explained,
  })
  expect(lines.filter((line) => /^uid \d+ +0\.02/.test(line))).toHaveLength(23)
  expect(lines.at(-1)).toBe('and 27 more, which lose less each: --json has them')
})
