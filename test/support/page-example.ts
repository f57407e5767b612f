import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Reads a page of the documents. */
export const readPage = (name: string): string => readFileSync(join(root, 'docs', `${name}.md`), 'utf8')

/**
 * Runs a page's first TypeScript example, and expects that it prints what its comments behind `console.log` say.
 * @param of.from package in whose folder it runs, so that it imports what that package may
 */
export const expectExample = async ({
  page,
  from,
}: {
  readonly page: string
  readonly from: string
}): Promise<void> => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readPage(page)) ?? []
  const said = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said.length).toBeGreaterThan(4)
  const file = join(root, from, `.example-${process.pid}-${page}.ts`)
  writeFileSync(file, code)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    await import(file)
    expect(printed.mock.calls.map((parts) => parts.join(' '))).toEqual(said)
  } finally {
    printed.mockRestore()
    rmSync(file)
  }
}
