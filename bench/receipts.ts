/**
 * Measures the validator's log of receipts: what an entry costs, how many bytes a verdict takes, and what it takes to check, prove, page and prune a log.
 *   node bench/receipts.ts [--entries 1000000] [--repeats 3]
 * CPU times are this process's. The log lies in a file, and each round of 256 miners is one transaction that is flushed.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { openStore } from '../chain/src/store/open.ts'
import { transaction } from '../chain/src/store/transaction.ts'
import { findModel } from '../engine/src/find-model.ts'
import { engineOf, openModel } from '../engine/src/open.ts'
import { fromHex } from '../shared/src/hex.ts'
import { inclusionProof, verifyInclusion } from '../shared/src/merkle.ts'
import type { Block, Blocks, Hex, UnixMs } from '../shared/src/units.ts'
import spec from '../subnet-spec/inference/tiny.ts'
import { exchangeId } from '../validator/src/exchange.ts'
import { LEDGER } from '../validator/src/ledger-schema.ts'
import { openLog } from '../validator/src/log/log.ts'
import { nodesOf } from '../validator/src/log/nodes.ts'
import { documentsOf } from '../validator/src/log/serve/documents.ts'
import { SERVE_LIMITS } from '../validator/src/log/serve/limits.ts'
import { openReceipts, RECEIPT_FORMAT, type Receipt, receiptFile } from '../validator/src/receipts.ts'
import { asker, exchangeWith } from '../validator/test/exchange.ts'
import {
  emptyState,
  entriesOfRound,
  logOwner,
  logTerms,
  rowEntry,
  signedHead,
  stateAt,
} from '../validator/test/logging.ts'
import type { Result } from './report.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, repeats: { type: 'string', default: '3' } },
})
const MINERS = 256
/** Rounds of the small log that is measured repeatedly: three days of Bittensor's. */
const ROUNDS = 120
const folder = mkdtempSync(join(tmpdir(), 'bench-receipts-'))
const rows: Result['rows'][number][] = []
const add = (what: string, unit: string, ...runs: readonly number[]): void =>
  void rows.push({ what, unit, runs: { Arbor: runs.map((value) => Number(value.toPrecision(4))) } })

/** CPU milliseconds of some work, kernel's included. */
const cpuMs = (body: () => void): number => {
  const before = process.cpuUsage()
  body()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const open = (name: string) => {
  const db = openStore({ file: join(folder, `${name}.sqlite`), kind: LEDGER, owner: null })
  const log = openLog(db, logOwner)
  log.begin({ terms: logTerms, state: () => emptyState })
  return { db, log, file: join(folder, `${name}.sqlite`) }
}
type Opened = ReturnType<typeof open>

/** Appends rounds, a state and a row every second one. @returns CPU ms and milliseconds of appending, entries, verdicts */
const fill = ({ db, log }: Opened, of: { readonly rounds?: number; readonly entries?: number }) => {
  let [cpu, wall, entries, round] = [0, 0, 0, 0]
  while (round < (of.rounds ?? Number.POSITIVE_INFINITY) && entries < (of.entries ?? Number.POSITIVE_INFINITY)) {
    round += 1
    const block = round * 180
    const state = { kind: 'state', block: (block + 9) as Block, ...stateAt(block, MINERS) } as const
    const told = [...entriesOfRound({ round, block, miners: MINERS }), ...(round % 2 === 0 ? [state] : [])]
    const at = performance.now()
    cpu += cpuMs(() => transaction(db, () => log.append(told)))
    wall += performance.now() - at
    if (round % 2 === 0) transaction(db, () => log.append([rowEntry(round, block + 10)]))
    entries += told.length
  }
  return { cpu, wall, entries, verdicts: round * MINERS }
}
const sign = ({ log }: Opened): number => {
  const { size } = log.extent()
  log.heads.add(signedHead({ size, root: log.root(size), block: 1 as Block }))
  return size
}
const bytesOf = ({ db, file }: Opened): number => {
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return statSync(file).size
}

/** The log alone, some times over. */
function measureAppending(): void {
  const found = Array.from({ length: Number(values.repeats) }, (_, index) => {
    const opened = open(`append-${index}`)
    const empty = bytesOf(opened)
    const { cpu, wall, entries, verdicts } = fill(opened, { rounds: ROUNDS })
    const bytes = (bytesOf(opened) - empty) / verdicts
    const size = sign(opened)
    const served = documentsOf({ db: opened.db, owner: logOwner, data: folder, limits: SERVE_LIMITS })
    let [pages, text] = [0, 0]
    const paging = cpuMs(() => {
      for (let next: number | null = 0; next !== null; pages += 1) {
        const { body } = served.entries({ from: next, count: 1_000 })
        text += body.length
        next = (JSON.parse(body) as { next: number | null }).next
      }
    })
    const check = cpuMs(() => void opened.log.check({ recent: true }))
    const pruned = cpuMs(() => {
      while (!opened.log.prune({ block: (ROUNDS * 180) as Block, keep: 3_600 as Blocks, most: 1_000_000 }).isDone);
    })
    const { first } = opened.log.extent()
    opened.db.close()
    return {
      perCpuSecond: (entries / cpu) * 1_000,
      perSecond: (entries / wall) * 1_000,
      roundMs: cpu / ROUNDS,
      bytes,
      served: text / verdicts,
      pageMs: paging / pages,
      check: (check / Math.min(size, 50_000)) * 50_000,
      prune: (pruned / first) * 100_000,
    }
  })
  const each = (pick: (run: (typeof found)[number]) => number): number[] => found.map(pick)
  add('entries appended', 'per CPU second', ...each(({ perCpuSecond }) => perCpuSecond))
  add('entries appended, flushed once a round', 'per second', ...each(({ perSecond }) => perSecond))
  add('a round of 256 miners: 513 entries', 'CPU ms', ...each(({ roundMs }) => roundMs))
  add(
    'a verdict in the ledger, with its score, nodes, and its part of states and rows',
    'bytes',
    ...each(({ bytes }) => bytes),
  )
  add('a verdict as it is served, with the same', 'bytes', ...each(({ served }) => served))
  add('one page of 256 KiB', 'CPU ms', ...each(({ pageMs }) => pageMs))
  add('check at start: the newest 50 000 entries', 'CPU ms', ...each(({ check }) => check))
  add('forgetting 100 000 entries', 'CPU ms', ...each(({ prune }) => prune))
}

/** A long log, once. */
function measureLong(): void {
  const opened = open('long')
  fill(opened, { entries: Number(values.entries) })
  const size = sign(opened)
  const root = fromHex(opened.log.root(size))
  const nodeAt = nodesOf(opened.db)
  const PROOFS = 2_000
  const indices = Array.from({ length: PROOFS }, (_, index) => (index * 7_919) % size)
  const proofs: (readonly Uint8Array[])[] = []
  const made = cpuMs(() => {
    for (const index of indices) proofs.push(inclusionProof({ index, size, nodeAt }))
  })
  const verified = cpuMs(() => {
    for (const [at, index] of indices.entries())
      if (!verifyInclusion({ leaf: nodeAt(0, index), index, size, proof: proofs[at] ?? [], root }))
        throw new Error(`the proof of entry ${index} does not verify`)
  })
  const label = `${size.toString().replace(/\B(?=(\d{3})+$)/g, ' ')} entries`
  add(`inclusion proof among ${label}`, 'CPU µs', (made / PROOFS) * 1_000)
  add(`checking it, with a read of the leaf`, 'CPU µs', (verified / PROOFS) * 1_000)
  opened.db.close()
  const db = new DatabaseSync(opened.file, { readOnly: true })
  const log = openLog(db, logOwner)
  add(
    `checking all of ${label}, before a head is signed`,
    'CPU ms',
    cpuMs(() => void log.check()),
  )
  add(
    `the same, reading each entry`,
    'CPU ms',
    cpuMs(() => void log.check({ read: true })),
  )
  db.close()
}

/** Bodies of answers that a model gave. */
async function measureBodies(): Promise<void> {
  const { model } = spec
  const opened = await openModel({ folder: findModel({ model: model.name, cwd: process.cwd() }) })
  const engine = await engineOf(opened)
  const task = spec.tasks.chat
  if (task === undefined) throw new Error('the spec has no chat')
  const receipts: Receipt[] = []
  const { signal } = new AbortController()
  for (let counter = 1; counter <= 64; counter += 1) {
    const request = task.plan({ seed: `0x${counter.toString(16).padStart(64, '0')}` as Hex })
    const binding = `0x${'11'.repeat(32)}` as Hex
    const response = await task.solve({ request, binding, engine, signal })
    const exchange = exchangeWith({ counter, request, respond: () => response })
    receipts.push({
      format: RECEIPT_FORMAT,
      id: exchangeId(exchange),
      exchange,
      drawn: null,
      share: null,
      verdict: { reason: 'ok', value: 1, sigma: 0 },
      check: null,
      judgedBy: asker.address,
      judgedAt: 1_800_000_000_000 as UnixMs,
    })
  }
  await engine.close()
  const runs = Array.from({ length: Number(values.repeats) }, (_, index) => {
    const data = join(folder, `bodies-${index}`)
    const store = openReceipts({ data, most: 10_000 })
    const cpu = cpuMs(() => {
      for (const receipt of receipts) store.write(receipt)
    })
    const bytes = receipts.reduce((sum, { id }) => sum + statSync(receiptFile(data, id)).size, 0)
    return { bytes: bytes / receipts.length, perSecond: (receipts.length / cpu) * 1_000 }
  })
  add('a body of arbor-tiny: question, answer, envelopes, proof', 'bytes', ...runs.map(({ bytes }) => bytes))
  add('bodies written as files', 'per CPU second', ...runs.map(({ perSecond }) => perSecond))
}

try {
  measureAppending()
  await measureBodies()
  measureLong()
  writeResult('receipts', rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
