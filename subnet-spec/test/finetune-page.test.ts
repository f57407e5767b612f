import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { PAID_FROM, PAID_IN_FULL } from '../finetune/define-training.ts'
import { loadSpec } from '../src/load.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/finetune.md'), 'utf8')
const [written = '', judged = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code)
const fileOf = (name: string): string => join(root, 'subnet-spec', `.example-${process.pid}-finetune-${name}.ts`)

afterAll(() => {
  for (const name of ['spec', 'judged']) rmSync(fileOf(name), { force: true })
})

test('the file that docs/finetune.md shows a designer is a subnet', async () => {
  writeFileSync(fileOf('spec'), written)
  const spec = await loadSpec(fileOf('spec'))
  expect(spec).toMatchObject({
    name: 'my-training',
    training: { optimiser: { kind: 'diloco' }, data: { name: 'my-text' } },
  })
  expect(Object.keys(spec.tasks)).toEqual(['piece'])
})

test('the example of docs/finetune.md prints what it says', async () => {
  const said = [...judged.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said.length).toBeGreaterThan(4)
  writeFileSync(fileOf('judged'), judged)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    await import(fileOf('judged'))
    expect(printed.mock.calls.map((parts) => parts.join(' '))).toEqual(said)
  } finally {
    printed.mockRestore()
  }
})

test('docs/finetune.md names the ratings that weights begin and end to rise at', () => {
  expect(page).toContain(`Weight is nothing up to ${50 * PAID_FROM}, then rises until ${50 * PAID_IN_FULL} as`)
})
