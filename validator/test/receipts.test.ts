import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drawnBy } from '../src/draw.ts'
import { type Exchange, exchangeId } from '../src/exchange.ts'
import { readReceipt } from '../src/receipt-schema.ts'
import { openReceipts, RECEIPT_FORMAT, type Receipt, receiptFile } from '../src/receipts.ts'
import { verifyEvidence } from '../src/verify-evidence.ts'
import { asker, exchangeWith } from './exchange.ts'

const receiptOf = (exchange: Exchange): Receipt => ({
  format: RECEIPT_FORMAT,
  id: exchangeId(exchange),
  exchange,
  drawn: drawnBy({ number: (exchange.after + 1) as Block, hash: `0x${'b1'.repeat(32)}` }, exchange),
  share: null,
  verdict: { reason: 'ok', value: 1, sigma: 0 },
  check: null,
  judgedBy: asker.address,
  judgedAt: 1_800_000_000_000 as UnixMs,
})
const one = (counter = 1): Receipt =>
  receiptOf(exchangeWith({ counter, request: { prompt: 'Why?' }, respond: () => ({ text: 'Because.' }) }))
/** An editor who computes the id anew. */
const edited = (change: Partial<Exchange>, of: Receipt = one()): Receipt => receiptOf({ ...of.exchange, ...change })

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-receipts-'))
})
afterEach(() => rmSync(data, { recursive: true }))

describe('receipts', () => {
  test('have so many bytes at most, and the oldest go first, also over a restart', () => {
    const ids = [1, 2, 3, 4].map((counter) => one(counter).id)
    const size = Buffer.byteLength(`${JSON.stringify(one(), null, 1)}\n`)
    const store = openReceipts({ data, most: 100, mostBytes: 2 * size + 100 })
    for (const counter of [1, 2, 3]) store.write(one(counter))
    expect(ids.map((id) => existsSync(receiptFile(data, id)))).toEqual([false, true, true, false])
    store.write(one(3)) // the same again takes no more room
    expect(existsSync(receiptFile(data, ids[1] ?? ''))).toBe(true)
    openReceipts({ data, most: 100, mostBytes: 2 * size + 100 }).write(one(4))
    expect(ids.map((id) => existsSync(receiptFile(data, id)))).toEqual([false, false, true, true])
  })

  test('are removed when nothing needs them any more, and make room', () => {
    const store = openReceipts({ data, most: 2 })
    for (const counter of [1, 2]) store.write(one(counter))
    store.forget([one(1).id, one(9).id, '../../ledger.sqlite'])
    store.write(one(3))
    expect([1, 2, 3].map((counter) => existsSync(receiptFile(data, one(counter).id)))).toEqual([false, true, true])
  })

  test('leave nothing behind when one cannot be written', () => {
    const store = openReceipts({ data, most: 10 })
    const file = receiptFile(data, one().id)
    mkdirSync(`${file}/in the way`, { recursive: true })
    expect(() => store.write(one())).toThrow(expect.objectContaining({ code: 'RECEIPTS_UNWRITABLE' }))
    expect(readdirSync(dirname(file))).toEqual([`${one().id}.json`])
    rmSync(file, { recursive: true })
    store.write(one())
    expect(readReceipt(readFileSync(file, 'utf8'))).toEqual(one())
  })

  test('are written whole under their id, and read back as they were', () => {
    const receipt = one()
    openReceipts({ data, most: 10 }).write(receipt)
    const file = receiptFile(data, receipt.id)
    expect(readReceipt(readFileSync(file, 'utf8'))).toEqual(receipt)
    expect(readdirSync(dirname(file))).toEqual([`${receipt.id}.json`])
  })

  test('make room for newer ones, over a restart, and throw away what a kill left unfinished', () => {
    const first = openReceipts({ data, most: 2 })
    const [a, b, c] = [one(1), one(2), one(3)]
    first.write(a)
    writeFileSync(`${receiptFile(data, a.id)}.part`, '{"half":')
    const again = openReceipts({ data, most: 2 })
    expect(existsSync(`${receiptFile(data, a.id)}.part`)).toBe(false)
    again.write(b)
    again.write(c)
    expect([a, b, c].map(({ id }) => existsSync(receiptFile(data, id)))).toEqual([false, true, true])
  })

  test('are refused a folder that is a file', () => {
    writeFileSync(join(data, 'receipts'), '')
    expect(() => openReceipts({ data, most: 2 })).toThrow(expect.objectContaining({ code: 'RECEIPTS_UNWRITABLE' }))
  })

  test('that are cut short, or have a part too few or too many, are refused by name', () => {
    const text = JSON.stringify(one())
    expect(() => readReceipt(text.slice(0, 400))).toThrow(
      expect.objectContaining({ code: 'RECEIPT_UNREADABLE', message: expect.stringContaining('cut short') }),
    )
    for (const [change, field] of [
      [{ drawn: undefined }, 'drawn'],
      [{ extra: 1 }, 'extra'],
      [{ id: 'abc' }, 'id'],
      [{ exchange: { ...one().exchange, hotkey: '5Fnobody' } }, 'exchange.hotkey'],
      [{ exchange: { ...one().exchange, binding: '0x00' } }, 'exchange.binding'],
    ] as const)
      expect(() => readReceipt(JSON.stringify({ ...one(), ...change }))).toThrow(
        expect.objectContaining({ code: 'RECEIPT_INVALID', message: expect.stringContaining(field) }),
      )
  })
})

describe('evidence', () => {
  test('holds for an answer as the dendrite keeps it', () => {
    expect(verifyEvidence(one()).map(({ what }) => what)).toEqual([
      'the content has the hash that is its id',
      `hotkey ${asker.address} certified the session that asked`,
      `hotkey ${one().exchange.hotkey} certified the session that answered`,
      'the miner signed that its answer is to this request',
      "question and response are those that the asker's session attested",
      'the binding follows from chain, subnet, miner and request',
      'block 41 drew all chunks, after the answer was signed',
    ])
  })

  const other = one(2)
  const { evidence } = one().exchange
  if (evidence.protocol !== 'arbor' || other.exchange.evidence.protocol !== 'arbor') throw new Error('not of Arbor')
  test.each<[string, () => Receipt, string]>([
    ['an id of something else', () => ({ ...one(), id: 'ab'.repeat(32) }), 'RECEIPT_EDITED'],
    ['another question', () => edited({ question: '{"prompt":"Who?"}' }), 'RECEIPT_EDITED'],
    ['another response', () => edited({ response: '{"text":"No."}' }), 'RECEIPT_EDITED'],
    ['another binding', () => edited({ binding: `0x${'00'.repeat(32)}` }), 'RECEIPT_EDITED'],
    ['another answer hash', () => edited({ answerHash: `0x${'00'.repeat(32)}` }), 'RECEIPT_EDITED'],
    ['another miner', () => edited({ hotkey: asker.address }), 'RECEIPT_FOREIGN'],
    ['another chain', () => edited({ genesisHash: `0x${'00'.repeat(32)}` }), 'RECEIPT_FOREIGN'],
    ['another registration', () => edited({ registeredAt: 6 as Block }), 'RECEIPT_EDITED'],
    ['another task', () => edited({ task: 'search' }), 'RECEIPT_EDITED'],
    ["another exchange's answer", () => withEvidence({ answer: answerIn(other) }), 'RECEIPT_EDITED'],
    ["another exchange's request", () => withEvidence({ request: requestIn(other) }), 'RECEIPT_EDITED'],
    [
      'a session that is certified to serve as the asker',
      () => withEvidence({ asker: evidence.miner }),
      'RECEIPT_EDITED',
    ],
    ['a certificate that is cut short', () => withEvidence({ miner: evidence.miner.slice(0, -8) }), 'RECEIPT_EDITED'],
    ['a draw of its own', () => drawnAs({ draw: `0x${'00'.repeat(32)}` }), 'RECEIPT_EDITED'],
    [
      'a block from before the answer',
      () => drawnAs({ block: { number: 40 as Block, hash: blockHash } }),
      'RECEIPT_EDITED',
    ],
    [
      'a later block',
      () => drawnAs({ block: { number: 42 as Block, hash: `0x${'b1'.repeat(32)}` } }),
      'RECEIPT_EDITED',
    ],
    ['a share without a draw', () => ({ ...one(), drawn: null, share: { draw: blockHash } }), 'RECEIPT_EDITED'],
  ])('is refused with %s', (_, make, code) => {
    expect(() => verifyEvidence(make())).toThrow(expect.objectContaining({ code }))
  })

  const blockHash = `0x${'b1'.repeat(32)}` as Hex
  const withEvidence = (change: object): Receipt => edited({ evidence: { ...evidence, ...change } })
  const answerIn = ({ exchange }: Receipt): string =>
    exchange.evidence.protocol === 'arbor' ? exchange.evidence.answer : ''
  const requestIn = ({ exchange }: Receipt): string =>
    exchange.evidence.protocol === 'arbor' ? exchange.evidence.request : ''
  const drawnAs = (change: object): Receipt => {
    const receipt = one()
    return { ...receipt, drawn: receipt.drawn === null ? null : { ...receipt.drawn, ...change } }
  }
})
