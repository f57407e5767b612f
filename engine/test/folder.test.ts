import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hashModelFolder, readModelFolder } from '../src/folder.ts'
import { field } from '../src/graph/wire.ts'
import { openEngine } from '../src/open.ts'
import { TINY } from './support/models.ts'

let root: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'arbor-model-'))
  folder = join(root, 'model')
  cpSync(TINY, folder, { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

const changeCard = (change: (card: Record<string, unknown>) => void): void => {
  const path = join(folder, 'card.json')
  const card = JSON.parse(readFileSync(path, 'utf8'))
  change(card)
  writeFileSync(path, JSON.stringify(card))
}

describe('model folder', () => {
  test('its hash is that of sha256sum over the sorted names, hashed once more', async () => {
    const sums = execFileSync('sha256sum', ['config.json', 'model.onnx', 'tokenizer.json', 'tokenizer_config.json'], {
      cwd: folder,
    })
    const total = execFileSync('sha256sum', { input: sums }).toString().slice(0, 64)
    expect(await hashModelFolder(folder)).toBe(`0x${total}`)
    expect((await readModelFolder({ folder })).id).toEqual({ name: 'arbor-tiny', profile: 'fp32', hash: `0x${total}` })
  })

  test('its hash stays when only the card changes', async () => {
    const before = await hashModelFolder(folder)
    changeCard((card) => Object.assign(card, { thresholds: [] }))
    expect(await hashModelFolder(folder)).toBe(before)
  })

  test.each([
    'card.json',
    'config.json',
    'model.onnx',
    'tokenizer.json',
  ])('it is incomplete when %s is gone', async (name) => {
    rmSync(join(folder, name))
    await expect(readModelFolder({ folder })).rejects.toMatchObject({
      code: 'MODEL_INCOMPLETE',
      details: { absent: name },
    })
  })

  test('it is missing when the path does not exist', async () => {
    await expect(readModelFolder({ folder: join(root, 'none') })).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  })

  test('it mismatches its card when a byte changes or a file is added', async () => {
    writeFileSync(join(folder, 'extra.txt'), 'x')
    await expect(readModelFolder({ folder })).rejects.toMatchObject({ code: 'MODEL_MISMATCH' })
    rmSync(join(folder, 'extra.txt'))
    const graph = readFileSync(join(folder, 'model.onnx'))
    graph[1000] = (graph[1000] ?? 0) ^ 1
    writeFileSync(join(folder, 'model.onnx'), graph)
    await expect(readModelFolder({ folder })).rejects.toMatchObject({ code: 'MODEL_MISMATCH' })
  })

  test.each([
    ['is no JSON', (path: string) => writeFileSync(path, '{')],
    ['is a list', (path: string) => writeFileSync(path, '[]')],
    ['lacks fields', (path: string) => writeFileSync(path, '{"name":"x"}')],
  ])('its card is invalid when it %s', async (_, spoil) => {
    spoil(join(folder, 'card.json'))
    await expect(readModelFolder({ folder })).rejects.toMatchObject({ code: 'MODEL_CARD_INVALID' })
  })

  const useGraph = async (bytes: string | Buffer): Promise<void> => {
    writeFileSync(join(folder, 'model.onnx'), bytes)
    const hash = await hashModelFolder(folder)
    changeCard((card) => Object.assign(card, { hash: hash.slice(2) }))
  }

  test('it is refused when its graph is no ONNX file', async () => {
    await useGraph('no graph')
    await expect(openEngine({ folder })).rejects.toMatchObject({ code: 'MODEL_GRAPH_INVALID' })
  })

  test('opening says why each provider was refused when the graph is unusable', async () => {
    await useGraph(field(7, field(1, field(2, 'logits'), field(4, 'NoSuchOperation'))))
    await expect(openEngine({ folder })).rejects.toMatchObject({ code: 'ENGINE_NO_PROVIDER' })
  })

  test('it is refused when its weights lie where the hash does not reach', async () => {
    const graph = readFileSync(new URL('../../test/vectors/graph/outside.onnx', import.meta.url))
    await useGraph(graph)
    await expect(readModelFolder({ folder })).rejects.toMatchObject({
      code: 'MODEL_FILE_INVALID',
      details: { name: 'outside.onnx_data' },
    })
  })

  test.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a link to a folder', (path: string) => symlinkSync(root, path)],
    ['a link that leads nowhere', (path: string) => symlinkSync(join(root, 'none'), path)],
  ])('it is refused when it holds %s', async (_, make) => {
    make(join(folder, 'extra'))
    await expect(readModelFolder({ folder })).rejects.toMatchObject({
      code: 'MODEL_FILE_INVALID',
      details: { name: 'extra', what: 'no plain file' },
    })
  })

  test('it is refused when a JSON file is larger than any in use', async () => {
    truncateSync(join(folder, 'card.json'), (64 << 20) + 1)
    await expect(readModelFolder({ folder })).rejects.toMatchObject({ code: 'MODEL_FILE_INVALID' })
  })

  test('the next provider is taken and the refusal kept when the first is not in this build', async () => {
    const engine = await openEngine({ folder, providers: ['cuda', 'cpu'] })
    expect(engine.provider).toBe('cpu')
    expect(engine.refusedProviders).toMatchObject([{ provider: 'cuda', reason: expect.stringMatching(/./) }])
    await engine.close()
  })
})
