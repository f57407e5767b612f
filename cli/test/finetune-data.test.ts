import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '@arbor/shared/run-command'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataCommand, dataSchema, madeSchema } from '../src/finetune/data.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arbor-data-'))
  mkdirSync(join(home, 'text'))
  writeFileSync(join(home, 'text', 'one.md'), '# One\n\nThe first document.\n')
  writeFileSync(join(home, 'text', 'two.md'), '# Two\n\nThe second document.\n')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Runs `arbor finetune data`; a word on stderr may stop it, as Ctrl-C would. */
const run = async (words: readonly string[], stopAt?: string) => {
  const result = { out: '', err: '', code: -1 }
  let interrupt = (): void => undefined
  await runCommand(dataCommand, {
    argv: ['node', 'arbor', ...words],
    env: { HOME: home },
    stdout: {
      write: (text) => {
        result.out += text
      },
    },
    stderr: {
      isTTY: true,
      write: (text) => {
        result.err += text
        if (stopAt !== undefined && text.includes(stopAt)) interrupt()
      },
    },
    cwd: () => home,
    on: (signal, listener) => {
      if (signal === 'SIGINT') interrupt = listener
    },
    exit: (code) => {
      result.code = code
    },
  })
  return result
}

test('a folder of text becomes a dataset that is shown by its name', async () => {
  const made = await run(['make', 'text', '--name', 'ours', '--origin', 'a test', '--licence', 'CC0', '--json'])
  expect(made.code, made.err).toBe(0)
  const value = madeSchema.parse(JSON.parse(made.out))
  expect(value).toMatchObject({
    name: 'ours',
    origin: 'a test',
    licence: 'CC0',
    folder: join(home, '.arbor/data/ours'),
  })
  expect(value.train.documents + value.heldOut.documents).toBe(2)
  const shown = await run(['show', 'ours', '--json'])
  expect(dataSchema.parse(JSON.parse(shown.out))).toEqual(dataSchema.parse(value))
  const read = await run(['show', 'ours'])
  expect(read.out).toContain(`data: { name: 'ours', hash: '${value.hash}' }`)
})

test('text that is no UTF-8 is refused by its code, and nothing is left behind', async () => {
  writeFileSync(join(home, 'text', 'latin.md'), Uint8Array.of(0x47, 0x72, 0xfc, 0xdf))
  const made = await run(['make', 'text', '--name', 'ours'])
  expect(made.code).not.toBe(0)
  expect(made.err).toContain('DATASET_NOT_UTF8')
  expect(readdirSync(join(home, '.arbor/data'))).toEqual([])
})

test('a stopped command says that nothing was made', async () => {
  const made = await run(['make', 'text', '--name', 'ours'], '1 of 2')
  expect(made.code).not.toBe(0)
  expect(made.err).toContain('DATASET_NOT_MADE')
  expect(existsSync(join(home, '.arbor/data/ours'))).toBe(false)
})

test('a share that leaves nothing to train on is refused', async () => {
  const made = await run(['make', 'text', '--name', 'ours', '--held-out', '1'])
  expect(made.code).not.toBe(0)
  expect(made.err).toContain('share')
})
