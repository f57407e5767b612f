import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import { fromHex, toHex } from '@arbor/shared/hex'
import { leafHash, verifyConsistency, verifyInclusion } from '@arbor/shared/merkle'
import { readHead, verifyHead } from '@arbor/shared/tree-head'
import type { Block, Blocks, Hex, UnixMs } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Exchange, exchangeId } from '../src/exchange.ts'
import { LEDGER } from '../src/ledger-schema.ts'
import type { LogEntry, VerdictEntry } from '../src/log/entry.ts'
import { openLog, type ReceiptLog } from '../src/log/log.ts'
import { readEntry } from '../src/log/read-entry.ts'
import { type Document, type Documents, documentsOf } from '../src/log/serve/documents.ts'
import { openReceipts, RECEIPT_FORMAT, receiptFile } from '../src/receipts.ts'
import { asker, exchangeWith } from './exchange.ts'
import { emptyState, entriesOfRound, logOwner, logTerms, rowEntry, signedHead, stateAt } from './logging.ts'

let data: string
let db: DatabaseSync
let log: ReceiptLog
let documents: Documents
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-documents-'))
  db = openStore({ kind: LEDGER, owner: null })
  log = openLog(db, logOwner)
  documents = documentsOf({ db, owner: logOwner, data, limits: { pageEntries: 10, pageBytes: 4_000, pageRounds: 5 } })
})
afterEach(() => {
  db.close()
  rmSync(data, { recursive: true })
})

const add = (...entries: readonly LogEntry[]): void => transaction(db, () => log.append(entries))
const sign = (block = 12): void => {
  const { size } = log.extent()
  log.heads.add(signedHead({ size, root: log.root(size), block: block as Block }))
}
/** Rounds, each with a state and a row after it. */
const fill = (from: number, to: number): void => {
  for (let round = from; round <= to; round += 1) {
    const block = round * 10
    add(
      ...entriesOfRound({ round, block }),
      { kind: 'state', block: (block + 2) as Block, ...stateAt(block) },
      rowEntry(round, block + 3),
    )
  }
}
interface Page {
  readonly from: number
  readonly size: number
  readonly entries: readonly (string | { readonly leaf: Hex })[]
  readonly next: number | null
}
const pageOf = ({ status, body }: Document): Page => {
  expect(status).toBe(200)
  return JSON.parse(body)
}
const bytesOf = (hashes: readonly Hex[]): Uint8Array[] => hashes.map((hash) => fromHex(hash, 32))

describe('documents of a log', () => {
  beforeEach(() => {
    log.begin({ terms: logTerms, state: () => emptyState })
    fill(1, 4)
  })

  test('tell nothing that no signed head covers', () => {
    const code = (document: Document): unknown => [document.status, JSON.parse(document.body).code]
    expect(code(documents.head(null))).toEqual([404, 'LOG_NO_HEAD'])
    expect(code(documents.entries({ from: 0, count: 10 }))).toEqual([404, 'LOG_NO_HEAD'])
    expect(code(documents.inclusion(0, 1))).toEqual([404, 'LOG_NO_HEAD'])
    sign()
    const { size } = log.extent()
    fill(5, 6)
    expect(pageOf(documents.entries({ from: size - 1, count: 10 }))).toMatchObject({ size, next: null })
    expect(pageOf(documents.entries({ from: size + 1, count: 10 })).entries).toEqual([])
    expect(code(documents.inclusion(0, size + 1))).toEqual([404, 'LOG_NO_HEAD'])
    expect(code(documents.consistency(1, size + 1))).toEqual([404, 'LOG_NO_HEAD'])
    expect(code(documents.head(size - 1))).toEqual([404, 'LOG_NO_HEAD'])
  })

  test('page through everything, within entries and bytes, and say what is there for ever', () => {
    sign()
    const { size } = log.extent()
    const texts: string[] = []
    let pages = 0
    for (let next: number | null = 0; next !== null; pages += 1) {
      const document = documents.entries({ from: next, count: 1_000 })
      const page = pageOf(document)
      expect([page.from, page.size]).toEqual([next, size])
      expect(page.entries.length).toBeLessThanOrEqual(10)
      expect(document.body.length).toBeLessThan(6_000) // quotes of the entries' JSON are escaped
      expect(document.lasts).toBe(page.next === null ? 'now' : 'fixed')
      texts.push(...page.entries.map(String))
      next = page.next
    }
    expect(pages).toBeGreaterThan(4)
    expect(texts).toHaveLength(size)
    for (const [index, text] of texts.entries()) {
      readEntry(text)
      const { leaf, proof } = JSON.parse(documents.inclusion(index, size).body)
      expect(leaf).toBe(toHex(leafHash(Buffer.from(text))))
      const of = { leaf: fromHex(leaf), index, size, proof: bytesOf(proof), root: fromHex(log.root(size)) }
      expect(verifyInclusion(of)).toBe(true)
    }
  })

  test('give one entry at least, however large it is', () => {
    add({ kind: 'state', block: 50 as Block, ...stateAt(50, 300) })
    sign()
    const { size } = log.extent()
    const page = pageOf(documents.entries({ from: size - 1, count: 10 }))
    expect(page).toMatchObject({ from: size - 1, next: null })
    expect(String(page.entries[0]).length).toBeGreaterThan(4_000)
  })

  test('begin at the terms of the newest state up to a block', () => {
    sign()
    const kindsFrom = (state: number): unknown[] =>
      pageOf(documents.entries({ from: { state }, count: 3 })).entries.map((text) => {
        const entry = readEntry(String(text))
        return [entry.kind, 'block' in entry ? entry.block : null]
      })
    expect(kindsFrom(31).slice(0, 2)).toEqual([
      ['terms', 22],
      ['state', 22],
    ])
    expect(kindsFrom(32).slice(0, 2)).toEqual([
      ['terms', 32],
      ['state', 32],
    ])
    expect(kindsFrom(0)[0]).toEqual(['terms', 5])
    expect(kindsFrom(9_999)[0]).toEqual(['terms', 42])
  })

  test('show heads that verify, each consistent with the ones before', () => {
    const sizes: number[] = []
    for (let round = 5; round < 9; round += 1) {
      sign(round * 10)
      sizes.push(log.extent().size)
      fill(round, round)
    }
    log.heads.setAnchored(sizes[1] ?? 0, 99 as Block)
    const { head, anchored, first } = JSON.parse(documents.head(null).body)
    expect([verifyHead(readHead(head)), head.size, first]).toEqual([true, sizes.at(-1), 0])
    expect(anchored).toEqual({ size: sizes[1], block: 99 })
    for (const from of [0, ...sizes])
      for (const to of sizes.filter((size) => size >= from)) {
        const proof = bytesOf(JSON.parse(documents.consistency(from, to).body).proof)
        const [fromRoot, toRoot] = [fromHex(log.root(from)), fromHex(log.root(to))]
        expect(verifyConsistency({ from, to, fromRoot, toRoot, proof })).toBe(true)
      }
  })

  test('give the leaf of what was pruned, and prove it as before', () => {
    fill(5, 20)
    sign()
    const { size } = log.extent()
    const before = JSON.parse(documents.inclusion(3, size).body)
    log.prune({ block: 210 as Block, keep: 40 as Blocks, most: 1_000_000 })
    const { first } = log.extent()
    expect(first).toBeGreaterThan(20)
    expect(JSON.parse(documents.head(null).body).first).toBe(first)
    const document = documents.entries({ from: first - 2, count: 4 })
    const { entries } = pageOf(document)
    expect(entries.map((entry) => typeof entry)).toEqual(['object', 'object', 'string', 'string'])
    expect(document.lasts).toBe('now')
    expect(JSON.parse(documents.inclusion(3, size).body)).toEqual(before)
    expect(pageOf(documents.entries({ from: { state: 0 }, count: 2 })).from).toBe(first)
  })
})

describe('bodies of a log', () => {
  const exchangeOf = (kind: Exchange['kind']): Exchange => ({
    ...exchangeWith({ counter: 1, request: { prompt: 'Why?' }, respond: () => ({ text: 'Because.' }) }),
    kind,
  })
  const keep = (exchange: Exchange): string => {
    const id = exchangeId(exchange)
    openReceipts({ data, most: 10 }).write({
      format: RECEIPT_FORMAT,
      id,
      exchange,
      drawn: null,
      share: null,
      verdict: { reason: 'ok', value: 1, sigma: 0 },
      check: null,
      judgedBy: asker.address,
      judgedAt: 1_800_000_000_000 as UnixMs,
    })
    return id
  }
  const verdictOn = (receipt: string): LogEntry => {
    const verdict = entriesOfRound({ round: 1, block: 10 }).find(({ kind }) => kind === 'verdict') as VerdictEntry
    return { ...verdict, receipt }
  }
  const statusOf = (id: string): number => documents.body(id).status

  test("are a round's own questions, once a signed head covers their verdict", () => {
    const id = keep(exchangeOf('planned'))
    expect(statusOf(id)).toBe(404)
    add(verdictOn(id))
    expect(statusOf(id)).toBe(404)
    sign()
    const document = documents.body(id)
    expect([document.status, document.lasts]).toEqual([200, 'fixed'])
    expect(exchangeId(JSON.parse(document.body).exchange)).toBe(id)
    expect(statusOf(id.toUpperCase())).toBe(404)
  })

  test("are never users' answers, whatever the log says of them", () => {
    const id = keep(exchangeOf('user'))
    const { hotkey, uid, registeredAt } = exchangeOf('user')
    add({ kind: 'audit', hotkey, uid, registeredAt, before: 10 as Block, reason: 'ok', value: 1, receipt: id })
    sign()
    expect(statusOf(id)).toBe(404)
    add(verdictOn(id)) // a mistake of ours, or an edit
    sign(13)
    expect(statusOf(id)).toBe(404)
  })

  test('are not those whose index names another entry', () => {
    const id = keep(exchangeOf('planned'))
    add(...entriesOfRound({ round: 1, block: 10 }))
    sign()
    db.prepare('INSERT INTO log_bodies (receipt, position) VALUES (?, 1)').run(Buffer.from(id, 'hex'))
    expect(statusOf(id)).toBe(404)
  })

  test.each([
    ['that are gone', () => null],
    ['that were cut short', (text: string) => text.slice(0, 100)],
    ['that were edited', (text: string) => text.replace('Because.', 'Therefore.')],
    ['that hold something else', () => '{}'],
  ])('are not files %s', (_, change) => {
    const exchange = exchangeOf('planned')
    const id = keep(exchange)
    add(verdictOn(id))
    sign()
    expect(statusOf(id)).toBe(200)
    const file = receiptFile(data, id)
    const text = change(documents.body(id).body)
    rmSync(file)
    if (text !== null) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    expect(statusOf(id)).toBe(404)
  })
})
