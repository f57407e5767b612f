import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findDataset } from '../src/dataset/find.ts'
import { LIMITS } from '../src/dataset/limits.ts'
import { type DatasetSource, makeDataset } from '../src/dataset/make.ts'
import { mustFitModel, openDataset, readCard } from '../src/dataset/open.ts'
import { heldOutOf } from '../src/dataset/split.ts'
import { hashTokenizer } from '../src/dataset/tokenizer.ts'
import { TINY } from './support/models.ts'

const OURS = fileURLToPath(new URL('../../data/arbor-text', import.meta.url))
/** Made by Python's tokenizers. */
const vectors: Readonly<Record<string, { readonly text: string; readonly tokens: readonly number[] }>> = JSON.parse(
  readFileSync(new URL('../../test/vectors/dataset/documents.json', import.meta.url), 'utf8'),
).documents

let root: string
let from: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'arbor-data-'))
  from = join(root, 'text')
  mkdirSync(from)
})
afterEach(() => rmSync(root, { recursive: true }))

const write = (files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(from, name, '..'), { recursive: true })
    writeFileSync(join(from, name), content)
  }
}
const two = { 'a.md': 'One document.\n', 'b.md': 'Another document.\n' }
const make = (of: Partial<DatasetSource> = {}) =>
  makeDataset({
    from,
    model: TINY,
    into: join(root, 'data'),
    name: 'texts',
    origin: 'a test',
    licence: 'none',
    signal: new AbortController().signal,
    ...of,
  })

describe('makeDataset', () => {
  test('writes the tokens that Python gives, control tokens in the text read as text, each document closed by the end token', async () => {
    write(Object.fromEntries(Object.entries(vectors).map(([name, { text }]) => [name, text])))
    const { folder, card } = await make()
    const held = heldOutOf(Object.keys(vectors).sort(), 0.05)
    const expected = (isHeld: boolean): number[] =>
      Object.keys(vectors)
        .sort()
        .filter((name) => held.has(name) === isHeld)
        .flatMap((name) => [...(vectors[name]?.tokens ?? []), 0])
    const dataset = await openDataset({ folder })
    expect([...dataset.train]).toEqual(expected(false))
    expect([...dataset.heldOut]).toEqual(expected(true))
    expect(held.size).toBe(1)
    expect(dataset.train.filter((token) => token === 0)).toHaveLength(4)
    expect(card.train.bytes + card.heldOut.bytes).toBe(
      Object.values(vectors).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    )
  })

  test('gives the same hash when the same text is tokenised again, which is that of sha256sum hashed once more', async () => {
    write({ ...two, 'deep/er/c.md': 'A third.' })
    const first = await make()
    const second = await make({ name: 'again' })
    expect(second.card.hash).toBe(first.card.hash)
    expect(statSync(first.folder).mode & 0o777).toBe(0o755)
    const sums = execFileSync('sha256sum', ['held-out.u16', 'train.u16'], { cwd: first.folder })
    expect(first.card.hash).toBe(`0x${execFileSync('sha256sum', { input: sums }).toString().slice(0, 64)}`)
    expect(first.card.tokenizer).toBe(
      `0x${execFileSync('sha256sum', [join(TINY, 'tokenizer.json')])
        .toString()
        .slice(0, 64)}`,
    )
  })

  test('leaves out and counts what is hidden, empty, of another kind or a link within the folder', async () => {
    write({ ...two, '.git/config': 'hidden', 'empty.md': '', 'picture.png': Uint8Array.of(0, 1) })
    symlinkSync('a.md', join(from, 'link.md'))
    symlinkSync('nowhere', join(from, 'dangling.md'))
    const { card, leftOut } = await make({ only: ['.md'] })
    expect(card.train.documents + card.heldOut.documents).toBe(2)
    expect(leftOut).toEqual({ hidden: 1, otherKinds: 1, empty: 1, links: 2 })
  })

  const refusals: readonly (readonly [string, string, () => void, Partial<DatasetSource>])[] = [
    ['DATASET_MISSING', 'there is no folder', () => rmSync(from, { recursive: true }), {}],
    ['DATASET_EMPTY', 'the folder is empty', () => {}, {}],
    ['DATASET_EMPTY', 'no file is of the kinds named', () => write(two), { only: ['.txt'] }],
    ['DATASET_EMPTY', 'all files are empty', () => write({ 'a.md': '', 'b.md': '' }), {}],
    ['DATASET_TOO_SHORT', 'there is one document, and none to hold out', () => write({ 'a.md': 'alone' }), {}],
    ['DATASET_BINARY', 'a file holds a zero byte', () => write({ ...two, 'c.bin': Uint8Array.of(65, 0, 66) }), {}],
    [
      'DATASET_BINARY',
      'a pipe is among the files',
      () => {
        write(two)
        execFileSync('mkfifo', [join(from, 'pipe')])
      },
      {},
    ],
    [
      'DATASET_NOT_UTF8',
      'a file is Latin-1',
      () => write({ ...two, 'c.md': Uint8Array.of(0x47, 0x72, 0xf6, 0xdf) }),
      {},
    ],
    [
      'DATASET_LINK',
      'a link leads out of the folder',
      () => {
        write(two)
        symlinkSync(tmpdir(), join(from, 'out'))
      },
      {},
    ],
    ['DATASET_TOO_LARGE', 'one file is too large', () => write(two), { limits: { ...LIMITS, documentBytes: 15 } }],
    ['DATASET_TOO_LARGE', 'all files together are', () => write(two), { limits: { ...LIMITS, totalBytes: 20 } }],
    ['DATASET_TOO_LARGE', 'there are too many files', () => write(two), { limits: { ...LIMITS, entries: 1 } }],
    ['DATASET_NAME', 'the name leads elsewhere', () => write(two), { name: '../texts' }],
  ]
  test.each(refusals)('refuses with %s when %s, and leaves nothing behind', async (code, _when, prepare, of) => {
    prepare()
    await expect(make(of)).rejects.toMatchObject({ code })
    expect(existsSync(join(root, 'data')) ? readdirSync(join(root, 'data')) : []).toEqual([])
  })

  test('says that a huge file is too large without reading it', async () => {
    write(two)
    truncateSync(join(from, 'a.md'), 2 ** 34) // sparse: nobody could read it in a test's time
    await expect(make()).rejects.toMatchObject({ code: 'DATASET_TOO_LARGE', details: { found: 2 ** 34 } })
  })

  test('keeps what has its place already', async () => {
    write(two)
    const { folder } = await make()
    await expect(make()).rejects.toMatchObject({ code: 'DATASET_EXISTS' })
    await openDataset({ folder })
  })

  test('leaves nothing behind when it is stopped between two documents', async () => {
    write({ ...two, 'c.md': 'third' })
    const stop = new AbortController()
    await expect(make({ signal: stop.signal, onDocument: () => stop.abort() })).rejects.toThrow()
    expect(readdirSync(join(root, 'data'))).toEqual([])
  })

  test('refuses a model without an end token, or with more tokens than 16 bits name', async () => {
    write(two)
    const model = join(root, 'model')
    cpSync(TINY, model, { recursive: true })
    const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))
    writeFileSync(join(model, 'config.json'), JSON.stringify({ ...config, vocab_size: 65_537 }))
    await expect(make({ model })).rejects.toMatchObject({ code: 'DATASET_VOCABULARY' })
    writeFileSync(join(model, 'config.json'), JSON.stringify({ ...config, eos_token_id: null }))
    await expect(make({ model })).rejects.toMatchObject({ code: 'DATASET_VOCABULARY' })
  })
})

describe('heldOutOf', () => {
  const paths = Array.from({ length: 400 }, (_, index) => `folder/${index}.md`)
  test('keeps each document on its side when others come', () => {
    const before = heldOutOf(paths.slice(0, 200), 0.1)
    const after = heldOutOf(paths, 0.1)
    expect([...before].filter((path) => !after.has(path))).toEqual([])
    expect(after.size).toBeGreaterThan(20)
    expect(after.size).toBeLessThan(60)
  })
  test('holds out at least one, and never all', () => {
    expect(heldOutOf(['a', 'b'], 1e-9).size).toBe(1)
    expect(heldOutOf(['a', 'b'], 1 - 1e-9).size).toBe(1)
  })
})

describe('openDataset', () => {
  let folder: string
  beforeEach(async () => {
    write({ ...two, 'c.md': 'A third, which is a little longer than the others are.' })
    folder = (await make()).folder
  })
  const changeCard = (change: object): void => {
    const path = join(folder, 'card.json')
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
  }

  test.each([
    ['DATASET_MISSING', 'the folder is gone', () => rmSync(folder, { recursive: true })],
    ['DATASET_INCOMPLETE', 'a file is gone', () => rmSync(join(folder, 'held-out.u16'))],
    ['DATASET_CARD_INVALID', 'the card is no JSON', () => writeFileSync(join(folder, 'card.json'), '{')],
    ['DATASET_CARD_INVALID', 'the card lacks a field', () => changeCard({ tokenizer: undefined })],
    ['DATASET_CARD_INVALID', 'a count is negative', () => changeCard({ vocabulary: -1 })],
    ['DATASET_FILE_INVALID', 'a file has an odd length', () => appendFileSync(join(folder, 'train.u16'), 'x')],
    ['DATASET_FILE_INVALID', 'a file has another length', () => appendFileSync(join(folder, 'train.u16'), 'xx')],
    [
      'DATASET_FILE_INVALID',
      'the card is a folder',
      () => {
        rmSync(join(folder, 'card.json'))
        mkdirSync(join(folder, 'card.json'))
      },
    ],
    [
      'DATASET_MISMATCH',
      'a token was changed',
      () => {
        const bytes = readFileSync(join(folder, 'train.u16'))
        bytes[0] = (bytes[0] ?? 0) ^ 1
        writeFileSync(join(folder, 'train.u16'), bytes)
      },
    ],
    ['DATASET_MISMATCH', 'the card names another hash', () => changeCard({ hash: `0x${'1'.repeat(64)}` })],
    ['DATASET_TOKENS', 'a token is beyond the vocabulary', () => changeCard({ vocabulary: 10 })],
  ])('refuses with %s when %s', async (code, _when, change) => {
    change()
    await expect(openDataset({ folder })).rejects.toMatchObject({ code })
  })

  test('refuses a part that holds no window of the length', async () => {
    const { heldOut } = await openDataset({ folder })
    await openDataset({ folder, length: heldOut.length - 1 })
    await expect(openDataset({ folder, length: heldOut.length })).rejects.toMatchObject({ code: 'DATASET_TOO_SHORT' })
  })

  test('refuses another dataset than the one that is pinned', async () => {
    const { id } = await openDataset({ folder })
    await openDataset({ folder, id })
    await expect(openDataset({ folder, id: { ...id, hash: `0x${'2'.repeat(64)}` } })).rejects.toMatchObject({
      code: 'DATASET_OTHER',
    })
  })

  test('refuses a model of another tokenizer or a smaller vocabulary', async () => {
    const dataset = await openDataset({ folder })
    const tokenizer = await hashTokenizer(TINY)
    mustFitModel(dataset, { tokenizer, vocabulary: 1024 })
    expect(() => mustFitModel(dataset, { tokenizer, vocabulary: 1023 })).toThrow(/vocabulary/)
    expect(() => mustFitModel(dataset, { tokenizer: '0x00', vocabulary: 1024 })).toThrow(/tokenizer/)
  })

  test('is found by name below the working directory, or by path', () => {
    mkdirSync(join(root, '.arbor'))
    cpSync(join(root, 'data'), join(root, '.arbor', 'data'), { recursive: true })
    expect(findDataset({ dataset: 'texts', cwd: root })).toBe(join(root, '.arbor', 'data', 'texts'))
    expect(findDataset({ dataset: './data/texts', cwd: root })).toBe(folder)
    expect(() => findDataset({ dataset: 'absent', cwd: root })).toThrow(/absent/)
  })
})

test('the dataset that comes with the project is whole, fits the models that come with it, and has text to hold out', async () => {
  const dataset = await openDataset({ folder: OURS, length: 256 })
  mustFitModel(dataset, { tokenizer: await hashTokenizer(TINY), vocabulary: 1024 })
  expect(dataset.train.length).toBeGreaterThan(1_000_000)
  expect(dataset.heldOut.length).toBeGreaterThan(50_000)
  expect((await readCard(OURS)).licence).toBe('Apache-2.0')
  expect(findDataset({ dataset: 'arbor-text', cwd: root })).toBe(OURS)
})
