import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { rootOf } from '@arbor/shared/merkle'
import type { Block } from '@arbor/shared/units'
import { taskSeed } from '@arbor/subnet-spec/seed'
import { expect, test } from 'vitest'
import { type Audited, audit, verdictOf } from '../../src/auditor/audit.ts'
import { auditReport, reportOf } from '../../src/auditor/report.ts'
import { encodeEntry } from '../../src/log/encode.ts'
import type { LogEntry } from '../../src/log/entry.ts'
import { rowAt } from '../../src/scoring/fold.ts'
import { cheat, honest, OUTCOMES, scene, serve, slow, spec } from './scene.ts'
import {
  GENESIS,
  hashOf,
  NETUID,
  type Served,
  serveEntries,
  TEMPO,
  type ToldChain,
  treeOf,
  VALIDATOR,
  writeLog,
} from './written.ts'

const run = (chain: ToldChain, served: Served, epoch = 3): Promise<Audited> =>
  audit(
    { chain: chain.client, netuid: NETUID, spec, open: () => served },
    { validator: VALIDATOR.address, epoch, url: served.url },
    new AbortController().signal,
  )

/** Edits entries, and serves them under a head that is made and signed for them. */
const forged = (entries: readonly LogEntry[], edit: (entry: LogEntry, index: number) => LogEntry | null): Served =>
  serve(entries.map(edit).filter((entry) => entry !== null))

test('an audit finds the row equal when log, chain and rules agree', async () => {
  const { chain, log } = scene()
  const served = serve(log.entries)
  const found = await run(chain, served)
  expect(found.mismatch).toBeNull()
  expect(verdictOf(found)).toBe('equal')
  expect(found.recomputed).toEqual([
    [1, 65_535],
    [3, 32_768],
  ])
  expect(found.held).toEqual(found.recomputed)
  expect(found.attempt?.placed.entry.attempt).toBe(3)
  const report = reportOf(found, { netuid: NETUID, sample: null, compared: null })
  expect(auditReport.parse(report)).toMatchObject({ equal: true, epoch: 3, firstMismatch: null })
})

test('an audit of each epoch begins at a state, so that nothing before it is read', async () => {
  const { chain, log } = scene()
  const served = serve(log.entries)
  const [early, late] = [await run(chain, served, 1), await run(chain, served, 4)]
  expect(verdictOf(early)).toBe('equal')
  expect(verdictOf(late)).toBe('equal')
  expect(late.stretch.from).toBeGreaterThan(early.stretch.from)
  expect(late.stretch.to).toBe(log.entries.length)
})

test('an audit names the first entry that is not under the signed root when one is edited as it is served', async () => {
  const { chain, log } = scene()
  const served = serve(log.entries)
  const at = served.texts.findLastIndex((text) => text.includes('"reason":"fingerprint"') && text.includes('"verdict"'))
  served.texts[at] = (served.texts[at] ?? '').replace('fingerprint', 'sampling')
  const found = await run(chain, served, 4)
  expect(found.mismatch).toMatchObject({
    position: at,
    kind: 'tree',
    what: 'entries under the root that the validator signed',
  })
})

const forgeries: readonly (readonly [string, (entry: LogEntry) => LogEntry | null, object])[] = [
  [
    'a verdict is dropped',
    (entry) => (entry.kind === 'verdict' && entry.roundBlock === 70 && entry.hotkey === slow ? null : entry),
    { kind: 'score', what: 'scores of miners with a verdict alone' },
  ],
  [
    'a verdict is made better',
    (entry) =>
      entry.kind === 'verdict' && entry.roundBlock === 70 && entry.hotkey === slow ? { ...entry, value: 1 } : entry,
    { kind: 'score', what: 'the score that follows from the verdicts' },
  ],
  [
    'a value is none that a spec can give',
    (entry) =>
      entry.kind === 'verdict' && entry.roundBlock === 70 && entry.hotkey === slow ? { ...entry, value: 7 } : entry,
    { kind: 'verdict', what: 'a verdict that a spec can give' },
  ],
  [
    'a seed is chosen',
    (entry) => (entry.kind === 'verdict' && entry.roundBlock === 70 ? { ...entry, seed: GENESIS } : entry),
    { kind: 'verdict', what: 'the seed of the question' },
  ],
  [
    'a round starts at another hash',
    (entry) =>
      entry.kind === 'round' && entry.start.number === 70
        ? { ...entry, start: { ...entry.start, hash: GENESIS } }
        : entry,
    { kind: 'round', what: "the hash of the round's start block" },
  ],
  [
    'a uid is another registration',
    (entry) => (entry.kind === 'verdict' && entry.roundBlock === 70 ? { ...entry, registeredAt: 2 as Block } : entry),
    { kind: 'verdict', what: "who held the uid at the round's start" },
  ],
  [
    'a forfeit is left out',
    (entry) => (entry.kind === 'forfeit' && entry.forfeit.atBlock === 70 ? null : entry),
    { kind: 'round', what: 'the forfeits that follow from its verdicts' },
  ],
  [
    'a forfeit follows from nothing',
    (entry) =>
      entry.kind === 'forfeit' && entry.forfeit.atBlock === 70
        ? { ...entry, forfeit: { ...entry.forfeit, hotkey: honest } }
        : entry,
    { kind: 'forfeit', what: 'a forfeit that follows from a verdict of its round' },
  ],
  [
    'a row is forged',
    (entry) => (entry.kind === 'row' && entry.attempt === 3 ? { ...entry, row: [[2, 65_535]] as never } : entry),
    { kind: 'row', what: 'the row that follows from the entries before it' },
  ],
  [
    'a state is forged',
    (entry) => (entry.kind === 'state' && entry.block === 84 ? { ...entry, scores: [] } : entry),
    { kind: 'state', what: 'the state that follows from the entries before it' },
  ],
  [
    'a move says what the chain did not do',
    (entry) =>
      entry.kind === 'move' && entry.attempt === 3 && entry.state === 'finalised'
        ? { ...entry, block: 30 as Block }
        : entry,
    { kind: 'move', what: 'the row that the chain holds at its block' },
  ],
  [
    'a state of a row is passed over',
    (entry) => (entry.kind === 'move' && entry.attempt === 3 && entry.state === 'setting' ? null : entry),
    { kind: 'move', what: 'a state that follows on computed' },
  ],
]

test.each(forgeries)('an audit names the first mismatch when %s', async (_, edit, expected) => {
  const { chain, log } = scene()
  const found = await run(chain, forged(log.entries, edit))
  expect(found.mismatch).toMatchObject(expected)
  expect(verdictOf(found)).toBe('different')
})

test('an audit says what the chain holds instead when another row was set', async () => {
  const { chain, log } = scene()
  chain.rows.set(VALIDATOR.address, [
    ...(chain.rows.get(VALIDATOR.address) ?? []),
    { from: 78, row: [[2, 65_535]] as never },
  ])
  const found = await run(chain, serve(log.entries))
  expect(found.mismatch).toMatchObject({ kind: 'chain', expected: [[2, 65_535]] })
})

test('an audit refuses a head of another chain, subnet or validator', async () => {
  const { chain, log } = scene()
  const served = serve(log.entries)
  served.signed = { ...served.signed, netuid: 2 as never }
  expect((await run(chain, served)).mismatch).toMatchObject({
    kind: 'tree',
    what: 'the head of this chain, subnet and validator',
  })
  const other = serveEntries(log.entries, { signer: keypairFromUri('//Other'), block: 100 })
  expect((await run(chain, other)).mismatch).toMatchObject({ what: 'the head of this chain, subnet and validator' })
  other.signed = { ...other.signed, hotkey: VALIDATOR.address }
  expect((await run(chain, other)).mismatch).toMatchObject({ what: "the head's signature" })
})

test('an audit finds a log of another subnet when its entries say so', async () => {
  const { chain, log } = scene()
  const edit = (entry: LogEntry): LogEntry => (entry.kind === 'terms' ? { ...entry, netuid: 9 as never } : entry)
  const found = await run(chain, forged(log.entries, edit))
  expect(found.mismatch).toMatchObject({ kind: 'terms', what: 'chain, subnet and hotkey of the log' })
})

test('an audit is refused when the log is of another version of the spec', async () => {
  const { chain, log } = scene()
  const edit = (entry: LogEntry): LogEntry =>
    entry.kind === 'terms' ? { ...entry, spec: { ...entry.spec, version: 99 } } : entry
  await expect(run(chain, forged(log.entries, edit))).rejects.toMatchObject({ code: 'AUDIT_SPEC' })
})

test('an audit proves two histories when the log does not go on from an anchored root', async () => {
  const { chain, log } = scene()
  const honestLog = serve(log.entries)
  const { size, root } = honestLog.signed
  chain.anchored.set(VALIDATOR.address, [{ size, root, url: honestLog.url, block: 100 }])
  expect((await run(chain, honestLog)).mismatch).toBeNull()
  const edit = (entry: LogEntry): LogEntry =>
    entry.kind === 'verdict' && entry.roundBlock === 30 ? { ...entry, totalMs: 21 } : entry
  const same = await run(chain, forged(log.entries, edit))
  expect(same.mismatch).toMatchObject({
    kind: 'tree',
    what: 'one root for one size (equivocation)',
    expected: { size, root },
  })
  const longer = await run(chain, forged([...log.entries, ...log.entries.slice(-1)], edit))
  expect(longer.mismatch?.what).toMatch(/goes on from the root that the validator has bound itself to/)
})

test('an audit finds a truncated log when the chain knows of more entries', async () => {
  const { chain, log } = scene()
  const { size, root } = serve(log.entries).signed
  chain.anchored.set(VALIDATOR.address, [{ size, root, url: 'http://127.0.0.1:1/', block: 100 }])
  const found = await run(chain, serve(log.entries.slice(0, -5)))
  expect(found.mismatch?.what).toMatch(/truncated/)
})

/** A log with a state that was made for its last row: told just before it, and dated back. */
const withMadeState = () => {
  const { chain, log } = scene()
  const at = log.entries.findIndex((entry) => entry.kind === 'row' && entry.attempt === 3)
  const [terms] = log.entries
  const told = log.entries.findLast((entry) => entry.kind === 'state')
  const row = log.entries[at]
  if (terms?.kind !== 'terms' || told?.kind !== 'state' || row?.kind !== 'row') throw new Error('the scene is another')
  const scores = told.scores.map((score) => ({ ...score, average: score.hotkey === cheat ? 1 : 0, lastRoundBlock: 30 }))
  const made = { ...told, block: 34, rounds: [30], endedAt: 34, scores, forfeits: [] } as unknown as typeof told
  const wanted = rowAt(made, { block: 74 as Block, tempo: TEMPO, neurons: chain.neurons(74) }, spec).row
  chain.rows.set(VALIDATOR.address, [...(chain.rows.get(VALIDATOR.address) ?? []), { from: 75, row: wanted }])
  const served = serve([
    ...log.entries.slice(0, at),
    { ...terms, block: 34 as Block },
    made,
    { ...row, row: wanted },
    ...log.entries.slice(at + 1, at + 6),
  ])
  // As it stood at block 48, where the chain holds it.
  const size = log.entries.findIndex((entry) => entry.kind === 'round' && entry.start.number === 40)
  const root = toHex(rootOf(size, treeOf(served.texts)))
  chain.anchored.set(VALIDATOR.address, [{ size, root, url: served.url, block: 48 }])
  return { chain, served, at, wanted }
}

test('an audit reads from before the epoch on, and finds a state that was made for its row', async () => {
  const { chain, served, at } = withMadeState()
  expect((await run(chain, served)).mismatch).toMatchObject({
    position: at + 1,
    kind: 'state',
    what: 'the state that follows from the entries before it',
  })
})

test('an audit is refused when a server gives only a state that was told after the epoch began', async () => {
  const { chain, served, at } = withMadeState()
  const page = served.page
  served.page = (where, signal) => page('from' in where ? where : { from: at }, signal)
  await expect(run(chain, served)).rejects.toMatchObject({ code: 'AUDIT_PRUNED' })
})

test('an audit says that it begins at what nobody was bound to when no root of then is known', async () => {
  const { chain, served, at, wanted } = withMadeState()
  const page = served.page
  served.page = (where, signal) => page('from' in where ? where : { from: at }, signal)
  const { size, root } = served.signed
  chain.anchored.set(VALIDATOR.address, [{ size, root, url: served.url, block: 90 }])
  const found = await run(chain, served)
  expect(found.recomputed).toEqual(wanted)
  expect(reportOf(found, { netuid: NETUID, sample: null, compared: null }).unproven.join('\n')).toContain(
    'stood in the log before the epoch',
  )
})

test('an audit takes a state by its word only where the log begins', async () => {
  const { chain, log } = scene()
  const edit = (entry: LogEntry, index: number): LogEntry | null => {
    if (index === 1) return null
    return entry.kind === 'state' && entry.block === 24 ? { ...entry, scores: [] } : entry
  }
  expect((await run(chain, forged(log.entries, edit), 1)).mismatch).toMatchObject({
    kind: 'state',
    what: 'the state that follows from the entries before it',
  })
  const bare = forged(log.entries, (entry) => (entry.kind === 'state' ? null : entry))
  expect((await run(chain, bare, 4)).mismatch).toMatchObject({ what: 'the state that later rows need' })
})

test('an audit finds a row that is held without a miner when the log dates its commit back', async () => {
  const { chain, log } = scene()
  const row = log.row({ at: 94, includedAt: 97, committedAt: 0 })
  const rows = chain.rows.get(VALIDATOR.address) ?? []
  chain.rows.set(VALIDATOR.address, [...rows.slice(0, -1), { from: 97, row: row.slice(1) }])
  expect((await run(chain, serve(log.entries), 4)).mismatch).toMatchObject({
    kind: 'move',
    what: 'the row that the chain holds at its block',
  })
})

test('an audit decides nothing when the endpoint has no state of then', async () => {
  const { chain, log } = scene()
  chain.keptFrom = 101
  const found = await run(chain, serve(log.entries))
  expect(found.mismatch).toBeNull()
  expect(verdictOf(found)).toBe('undecided')
  expect(found.held).toBeNull()
  expect(found.recomputed).toEqual(found.logged)
  const report = reportOf(found, { netuid: NETUID, sample: null, compared: null })
  expect(report.byWord.rows).toBeGreaterThan(0)
  expect(report.unproven.join('\n')).toContain('keeps it with --network')
})

test("an audit decides nothing when the endpoint has the epoch's end, and not who was registered at the row's block", async () => {
  const { chain, log } = scene()
  chain.keptFrom = 76
  // Whom the log calls departed nobody can look up.
  const found = await run(chain, serve(log.entries))
  expect([found.mismatch, found.held]).toEqual([null, found.recomputed])
  expect(verdictOf(found)).toBe('undecided')
})

test('an audit lists miners that were due and have no verdict', async () => {
  const { chain, log } = scene((hotkey, at) => (hotkey === honest && at === 70 ? null : (OUTCOMES[hotkey] ?? null)))
  const found = await run(chain, serve(log.entries))
  expect(found.mismatch).toBeNull()
  expect(found.omissions).toEqual([{ roundBlock: 70, hotkey: honest, uid: 1 }])
})

/** A log that was begun anew and says from block 64 on what was lost; of the old one the chain has held two roots. */
const withLost = (size: number) => {
  const { chain, log } = scene()
  const old = forged(log.entries, (entry) => (entry.kind === 'terms' ? { ...entry, block: 2 as Block } : entry))
  const rootAt = (length: number) => toHex(rootOf(length, treeOf(old.texts)))
  const lost = { size, root: rootAt(size) }
  const served = forged(log.entries, (entry) =>
    entry.kind === 'terms' && entry.block >= 64 ? { ...entry, lost } : entry,
  )
  const anchor = (length: number, block: number) => ({ size: length, root: rootAt(length), url: served.url, block })
  chain.anchored.set(VALIDATOR.address, [anchor(10, 48), anchor(15, 62)])
  return { chain, served, anchor }
}

test('an audit forgives a log that was lost all roots up to what it says was lost', async () => {
  const { chain, served } = withLost(15)
  const found = await run(chain, served)
  expect([found.mismatch, found.anchors.map(({ size }) => size)]).toEqual([null, [15, 10]])
})

test('an audit forgives a log that was lost no longer root, and none of later than its word', async () => {
  const other = /goes on from the root that the validator has bound itself to/
  const shorter = withLost(12)
  expect((await run(shorter.chain, shorter.served)).mismatch?.what).toMatch(other)
  const later = withLost(15)
  later.chain.anchored.get(VALIDATOR.address)?.push(later.anchor(14, 90))
  expect((await run(later.chain, later.served)).mismatch?.what).toMatch(other)
})

test('an audit lists rounds that the log does not have', async () => {
  const { chain } = scene()
  const log = writeLog({ chain, spec, signer: VALIDATOR })
  log.begin(1)
  for (const at of [20, 50, 60, 80]) log.round({ at, outcome: (hotkey) => OUTCOMES[hotkey] ?? null })
  chain.rows.clear()
  log.row({ at: 84, includedAt: 85 })
  const at = async (epoch: number) => run(chain, serve(log.entries), epoch)
  expect((await at(3)).skipped).toEqual([70])
  expect((await at(1)).skipped).toEqual([30])
  const found = await at(4)
  expect([found.mismatch, found.skipped]).toEqual([null, []])
  const report = reportOf(await at(3), { netuid: NETUID, sample: null, compared: null })
  expect(auditReport.parse(report).unproven.join('\n')).toContain('why 1 rounds of the epoch are not there')
})

test("an audit finds a repeat whose round's own question is left out", async () => {
  const { chain, log } = scene()
  const asksAgain = { ...spec, repeats: { k: 1, most: 2 } }
  const edit = (entry: LogEntry): LogEntry => {
    if (entry.kind !== 'verdict' || entry.roundBlock !== 70 || entry.hotkey !== slow) return entry
    const { round, hotkey } = entry
    const seed = taskSeed({ blockHash: hashOf(70), netuid: NETUID, round, hotkey, repeat: 1 })
    return { ...entry, repeat: 1, seed, task: spec.pick({ seed }) }
  }
  const served = forged(log.entries, edit)
  const deps = { chain: chain.client, netuid: NETUID, spec: asksAgain, open: () => served }
  const of = { validator: VALIDATOR.address, epoch: 3, url: served.url }
  expect((await audit(deps, of, new AbortController().signal)).mismatch).toMatchObject({
    kind: 'verdict',
    what: "the verdict of the round's own question before a repeat's",
    expected: { uid: 3, repeat: 0 },
  })
})

test('an audit is refused for an epoch that has not ended', async () => {
  const { chain, log } = scene()
  await expect(run(chain, serve(log.entries), 5)).rejects.toMatchObject({ code: 'AUDIT_EPOCH' })
})

test('an audit refuses an entry that is none', async () => {
  const { chain, log } = scene()
  const texts = log.entries.map((entry) => encodeEntry(entry))
  const at = texts.length - 3
  const found = await run(chain, serve(texts.map((text, index) => (index === at ? text.replace('{', '{ ') : text))), 4)
  expect(found.mismatch).toMatchObject({ position: at, kind: 'tree', what: 'an entry of the log' })
})
