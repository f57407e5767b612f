import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const rows = readFileSync(join(root, 'docs/complaints.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| C-'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

/** Titles of a file's tests, as they are written there; those that are skipped, or still to be written, are none. */
const titlesOf = (text: string): readonly string[] =>
  [
    ...text.matchAll(
      /\b(?:test|it)(?:\.(?:each|for|concurrent|sequential|runIf|skipIf)(?:(?:<[^>]*>)?\([\s\S]*?\))?)*\(\s*(['"`])([\s\S]*?[^\\])\1/g,
    ),
  ].map((match) => (match[2] ?? '').replaceAll("\\'", "'"))

test('docs/complaints.md has the complaints from the first to the last, each once', () => {
  expect(rows.map(([name]) => name)).toEqual(
    Array.from({ length: 24 }, (_, i) => `C-${String(i + 1).padStart(2, '0')}`),
  )
})

describe.each(
  rows.map(([name = '', suffered, done, tests]) => ({ name, suffered, done, tests: tests ?? '' })),
)('$name of docs/complaints.md', ({ suffered, done, tests }) => {
  test('says what is suffered and what is done, and names tests that are there', () => {
    expect([suffered, done].every((text) => (text ?? '').length > 20)).toBe(true)
    const named = tests.split('<br>').map((part) => ({
      file: /^`([^`]+\.test\.ts)`: /.exec(part)?.[1] ?? '',
      titles: [...part.matchAll(/“([^”]+)”/g)].map((match) => match[1] ?? ''),
    }))
    for (const { file, titles } of named) {
      expect(existsSync(join(root, file)), file).toBe(true)
      expect(titles.length).toBeGreaterThan(0)
      const there = titlesOf(readFileSync(join(root, file), 'utf8'))
      expect(titles.filter((title) => !there.includes(title))).toEqual([])
    }
  })
})
