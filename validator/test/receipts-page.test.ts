import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { everyKind } from './logging.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/receipts.md'), 'utf8')

test('the example of docs/receipts.md prints what it says', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  const said = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said.length).toBeGreaterThan(4)
  const file = join(root, 'validator', `.example-${process.pid}-receipts.ts`)
  writeFileSync(file, code)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    await import(file)
    expect(printed.mock.calls.map((parts) => parts.join(' '))).toEqual(said)
  } finally {
    printed.mockRestore()
    rmSync(file)
  }
})

test('docs/receipts.md names every kind of entry', () => {
  const [, table = ''] = /\| kind \| says \|[^\n]*\n\|---[^\n]*\n([\s\S]*?)\n\n/.exec(page) ?? []
  const named = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, kind]) => kind)
  expect(named.sort()).toEqual([...new Set(everyKind().map(({ kind }) => kind))].sort())
})
