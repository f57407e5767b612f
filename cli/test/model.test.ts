import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import { runCommand } from '@arbor/shared/run-command'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addedSchema } from '../src/model/add.ts'
import { modelCommand } from '../src/model/command.ts'
import { listSchema } from '../src/model/list.ts'
import { showSchema } from '../src/model/show.ts'

const graphs = fileURLToPath(new URL('../../test/vectors/graph', import.meta.url))
const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
const CONFIG = {
  vocab_size: 1024,
  max_position_embeddings: 64,
  num_hidden_layers: 1,
  num_key_value_heads: 1,
  head_dim: 4,
  bos_token_id: 0,
  eos_token_id: [0],
}

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arbor-home-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Runs `arbor model`; a word on stderr may stop it, as Ctrl-C would. */
const run = async (words: readonly string[], of: { readonly stopAt?: string; readonly env?: object } = {}) => {
  const result = { out: '', err: '', code: -1 }
  let interrupt = (): void => undefined
  await runCommand(modelCommand, {
    argv: ['node', 'arbor', ...words],
    env: { HOME: home, PATH: process.env.PATH, ...of.env },
    stdout: {
      write: (text) => {
        result.out += text
      },
    },
    stderr: {
      isTTY: true,
      write: (text) => {
        result.err += text
        if (of.stopAt !== undefined && text.includes(of.stopAt)) interrupt()
      },
    },
    cwd: () => home,
    on: (event, listener) => {
      if (event === 'SIGINT') interrupt = listener
    },
    exit: (code) => {
      result.code = code
    },
  })
  return result
}

const write = (path: string, json: unknown): void => writeFileSync(path, JSON.stringify(json))

/** Lays out an export as exporters do, with one of the small graphs. */
const layOut = (graph = 'plain', place = 'model.onnx'): string => {
  const folder = join(home, 'export')
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  copyFileSync(join(tiny, 'tokenizer.json'), join(folder, 'tokenizer.json'))
  write(join(folder, 'config.json'), CONFIG)
  copyFileSync(join(graphs, `${graph}.onnx`), join(folder, place))
  if (graph === 'outside') copyFileSync(join(graphs, 'outside.onnx_data'), join(folder, 'outside.onnx_data'))
  return folder
}
const models = () => join(home, '.arbor', 'models')
const left = () => (existsSync(models()) ? readdirSync(models()) : [])
const add = async (...words: string[]) => {
  const { out, err, code } = await run(['add', ...words, '--json'])
  expect({ err: err.replaceAll(/… .*\n/g, ''), code }).toEqual({ err: '', code: 0 })
  return addedSchema.parse(JSON.parse(out))
}

describe('arbor model add', () => {
  test.each([
    ['plain', 'model.onnx', 'fp32'],
    ['sliced', 'onnx/model.onnx', 'fp32'],
    ['last', 'decoder_with_past_model.onnx', 'fp32'],
    ['capped', 'only-one.onnx', 'fp32'],
    ['outside', 'model.onnx', 'fp32'],
    ['half', 'onnx/model_fp16.onnx', 'fp16'],
    ['dynamic', 'onnx/model_quantized.onnx', 'int8'],
  ])('the export %s opens and answers when it was added from %s', async (graph, place, profile) => {
    const added = await add(layOut(graph, place), '--name', 'mine', '--graph', place)
    expect(added).toMatchObject({ name: 'mine', profile, vocabulary: 1024, context: 64, ends: [0], wasThere: false })
    expect(added.added).toEqual(expect.arrayContaining(['output last_hidden_state', 'input logits_rows']))
    expect(added.inputs.map(({ name }) => name)).toContain('logits_rows')
    const engine = await openEngine({ folder: added.folder })
    expect(engine.model).toEqual({ name: 'mine', hash: added.hash, profile })
    const answer = await engine.generate({ prompt: 'a', maxTokens: 4, temperature: 0, seed: `0x${'01'.repeat(32)}` })
    expect(answer.tokens.length).toBeGreaterThan(0)
    await engine.close()
  })

  test('adding it again changes nothing and says so', async () => {
    const first = await add(layOut(), '--name', 'mine')
    const again = await add(first.folder, '--name', 'mine')
    expect(again).toMatchObject({ hash: first.hash, wasThere: true, added: [] })
    expect((await add(layOut(), '--name', 'mine')).wasThere).toBe(true)
  })

  test("limits and words of a card come along when Arbor's own folder is added", async () => {
    const added = await add(tiny, '--name', 'moved')
    const [before, after] = [tiny, added.folder].map((folder) =>
      JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8')),
    )
    expect(after).toMatchObject({
      name: 'moved',
      hash: before.hash,
      thresholds: before.thresholds,
      training: before.training,
    })
    const other = join(home, 'other')
    cpSync(tiny, other, { recursive: true })
    write(join(other, 'generation_config.json'), { eos_token_id: 1 })
    const changed = await add(other)
    expect(JSON.parse(readFileSync(join(changed.folder, 'card.json'), 'utf8'))).toMatchObject({ thresholds: [] })
  })

  test('links of a download cache are followed when the export is made of them', async () => {
    const folder = layOut()
    const cache = join(home, 'cache')
    mkdirSync(cache)
    for (const name of ['model.onnx', 'tokenizer.json', 'config.json'])
      symlinkSync(join(folder, name), join(cache, name))
    const { folder: made } = await add(cache, '--name', 'linked')
    expect(readdirSync(made, { withFileTypes: true }).every((entry) => entry.isFile())).toBe(true)
  })

  const refusals: readonly [string, string, (folder: string) => unknown, RegExp, string?][] = [
    ['config.json is missing', 'MODEL_INCOMPLETE', (folder) => rmSync(join(folder, 'config.json')), /config\.json/],
    [
      'tokenizer.json was renamed',
      'MODEL_INCOMPLETE',
      (folder) =>
        cpSync(join(folder, 'tokenizer.json'), join(folder, 'tok.json')) ?? rmSync(join(folder, 'tokenizer.json')),
      /tokenizer\.json/,
    ],
    ['there is no graph', 'MODEL_INCOMPLETE', (folder) => rmSync(join(folder, 'model.onnx')), /model\.onnx/],
    [
      'there are several graphs',
      'MODEL_CHOICE',
      (folder) => {
        for (const name of ['a', 'b']) copyFileSync(join(graphs, 'plain.onnx'), join(folder, `onnx/${name}.onnx`))
        rmSync(join(folder, 'model.onnx'))
      },
      /onnx\/a\.onnx, onnx\/b\.onnx; name one with --graph/,
    ],
    [
      'the graph is none',
      'MODEL_GRAPH_INVALID',
      (folder) => writeFileSync(join(folder, 'model.onnx'), 'weights'),
      /no ONNX file/,
    ],
    [
      'the graph was cut',
      'MODEL_GRAPH_INVALID',
      (folder) =>
        writeFileSync(join(folder, 'model.onnx'), readFileSync(join(graphs, 'plain.onnx')).subarray(0, 20_000)),
      /longer than what holds it/,
    ],
    [
      'config.json is no JSON',
      'MODEL_CARD_INVALID',
      (folder) => writeFileSync(join(folder, 'config.json'), '{'),
      /config\.json/,
    ],
    [
      'the configuration has other layers',
      'MODEL_INCONSISTENT',
      (folder) => write(join(folder, 'config.json'), { ...CONFIG, num_hidden_layers: 2 }),
      /num_hidden_layers of config\.json is 2/,
    ],
    [
      'the configuration has another vocabulary',
      'MODEL_INCONSISTENT',
      (folder) => write(join(folder, 'config.json'), { ...CONFIG, vocab_size: 2048 }),
      /1024 logits, vocab_size of config\.json is 2048/,
    ],
    ['the tokenizer knows more tokens', 'MODEL_INCONSISTENT', (folder) => changeTokens(folder, 1), /knows 1025 tokens/],
    [
      'the tokenizer knows far fewer tokens',
      'MODEL_INCONSISTENT',
      (folder) => changeTokens(folder, -400),
      /knows only 624 tokens/,
    ],
    [
      'the tokenizer is of an unknown kind',
      'MODEL_CARD_INVALID',
      (folder) => write(join(folder, 'tokenizer.json'), { model: { type: 'None' }, added_tokens: [] }),
      /tokenizer\.json/,
    ],
    ['weights are bfloat16', 'MODEL_DTYPE', () => undefined, /bfloat16/, 'brain'],
    [
      'weights in another file are missing',
      'MODEL_FILE_INVALID',
      (folder) => rmSync(join(folder, 'outside.onnx_data')),
      /outside\.onnx_data is not in the folder/,
      'outside',
    ],
    [
      'weights in another file are too short',
      'MODEL_FILE_INVALID',
      (folder) => writeFileSync(join(folder, 'outside.onnx_data'), 'short'),
      /has 5 bytes/,
      'outside',
    ],
    [
      'the chat template fails',
      'MODEL_TEMPLATE',
      (folder) => writeFileSync(join(folder, 'chat_template.jinja'), "{{ raise_exception('never') }}"),
      /never/,
    ],
    ['logits are no numbers', 'MODEL_TRIAL', (folder) => spoil(folder), /no numbers/],
  ]
  const changeTokens = (folder: string, by: number): void => {
    const json = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'))
    const entries = Object.entries<number>(json.model.vocab).sort(([, first], [, second]) => first - second)
    const kept = by < 0 ? entries.slice(0, by) : [...entries, ['~one more~', 1024] as const]
    json.model.vocab = Object.fromEntries(kept)
    json.model.merges = json.model.merges.filter(
      (merge: string | string[]) => (Array.isArray(merge) ? merge : merge.split(' ')).join('') in json.model.vocab,
    )
    write(join(folder, 'tokenizer.json'), json)
  }
  /** Writes not-a-number over a piece of the embedding. */
  const spoil = (folder: string): void => {
    const path = join(folder, 'model.onnx')
    const bytes = readFileSync(path)
    bytes.fill(0xff, bytes.length >> 2, (bytes.length >> 2) + 4096)
    writeFileSync(path, bytes)
  }
  test.each(
    refusals,
  )('an export is refused with nothing left behind when %s', async (_, code, change, message, graph) => {
    const folder = layOut(graph)
    change(folder)
    const { err, code: exit } = await run(['add', folder, '--name', 'mine'])
    expect(err).toMatch(new RegExp(`^${code}: .*${message.source}`, 'm'))
    expect(exit).toBe(1)
    expect(left()).toEqual([])
  })

  test.each([
    [['nowhere'], 'MODEL_MISSING'],
    [['export', '--graph', '../secret.onnx'], 'MODEL_FILE_INVALID'],
    [['export', '--graph', 'onnx'], 'MODEL_FILE_INVALID'],
    [['export', '--graph', 'none.onnx'], 'MODEL_INCOMPLETE'],
    [['export', '--name', '../mine'], 'MODEL_NAME'],
    [[], 'MODEL_CHOICE'],
    [['export', '--recipe', 'smollm2'], 'MODEL_CHOICE'],
    [['--recipe', 'toString'], 'MODEL_CHOICE'],
    [['--recipe', 'smollm2', '--variant', 'q1'], 'MODEL_CHOICE'],
    [['--recipe', 'smollm2', '--python', './no-python'], 'RECIPE_PYTHON'],
  ])('the words %j are refused with %s', async (words, code) => {
    layOut()
    const { err, code: exit } = await run(['add', ...words])
    expect(err).toMatch(new RegExp(`^${code}: `, 'm'))
    expect(exit).toBe(1)
  })

  test('another model of the name stays when one is added', async () => {
    const { hash } = await add(layOut(), '--name', 'mine')
    const { err } = await run(['add', layOut('capped'), '--name', 'mine'])
    expect(err).toMatch(/MODEL_EXISTS: .* arbor model remove mine/)
    expect(showSchema.parse(JSON.parse((await run(['show', 'mine', '--json'])).out)).hash).toBe(hash)
    expect(left()).toEqual(['mine'])
  })

  test.each(['trying', 'hashing'])('nothing is left behind when it is stopped while %s', async (stopAt) => {
    const { out, err, code } = await run(['add', layOut(), '--name', 'mine'], { stopAt })
    expect({ out, code }).toEqual({ out: '', code: 1 })
    expect(err).toMatch(/^MODEL_NOT_ADDED: /m)
    expect(left()).toEqual([])
  })

  test('a step of a recipe that fails says why and what to do', async () => {
    const python = join(home, 'python')
    writeFileSync(python, '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "no room on this disk" >&2\nexit 1\n', {
      mode: 0o755,
    })
    const { err } = await run(['add', '--recipe', 'smollm2', '--python', python])
    expect(err).toMatch(
      /RECIPE_FAILED: making a virtual environment failed: no room on this disk; run the command again/,
    )
  })
})

test('the commands of docs/models.md run as they are written', async () => {
  const page = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8')
  const lines = [...page.matchAll(/^```sh run\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.trim().split('\n'))
  layOut()
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) {
    const [, , ...words] = line.split(' ')
    expect({ line, code: (await run(words)).code }).toEqual({ line, code: 0 })
  }
})

describe('arbor model list, show and remove', () => {
  test('models of the working directory and of the checkout are listed', async () => {
    await add(layOut(), '--name', 'mine')
    mkdirSync(join(models(), 'broken'))
    const { models: listed } = listSchema.parse(JSON.parse((await run(['list', '--json'])).out))
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['mine', 'broken', 'arbor-2m', 'arbor-tiny']))
    expect(listed.find(({ name }) => name === 'mine')).toMatchObject({ profile: 'fp32', thresholds: [], problem: null })
    expect(listed.find(({ name }) => name === 'broken')?.problem).toMatch(/card/)
  })

  test('a model is shown as it was added', async () => {
    const { hash } = await add(layOut(), '--name', 'mine')
    const shown = showSchema.parse(JSON.parse((await run(['show', 'mine', '--json'])).out))
    expect(shown).toMatchObject({ hash, vocabulary: 1024, context: 64, ends: [0], chats: false, thresholds: [] })
  })

  test('the spec that is shown loads, and pins model and limits', async () => {
    const { spec, hash, thresholdsHash } = showSchema.parse(
      JSON.parse((await run(['show', 'arbor-tiny', '--json'])).out),
    )
    expect((await loadSpec(spec)).model).toEqual({ name: 'arbor-tiny', hash, thresholds: thresholdsHash })
  })

  test('a model is not shown when a byte of it changed', async () => {
    const { folder } = await add(layOut(), '--name', 'mine')
    writeFileSync(join(folder, 'config.json'), ' ', { flag: 'a' })
    expect((await run(['show', 'mine'])).err).toMatch(/^MODEL_MISMATCH/m)
  })

  test('a model that was added is removed, and one of the checkout stays', async () => {
    await add(layOut(), '--name', 'mine')
    expect((await run(['remove', 'mine'])).code).toBe(0)
    expect(left()).toEqual([])
    expect((await run(['remove', 'arbor-tiny'])).err).toMatch(/^MODEL_MISSING/m)
    expect((await run(['remove', '../models'])).err).toMatch(/^MODEL_NAME/m)
  })
})
