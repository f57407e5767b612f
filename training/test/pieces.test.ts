import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobName, PIECE_BYTES, pieceAt, piecesOf, pieceTree, provenList } from '@arbor/shared/blob'
import { toHex } from '@arbor/shared/hex'
import { createManualClock, type ManualClock } from '@arbor/shared/manual-clock'
import { leafHash } from '@arbor/shared/merkle'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchPiece, forgetPartials, openPartial } from '../src/pieces.ts'
import { axonSource } from '../src/sources/axon.ts'
import type { AskPiece, PieceAnswer } from '../src/types.ts'
import { until } from './support.ts'

let folder: string
let clock: ManualClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-pieces-'))
  clock = createManualClock()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const never = new AbortController().signal
const BYTES = 5 * PIECE_BYTES + 1_234
const file = Uint8Array.from({ length: BYTES }, (_, index) => (index * 31 + (index >> 16)) & 255)
const name = blobName(file)
const tree = pieceTree(file)
const answerOf = (index: number): PieceAnswer => ({
  bytes: Buffer.from(pieceAt(file, index)).toString('base64'),
  proof: tree.proof(index).map(toHex),
})
const wanted = { name, bytes: BYTES, signal: never }
const pace = { windowMs: 5_000, minBytesPerSecond: 16_384 }

/** A miner that answers, and what it was asked for. */
const miner = (
  edit: (index: number, answer: PieceAnswer) => PieceAnswer | Promise<PieceAnswer> = (_, answer) => answer,
) => {
  const asked: number[] = []
  const ask: AskPiece = async ({ index }) => {
    asked.push(index)
    return edit(index, answerOf(index))
  }
  return { asked, source: axonSource({ ask, tag: 'miner', clock, partials: folder, pace }) }
}
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: { code?: unknown }) => error.code,
  )

describe('a piece', () => {
  test('is taken with the proof that it stands where it was asked for', async () => {
    const ask: AskPiece = async ({ index }) => answerOf(index)
    const piece = await fetchPiece({ ask, name, index: 5, size: 6, length: 1_234, signal: never })
    expect(piece).toEqual(Buffer.from(pieceAt(file, 5)))
  })

  test('may be a leaf of any list', async () => {
    const rows = [1, 2, 3].map((byte) => new Uint8Array(136).fill(byte))
    const list = provenList(rows.map(leafHash))
    const ask: AskPiece = async ({ index }) => ({
      bytes: Buffer.from(rows[index] ?? []).toString('base64'),
      proof: list.proof(index).map(toHex),
    })
    const row = await fetchPiece({ ask, name: list.root, index: 1, size: 3, length: 136, signal: never })
    expect(row).toEqual(Buffer.from(rows[1] ?? []))
  })

  test.each<[string, (answer: PieceAnswer) => PieceAnswer]>([
    ['another piece', () => answerOf(2)],
    [
      'a byte too few',
      (answer) => ({ ...answer, bytes: Buffer.from(answer.bytes, 'base64').subarray(1).toString('base64') }),
    ],
    ['no proof', (answer) => ({ ...answer, proof: [] })],
    ['a proof of what is no hash', (answer) => ({ ...answer, proof: answer.proof.map(() => 'x') })],
    ['an endless proof', (answer) => ({ ...answer, proof: Array.from({ length: 100_000 }, () => name) })],
    ['nothing', () => ({ bytes: '', proof: [] })],
    ['what is no base64', (answer) => ({ ...answer, bytes: '~~~' })],
  ])('is refused when it comes as %s', async (_, edit) => {
    const ask: AskPiece = async ({ index }) => edit(answerOf(index))
    expect(await codeOf(fetchPiece({ ask, name, index: 1, size: 6, length: PIECE_BYTES, signal: never }))).toBe(
      'BLOB_MISMATCH',
    )
  })
})

describe('pieces from an axon', () => {
  test('make the file, and nothing of it is left over', async () => {
    const { asked, source } = miner()
    expect(await source.fetch(wanted)).toEqual(Buffer.from(file))
    expect(asked.toSorted()).toEqual([0, 1, 2, 3, 4, 5])
    expect(readdirSync(folder)).toEqual([])
  })

  test('are asked for once when two want the same file', async () => {
    const { asked, source } = miner()
    const [one, other] = await Promise.all([source.fetch(wanted), source.fetch(wanted)])
    expect([one.length, other === one, asked.length]).toEqual([BYTES, true, 6])
  })

  test('are asked for only as far as they are missing, in another process too', async () => {
    const failing = miner((index, answer) => {
      if (index >= 4) throw Object.assign(new Error('killed'), { code: 'KILLED' })
      return answer
    })
    expect(await codeOf(failing.source.fetch(wanted))).toBe('KILLED')
    const again = miner()
    expect(await again.source.fetch(wanted)).toEqual(Buffer.from(file))
    expect(again.asked.toSorted()).toEqual([4, 5])
  })

  test('that are others end the transfer, and those before it stay', async () => {
    const lying = miner((index, answer) => (index === 3 ? answerOf(2) : answer))
    expect(await codeOf(lying.source.fetch(wanted))).toBe('BLOB_MISMATCH')
    const again = miner()
    await again.source.fetch(wanted)
    expect(again.asked.length).toBeLessThan(6)
  })

  test('that a disk lost are found by the name, and all is fetched again', async () => {
    {
      using part = openPartial({ folder, name, bytes: BYTES, tag: 'miner' })
      for (let index = 0; index < piecesOf(BYTES); index += 1) part.put(index, pieceAt(file, index))
    }
    const [map = '', data = ''] = readdirSync(folder).sort()
    expect([map.endsWith('.map'), data.endsWith('.part')]).toEqual([true, true])
    truncateSync(join(folder, data), 3 * PIECE_BYTES)
    const { asked, source } = miner()
    expect(await codeOf(source.fetch(wanted))).toBe('BLOB_MISMATCH')
    expect(asked).toEqual([])
    expect(await source.fetch(wanted)).toEqual(Buffer.from(file))
    expect(asked.length).toBe(6)
  })

  test('whose bitmap was lost are fetched again', async () => {
    const failing = miner((index, answer) => (index === 5 ? Promise.reject(new Error('gone')) : answer))
    await codeOf(failing.source.fetch(wanted))
    writeFileSync(join(folder, readdirSync(folder).sort()[0] ?? ''), '')
    const { asked, source } = miner()
    expect(await source.fetch(wanted)).toEqual(Buffer.from(file))
    expect(asked.length).toBe(6)
  })

  test('that drip are given up after one stretch, and what came is kept', async () => {
    const dripping = miner((index, answer) =>
      index === 0 ? answer : clock.sleep(60_000 as never, never).then(() => answer),
    )
    const fetching = codeOf(dripping.source.fetch(wanted))
    await until(() => dripping.asked.length === 5, 'all lanes wait')
    await clock.advance(5_000)
    expect(await fetching).toBe('BLOB_UNAVAILABLE')
    const again = miner()
    await again.source.fetch(wanted)
    expect(again.asked.toSorted()).toEqual([1, 2, 3, 4, 5])
  })

  test('are waited for no longer than whoever wants them says, whether the miner heeds it or not', async () => {
    const stop = new AbortController()
    const { asked, source } = miner(() => new Promise(() => undefined))
    const fetching = source.fetch({ ...wanted, signal: stop.signal }).catch((error: unknown) => error)
    await until(() => asked.length === 4, 'it asks')
    const reason = new Error('too late')
    stop.abort(reason)
    expect(await fetching).toBe(reason)
  })

  test('of an empty file are none', async () => {
    const { asked, source } = miner()
    const empty = await source.fetch({ name: blobName(new Uint8Array()), bytes: 0, signal: never })
    expect([empty.length, asked.length]).toEqual([0, 0])
  })

  test('that nobody wants any more are removed', async () => {
    const failing = miner(() => Promise.reject(new Error('gone')))
    await codeOf(failing.source.fetch(wanted))
    forgetPartials({ folder, keep: new Set([name]) })
    expect(readdirSync(folder).length).toBe(2)
    forgetPartials({ folder, keep: new Set() })
    expect(readdirSync(folder)).toEqual([])
  })
})
