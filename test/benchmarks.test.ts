import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cell, page } from '../bench/report.ts'

test('the benchmark page is the one that the committed results make', () => {
  expect(readFileSync(new URL('../docs/benchmarks.md', import.meta.url), 'utf8')).toBe(page())
})

test('a cell shows the median and the spread, and says when nothing was measured', () => {
  expect(cell(undefined)).toBe('not measured')
  expect(cell([2])).toBe('2')
  expect(cell([3, 1, 2])).toBe('2 (1–3, 3 runs)')
})

test('every measured row of the README stands in the benchmark page word for word', () => {
  const rows =
    readFileSync(new URL('../README.md', import.meta.url), 'utf8').match(/^\|.*\b(?:runs?|refused answers)\b.*\|$/gm) ??
    []
  const measured = new Set(page().split('\n'))
  expect(rows.length).toBeGreaterThan(3)
  expect(rows.filter((row) => !measured.has(row))).toEqual([])
})
