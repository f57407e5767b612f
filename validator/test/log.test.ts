import type { DatabaseSync } from 'node:sqlite'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import { fromHex, toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createTree, inclusionProof, verifyInclusion } from '@arbor/shared/merkle'
import type { Block, Blocks } from '@arbor/shared/units'
import { beforeEach, describe, expect, test } from 'vitest'
import { LEDGER } from '../src/ledger-schema.ts'
import { encodeEntry, leafOf } from '../src/log/encode.ts'
import type { LogEntry } from '../src/log/entry.ts'
import { openLog, type ReceiptLog } from '../src/log/log.ts'
import { nodesOf } from '../src/log/nodes.ts'
import { AT_ONCE } from '../src/log/prune.ts'
import { readEntry } from '../src/log/read-entry.ts'
import { emptyState, entriesOfRound, everyKind, logOwner, logTerms, rowEntry, signedHead, stateAt } from './logging.ts'

let db: DatabaseSync
let log: ReceiptLog
beforeEach(() => {
  db = openStore({ kind: LEDGER, owner: null })
  log = openLog(db, logOwner)
})

const add = (...entries: readonly LogEntry[]): void => transaction(db, () => log.append(entries))
const sign = (block = 12): void => {
  const { size } = log.extent()
  log.heads.add(signedHead({ size, root: log.root(size), block: block as Block }))
}
/** Rounds of three miners with a state every second one and a row after it. */
const fill = (rounds: number): void => {
  log.begin({ terms: logTerms, state: () => emptyState })
  for (let round = 1; round <= rounds; round += 1) {
    const block = round * 10
    const due = log.isStateDue({ block: block as Block, every: 20 as Blocks })
    add(
      ...entriesOfRound({ round, block }),
      ...(due ? [{ kind: 'state', block: (block + 2) as Block, ...stateAt(block) } as const] : []),
    )
    if (due) add(rowEntry(round, block + 3), { kind: 'move', attempt: round, state: 'computed', block: null })
  }
}
const kinds = (): string[] =>
  db
    .prepare('SELECT kind FROM log_entries ORDER BY position')
    .all()
    .map(({ kind }) => String(kind))
const codeOf = (body: () => unknown): unknown => {
  try {
    body()
    return null
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('log of receipts', () => {
  test("has the tree of its entries' canonical bytes, however they were appended", () => {
    const entries = [...everyKind(), ...everyKind(), ...everyKind()]
    const tree = createTree()
    for (const [index, entry] of entries.entries()) {
      tree.add(leafOf(encodeEntry(entry)))
      add(...(index % 3 === 0 ? entries.slice(index, index + 3) : []))
    }
    const said = kinds().length - entries.length
    expect(said).toBe(0) // each state follows terms already
    expect(log.root(entries.length)).toBe(toHex(tree.root()))
    expect(log.check({ read: true })).toEqual({ entries: entries.length, bodies: entries.length, signed: null })
  })

  test('keeps nothing of what a transaction that failed appended', () => {
    fill(2)
    const before = log.root(log.extent().size)
    expect(() =>
      transaction(db, () => {
        log.append(everyKind())
        throw new Error('disk full')
      }),
    ).toThrow('disk full')
    expect(log.root(log.extent().size)).toBe(before)
    add(...entriesOfRound({ round: 3, block: 30 }))
    expect(log.check().entries).toBe(log.extent().size)
  })

  test('says the terms again before a state, and writes both again only when the terms changed', () => {
    fill(4)
    const { size } = log.extent()
    for (const [index, kind] of kinds().entries()) if (kind === 'state') expect(kinds()[index - 1]).toBe('terms')
    expect(kinds().filter((kind) => kind === 'state').length).toBe(4)
    log.begin({ terms: { ...logTerms, block: 99 as Block }, state: () => emptyState })
    expect(log.extent().size).toBe(size)
    log.begin({ terms: { ...logTerms, spec: { ...logTerms.spec, version: 2 } }, state: () => stateAt(40) })
    expect(kinds().slice(size)).toEqual(['terms', 'state'])
  })

  test('goes by the order of its entries where the chain began again from an older block', () => {
    log.begin({ terms: { ...logTerms, block: 100 as Block }, state: () => stateAt(95) })
    const older = { ...logTerms, spec: { ...logTerms.spec, version: 2 }, block: 50 as Block }
    log.begin({ terms: older, state: () => stateAt(45) })
    const { size } = log.extent()
    log.begin({ terms: older, state: () => stateAt(45) })
    expect([size, log.extent().size]).toEqual([4, 4])
    expect(log.isStateDue({ block: 55 as Block, every: 20 as Blocks })).toBe(false)
    expect(log.isStateDue({ block: 60 as Block, every: 20 as Blocks })).toBe(true)
  })

  test('refuses a second head of a size with another root, and one behind the newest', () => {
    fill(2)
    sign()
    const { size } = log.extent()
    const again = signedHead({ size, root: log.root(size), block: 13 as Block })
    log.heads.add(again)
    expect(log.heads.newest()?.block).toBe(12)
    expect(codeOf(() => log.heads.add({ ...again, root: log.root(size - 1) }))).toBe('LOG_EQUIVOCATION')
    expect(
      codeOf(() => log.heads.add(signedHead({ size: size - 1, root: log.root(size - 1), block: 13 as Block }))),
    ).toBe('LOG_EQUIVOCATION')
  })
})

describe('entries', () => {
  test.each(everyKind().map((entry) => [entry.kind, entry] as const))('%s is read as it was written', (_, entry) => {
    expect(readEntry(encodeEntry(entry))).toEqual(entry)
  })

  test.each(
    everyKind().map((entry) => [entry.kind, entry] as const),
  )('%s is refused with a part too few, too many, of another kind or spelt otherwise', (_, entry) => {
    const no = (text: string): void => expect(codeOf(() => readEntry(text))).toBe('LOG_ENTRY_INVALID')
    for (const key of Object.keys(entry)) {
      no(encodeEntry({ ...entry, [key]: undefined } as unknown as LogEntry))
      no(encodeEntry({ ...entry, [key]: { other: true } } as unknown as LogEntry))
    }
    no(encodeEntry({ ...entry, more: 1 } as unknown as LogEntry))
    no(` ${encodeEntry(entry)}`)
    no(JSON.stringify(entry, null, 1))
    no(encodeEntry(entry).replace('"kind":', '"kind":"x","kind":'))
    no(encodeEntry(entry).slice(0, -1))
  })

  test.each([
    ['no JSON', 'NaN'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown kind', '{"kind":"gift"}'],
    ['a prototype', '{"__proto__":{"kind":"move"}}'],
    [
      'a number beyond doubles',
      encodeEntry({ kind: 'move', attempt: 1, state: 'lost', block: null }).replace('1', '1e999'),
    ],
    ['a number spelt otherwise', '{"attempt":1.0,"block":null,"kind":"move","state":"lost"}'],
    ['deep nesting', '['.repeat(100_000)],
    ['too much', `{"kind":"${'x'.repeat(5_000_000)}"}`],
  ])('%s is no entry', (_, text) => {
    expect(codeOf(() => readEntry(text))).toBe('LOG_ENTRY_INVALID')
  })
})

describe('check of a log', () => {
  const run = (sql: string, ...values: readonly (string | number | null | Uint8Array)[]): void =>
    void db.prepare(sql).run(...values)
  const refused = (): unknown => {
    const before = db.prepare('SELECT total_changes() AS n').get()?.n
    const code = codeOf(() => log.check())
    expect(db.prepare('SELECT total_changes() AS n').get()?.n).toBe(before)
    return code
  }
  beforeEach(() => {
    fill(6)
    sign()
    add(...entriesOfRound({ round: 7, block: 70 }))
  })

  test('is content with what was written', () => {
    const { size } = log.extent()
    expect(log.check({ read: true })).toEqual({ entries: size, bodies: size, signed: size - 8 })
  })

  test.each([
    ['a body', 9, false],
    ['the last body', -1, false],
    ['a body with its leaf', 9, true],
    ['a body with its leaf and all that follows from it', 9, 'all'],
  ] as const)('finds %s edited', (_, at, deep) => {
    const { size } = log.extent()
    const position = at < 0 ? size + at : at
    const body = String(db.prepare('SELECT body FROM log_entries WHERE position = ?').get(position)?.body)
    const other = body.replace(/\d(?=[^\d]*$)/, (digit) => String((Number(digit) + 1) % 10))
    expect(other).not.toBe(body)
    run('UPDATE log_entries SET body = ? WHERE position = ?', other, position)
    if (deep !== false) run('UPDATE log_entries SET leaf = ? WHERE position = ?', leafOf(other), position)
    if (deep === 'all') rebuild()
    expect(refused()).toBe('LOG_EDITED')
  })

  /** Computes all nodes anew, as an editor who knows the format does. */
  const rebuild = (): void => {
    const leaves = db.prepare('SELECT leaf FROM log_entries ORDER BY position').all()
    run('DELETE FROM log_nodes')
    const tree = createTree()
    for (const { leaf } of leaves)
      tree.add(leaf as Uint8Array, (level, position, hash) =>
        run('INSERT INTO log_nodes (level, position, hash) VALUES (?, ?, ?)', level, position, hash),
      )
  }

  test.each([
    ['an entry from its middle', 'DELETE FROM log_entries WHERE position = 11'],
    ['its first entry', 'DELETE FROM log_entries WHERE position = 0'],
    ['its last entry', 'DELETE FROM log_entries WHERE position = (SELECT max(position) FROM log_entries)'],
    ['a body from its middle', 'UPDATE log_entries SET body = NULL WHERE position = 11'],
    ['a node', 'DELETE FROM log_nodes WHERE level = 2 AND position = 1'],
    ['the top node', 'DELETE FROM log_nodes WHERE level = (SELECT max(level) FROM log_nodes)'],
  ])('finds %s gone', (_, sql) => {
    run(sql)
    expect(refused()).toBe('LOG_EDITED')
  })

  test.each([
    ['a node', 'UPDATE log_nodes SET hash = zeroblob(32) WHERE level = 1 AND position = 3'],
    ['a node too many', 'INSERT INTO log_nodes (level, position, hash) VALUES (1, 100000, zeroblob(32))'],
    ['a root', 'UPDATE log_heads SET root = zeroblob(32)'],
    ['a signature', 'UPDATE log_heads SET signature = zeroblob(64)'],
    ["the head's block", 'UPDATE log_heads SET block = block + 1'],
  ])('finds %s', (_, sql) => {
    run(sql)
    expect(refused()).toBe('LOG_EDITED')
  })

  test('finds the end gone, from below the newest head', () => {
    const { size } = log.extent()
    run('DELETE FROM log_entries WHERE position >= ?', size - 20)
    rebuild()
    expect(refused()).toBe('LOG_TRUNCATED')
  })

  test('refuses a log of another validator, subnet or chain', () => {
    const eve = keypairFromUri('//Eve').address
    for (const other of [
      { hotkey: eve },
      { netuid: 7 as typeof logOwner.netuid },
      { genesisHash: `0x${'00'.repeat(32)}` as const },
    ])
      expect(codeOf(() => openLog(db, { ...logOwner, ...other }).check())).toBe('LOG_OTHER')
  })
})

describe('pruning', () => {
  const rule = (block: number, keep: number, most = 1_000_000) => ({
    block: block as Block,
    keep: keep as Blocks,
    most,
  })
  const firstKinds = (): string[] => kinds().slice(log.extent().first, log.extent().first + 2)
  const settle = (): void => void db.prepare("UPDATE attempts SET state = 'confirmed'").run()
  const attempt = (id: number, state: string): void =>
    void db
      .prepare(
        "INSERT INTO attempts (id, mechanism, method, row, version, registrations, state, computed_at, at) VALUES (?, 0, 'open', '[]', '1', '[]', ?, 1, 1)",
      )
      .run(id, state)
  beforeEach(() => fill(20))

  test('keeps from terms and a state on, and proves what it forgot as before', () => {
    sign()
    const { size } = log.extent()
    const root = log.root(size)
    const head = log.heads.newest()
    log.heads.setAnchored(size, 210 as Block)
    const pruned = log.prune(rule(202, 100))
    const { first } = log.extent()
    expect([pruned.entries, first]).toEqual([first, expect.any(Number)])
    expect(first).toBeGreaterThan(50)
    expect(firstKinds()).toEqual(['terms', 'state'])
    expect(pruned.receipts.length).toBeGreaterThan(10)
    expect(log.root(size)).toBe(root)
    expect(log.check()).toEqual({ entries: size, bodies: size - first, signed: size })
    for (const index of [0, 1, first - 1, first, size - 1]) {
      const proof = inclusionProof({ index, size, nodeAt: nodesOf(db) })
      expect(verifyInclusion({ leaf: nodesOf(db)(0, index), index, size, proof, root: fromHex(root) })).toBe(true)
    }
    expect(log.heads.newest()).toEqual(head)
    expect(log.prune(rule(202, 100))).toEqual({ entries: 0, receipts: [], isDone: true })
    add(...entriesOfRound({ round: 21, block: 210 }))
    expect(log.check().entries).toBe(size + 8)
  })

  test('forgets much in parts, each of them whole', () => {
    for (let round = 21; round <= 30; round += 1) add(...entriesOfRound({ round, block: round * 10, miners: 600 }))
    add({ kind: 'state', block: 302 as Block, ...stateAt(300) }, rowEntry(31, 303))
    const { size } = log.extent()
    const root = log.root(size)
    const parts = Array.from({ length: 4 }, () => log.prune(rule(10_000, 10)))
    expect(parts.map(({ isDone }) => isDone)).toEqual([false, false, true, true])
    expect(parts.map(({ entries }) => entries)).toEqual([AT_ONCE, AT_ONCE, expect.any(Number), 0])
    expect(firstKinds()).toEqual(['terms', 'state'])
    expect(log.root(size)).toBe(root)
    expect(db.prepare('SELECT count(*) AS n FROM log_bodies').get()?.n).toBe(0)
  })

  test('never forgets what the row of an unsettled attempt follows from', () => {
    attempt(6, 'committed')
    log.prune(rule(10_000, 10))
    const { first } = log.extent()
    const rows = db.prepare("SELECT position, body FROM log_entries WHERE kind = 'row' AND body IS NOT NULL").all()
    expect(rows.map(({ body }) => JSON.parse(String(body)).attempt)).toContain(6)
    expect(firstKinds()).toEqual(['terms', 'state'])
    settle()
    log.prune(rule(10_000, 10))
    expect(log.extent().first).toBeGreaterThan(first)
  })

  test('never forgets what the newest row below the newest anchored head follows from', () => {
    const position = Number(db.prepare("SELECT min(position) AS p FROM log_entries WHERE kind = 'row'").get()?.p)
    log.heads.add(signedHead({ size: position + 1, root: log.root(position + 1), block: 30 as Block }))
    log.heads.setAnchored(position + 1, 31 as Block)
    log.prune(rule(10_000, 10))
    expect(log.extent().first).toBeLessThan(position)
    expect(db.prepare('SELECT body FROM log_entries WHERE position = ?').get(position)?.body).not.toBeNull()
  })

  test('keeps no more entries than it may, whatever their age', () => {
    log.prune(rule(202, 100_000, 40))
    const { size, first } = log.extent()
    expect(size - first).toBeGreaterThanOrEqual(40)
    expect(size - first).toBeLessThan(40 + 20)
    expect(firstKinds()).toEqual(['terms', 'state'])
  })
})
