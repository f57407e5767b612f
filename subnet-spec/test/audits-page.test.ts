import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the example of docs/audits.md prints what it says', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/audits.md'), 'utf8')) ?? []
  const said = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said.length).toBeGreaterThan(4)
  const file = join(root, 'subnet-spec', `.example-${process.pid}-audits.ts`)
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
