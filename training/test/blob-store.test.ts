import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blobName } from '@arbor/shared/blob'
import type { Hex } from '@arbor/shared/units'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openBlobStore } from '../src/blob-store.ts'
import { openProgress } from '../src/progress.ts'
import { hex32 } from './support.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-blobs-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte)

describe('blob store', () => {
  test('gives back what was written, by the name that its content has', () => {
    const store = openBlobStore({ folder })
    for (const length of [0, 1, 65_536, 65_537]) {
      const name = store.write(file(length))
      expect(name).toBe(blobName(file(length)))
      expect([store.has(name), store.read(name)?.length]).toEqual([true, length])
      expect(openBlobStore({ folder }).read(name)).toEqual(Buffer.from(file(length)))
    }
    expect([store.has(hex32('none')), store.read(hex32('none'))]).toEqual([false, null])
  })

  test('throws away what does not fit its name, and takes it again', () => {
    const store = openBlobStore({ folder })
    const name = store.write(file(100_000))
    truncateSync(store.fileOf(name), 70_000)
    expect(store.read(name)).toBeNull()
    expect(store.has(name)).toBe(false)
    writeFileSync(store.fileOf(name), file(100_000, 8))
    expect(store.write(file(100_000))).toBe(name)
    expect(store.read(name)).toEqual(Buffer.from(file(100_000)))
  })

  test('removes what an earlier process left unfinished, and nothing else', () => {
    const name = openBlobStore({ folder }).write(file(10))
    writeFileSync(join(folder, `${'ab'.repeat(32)}.new`), 'half')
    const store = openBlobStore({ folder })
    expect(readdirSync(folder)).toEqual([name.slice(2)])
    expect(store.has(name)).toBe(true)
  })

  test('forgets the oldest first, and never what is named', () => {
    const store = openBlobStore({ folder })
    const names = [1, 2, 3, 4].map((byte) => store.write(file(100, byte)))
    for (const [age, name] of names.entries()) utimesSync(store.fileOf(name), 1_000 + age, 1_000 + age)
    const kept = (): number[] => names.flatMap((name, index) => (store.has(name) ? [index] : []))
    store.prune({ keep: new Set(), mostBytes: 400 })
    expect(kept()).toEqual([0, 1, 2, 3])
    store.prune({ keep: new Set([names[0]?.toUpperCase().replace('0X', '0x') as Hex]), mostBytes: 250 })
    expect(kept()).toEqual([0, 3])
    store.prune({ keep: new Set([names[0] as Hex]), mostBytes: 0 })
    expect(kept()).toEqual([0])
  })

  test.each([
    '0x12',
    '../../etc/passwd',
    `0x${'zz'.repeat(32)}`,
    `0x${'00'.repeat(31)}/.`,
    '',
  ])('takes %j for no name', (name) => {
    const store = openBlobStore({ folder })
    for (const use of [store.has, store.read, store.fileOf])
      expect(() => use(name as Hex)).toThrow(expect.objectContaining({ code: 'BLOB_NAME' }))
  })

  test('says so when the folder cannot be written to', () => {
    writeFileSync(join(folder, 'taken'), '')
    expect(() => openBlobStore({ folder: join(folder, 'taken', 'blobs') })).toThrow(
      expect.objectContaining({ code: 'BLOB_NOT_WRITTEN' }),
    )
    const store = openBlobStore({ folder: join(folder, 'gone') })
    rmSync(join(folder, 'gone'), { recursive: true })
    expect(() => store.write(file(3))).toThrow(expect.objectContaining({ code: 'BLOB_NOT_WRITTEN', retryable: true }))
  })
})

describe('progress', () => {
  const begin = (every: number, rounds: readonly number[]) => {
    const progress = openProgress({ folder, every })
    for (const [index, round] of rounds.entries())
      progress.begin({ round, checkpoint: hex32(`c${round}`), merged: index === 0 ? null : [hex32(`u${round - 1}`)] })
    return openProgress({ folder, every })
  }

  test('keeps the two newest whole checkpoints, the two newest of all, and the updates since', () => {
    const progress = begin(4, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(progress.rounds().map(({ round }) => round)).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
    const names = [...[4, 8, 10, 11].map((round) => `c${round}`), ...[4, 5, 6, 7, 8, 9, 10].map((round) => `u${round}`)]
    expect([...progress.named()].sort()).toEqual(names.map(hex32).sort())
  })

  test('begins anew where rounds were skipped, and forgets what another history said', () => {
    expect(begin(4, [2, 3, 7]).rounds()).toEqual([{ round: 7, checkpoint: hex32('c7'), updates: [] }])
    const progress = openProgress({ folder, every: 4 })
    progress.begin({ round: 7, checkpoint: hex32('other'), merged: null })
    progress.begin({ round: 8, checkpoint: hex32('next'), merged: [] })
    progress.begin({ round: 8, checkpoint: hex32('again'), merged: [hex32('u')] })
    expect(progress.rounds()).toEqual([
      { round: 7, checkpoint: hex32('other'), updates: [hex32('u')] },
      { round: 8, checkpoint: hex32('again'), updates: [] },
    ])
    expect(existsSync(join(folder, 'training.json.new'))).toBe(false)
  })

  test.each([
    '',
    '{"version":1',
    '{"version":2,"rounds":[]}',
    '{"version":1,"rounds":[{"round":-1}]}',
    '[]',
  ])('takes a note of %j for none', (text) => {
    writeFileSync(join(folder, 'training.json'), text)
    expect(openProgress({ folder, every: 4 }).rounds()).toEqual([])
  })
})
