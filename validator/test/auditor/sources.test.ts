import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Ss58 } from '@arbor/shared/units'
import pino from 'pino'
import { expect, test } from 'vitest'
import { type Audited, audit, verdictOf } from '../../src/auditor/audit.ts'
import { combinedRow } from '../../src/auditor/combine.ts'
import { auditedRows } from '../../src/auditor/row-source.ts'
import type { LogEntry, SourceEntry } from '../../src/log/entry.ts'
import type { ScoreState } from '../../src/scoring/rules.ts'
import { miners, scene, serve, spec } from './scene.ts'
import {
  hashOf,
  NETUID,
  neuron,
  type Served,
  TEMPO,
  type ToldChain,
  toldChain,
  VALIDATOR,
  writeLog,
} from './written.ts'

const [other, third] = ['//Other', '//Third'].map((uri) => keypairFromUri(uri).address) as [Ss58, Ss58]

/** The metagraph of an auditor, two validators with stake and a permit, and three miners. */
const chainOf = (): ToldChain => {
  const permit = { axon: null, validatorPermit: true }
  const chain = toldChain((block) => [
    neuron(0, VALIDATOR.address, { ...permit, lastUpdate: (block - (block % TEMPO) - 4) as Block }),
    neuron(1, other, { ...permit, totalStake: 70n as never }),
    neuron(2, third, { ...permit, totalStake: 30n as never }),
    ...miners.map((hotkey, index) => neuron(index + 3, hotkey)),
  ])
  chain.head = 105
  return chain
}

const stateOf = (averages: readonly number[]): ScoreState => ({
  scores: averages.map((average, index) => ({
    hotkey: miners[index] as Ss58,
    uid: (index + 3) as never,
    registeredAt: 1 as Block,
    average,
    sigma: 0,
    samples: 4,
    lastRoundBlock: 70 as Block,
  })),
  forfeits: [],
  rounds: [70 as Block],
  endedAt: 72 as Block,
})

/** An auditor's log: a state, its sources, and the row that follows from them. */
function auditorLog(chain: ToldChain, edit: (source: SourceEntry) => SourceEntry = (source) => source) {
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  log.begin(50)
  const at = { block: 74 as Block, tempo: TEMPO, neurons: chain.neurons(74) }
  const said = { block: at.block, size: 9, root: hashOf(9) }
  const sources: readonly SourceEntry[] = [
    { kind: 'source', ...said, validator: other, stake: '70', state: stateOf([1, 0.5, 0]) },
    { kind: 'source', ...said, validator: third, stake: '30', state: stateOf([0, 0, 1]) },
  ]
  const { row, departed } = combinedRow(sources, at, spec)
  const block = { number: at.block, hash: hashOf(74) }
  const about = { attempt: 1, mechanism: 0, block, tempo: TEMPO, method: 'open', version: spec.version } as const
  const moves = [
    { kind: 'move', attempt: 1, state: 'computed', block: 74 },
    { kind: 'move', attempt: 1, state: 'setting', block: null },
    { kind: 'move', attempt: 1, state: 'finalised', block: 75 },
    { kind: 'move', attempt: 1, state: 'confirmed', block: 76 },
  ] as unknown as readonly LogEntry[]
  chain.rows.set(VALIDATOR.address, [{ from: 75, row }])
  return {
    row,
    entries: [...log.entries, ...sources.map(edit), { kind: 'row', ...about, row, departed }, ...moves] as const,
  }
}

const run = (chain: ToldChain, served: Served): Promise<Audited> =>
  audit(
    { chain: chain.client, netuid: NETUID, spec, open: () => served },
    { validator: VALIDATOR.address, epoch: 3, url: served.url },
    new AbortController().signal,
  )

test("an auditor's row recomputes from its own log", async () => {
  const chain = chainOf()
  const { row, entries } = auditorLog(chain)
  const found = await run(chain, serve(entries))
  expect([found.mismatch, verdictOf(found)]).toEqual([null, 'equal'])
  expect(row).toEqual([
    [3, 65_535],
    [4, 32_768],
  ])
  expect(found.recomputed).toEqual(row)
})

test('a source with another stake than the chain says, or without a permit, is a mismatch', async () => {
  const chain = chainOf()
  const richer = auditorLog(chain, (source) => (source.validator === third ? { ...source, stake: '300' } : source))
  const wrong = { kind: 'source', what: 'the stake of a validator with a permit' }
  expect((await run(chain, serve(richer.entries))).mismatch).toMatchObject({ ...wrong, expected: '30', found: '300' })
  const stranger = auditorLog(chain, (source) =>
    source.validator === third ? { ...source, validator: miners[0] as Ss58 } : source,
  )
  expect((await run(chain, serve(stranger.entries))).mismatch).toMatchObject({ ...wrong, expected: null })
})

test("a source's scores that lead to another row are a mismatch, and so is a source that is the auditor itself", async () => {
  const chain = chainOf()
  const turned = auditorLog(chain, (source) => ({ ...source, state: stateOf([0, 0, 1]) }))
  expect((await run(chain, serve(turned.entries))).mismatch).toMatchObject({ kind: 'row' })
  const self = auditorLog(chain, (source) =>
    source.validator === third ? { ...source, validator: VALIDATOR.address } : source,
  )
  expect((await run(chain, serve(self.entries))).mismatch).toMatchObject({ kind: 'source' })
})

test('an auditor has no row before its first audits, without stake behind a source, and says so once an epoch', async () => {
  const chain = chainOf()
  const metagraph = await chain.client.metagraph(NETUID)
  const snapshot = { metagraph, hyperparameters: {} as never, me: undefined }
  const said: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) })
  const source = (passed: Parameters<typeof auditedRows>[0]['passed']) =>
    auditedRows({ passed, expected: () => [other, third], terms: spec, isStateDue: () => true, log })
  expect(source(() => null)(snapshot)).toBeNull()
  expect(said).toEqual([])
  const head = { size: 3, root: hashOf(3) } as never
  const one = { head, state: { ...stateOf([1]), endedAt: 100 as Block, rounds: [100 as Block] }, at: 100 as Block }
  const fresh = {
    ...one,
    state: { ...one.state, scores: one.state.scores.map((s) => ({ ...s, lastRoundBlock: 100 as Block })) },
  }
  const poor = source(() => [{ ...fresh, validator: miners[0] as Ss58 }])
  expect([poor(snapshot), poor(snapshot)]).toEqual([null, null])
  expect(said).toHaveLength(1)
  const made = source(() => [{ ...fresh, validator: other }])(snapshot)
  expect(made?.row).toEqual([[3, 65_535]])
  expect(made?.entries?.map(({ kind }) => kind)).toEqual(['state', 'source'])
  // One with less than half of the stake sets no row alone, also where others' scores have gone stale.
  said.splice(0)
  expect(source(() => [{ ...fresh, validator: third }])(snapshot)).toBeNull()
  const stale = { ...one, state: { ...stateOf([0, 1]), endedAt: 40 as Block }, validator: other }
  expect(source(() => [{ ...fresh, validator: third }, stale])(snapshot)).toBeNull()
  expect(said.map((line) => JSON.parse(line).stake)).toEqual(['30', '30'])
})

test('an audit takes a committed row as held when the chain zeroed a uid that changed hands before the reveal', async () => {
  const gone = miners[2] as Ss58
  const chain = toldChain((block) => [
    neuron(0, VALIDATOR.address, { axon: null, validatorPermit: true, lastUpdate: 75 as Block }),
    ...miners.slice(0, 2).map((hotkey, index) => neuron(index + 1, hotkey)),
    block < 77 ? neuron(3, gone) : neuron(3, other, { registeredAt: 77 as Block }),
  ])
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  log.begin(1)
  for (const at of [60, 70]) log.round({ at, outcome: () => ({ reason: 'ok', value: 1 }) })
  const row = log.row({ at: 74, committedAt: 75, includedAt: 78 })
  chain.head = 105
  const served = serve(log.entries)
  const held = row.map(([uid, weight]) => [uid, uid === 3 ? 0 : weight] as const)
  chain.rows.set(VALIDATOR.address, [{ from: 78, row: held }])
  const found = await run(chain, served)
  expect([found.mismatch, verdictOf(found)]).toEqual([null, 'equal'])
  // Of a uid that stayed the same it is a mismatch.
  chain.rows.set(VALIDATOR.address, [{ from: 78, row: row.filter(([uid]) => uid !== 2) }])
  expect((await run(chain, served)).mismatch).toMatchObject({
    kind: 'move',
    what: 'the row that the chain holds at its block',
  })
})

test('an audit finds the row in force when the log is withheld after the row that was opened last', async () => {
  const chain = toldChain((block) => [
    neuron(0, VALIDATOR.address, { axon: null, validatorPermit: true, lastUpdate: Math.min(block, 75) as Block }),
    ...miners.map((hotkey, index) => neuron(index + 1, hotkey)),
  ])
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  log.begin(1)
  for (const at of [60, 70]) log.round({ at, outcome: () => ({ reason: 'ok', value: 1 }) })
  const row = log.row({ at: 74, committedAt: 75, includedAt: 78 })
  chain.head = 105
  const shown = log.entries.slice(0, log.entries.findIndex(({ kind }) => kind === 'row') + 1)
  const found = await run(chain, serve(shown))
  expect([found.mismatch, verdictOf(found), found.recomputed]).toEqual([null, 'equal', row])
  chain.rows.set(VALIDATOR.address, [{ from: 78, row: row.slice(1) }])
  expect((await run(chain, serve(shown))).mismatch).toMatchObject({ kind: 'chain' })
})

test('an audit holds when hotkeys stand twice in the metagraph', async () => {
  const { chain, log } = scene()
  const before = chain.neurons
  const twice = toldChain((block) => [...before(block), neuron(4, miners[0] as Ss58), neuron(5, VALIDATOR.address)])
  const again = writeLog({ chain: twice, spec, signer: VALIDATOR })
  again.begin(1)
  for (const at of [60, 70]) again.round({ at, outcome: () => ({ reason: 'ok', value: 1 }) })
  again.row({ at: 74, includedAt: 75 })
  twice.head = 105
  expect(log.entries.length).toBeGreaterThan(0)
  const found = await run(twice, serve(again.entries))
  expect([found.mismatch, verdictOf(found)]).toEqual([null, 'equal'])
  expect(found.recomputed?.map(([uid]) => uid)).toEqual([1, 2, 3, 4])
})
