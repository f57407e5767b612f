import { expect, test } from 'vitest'
import { expectExample, readPage } from '../../test/support/page-example.ts'
import { everyKind } from './logging.ts'

const page = readPage('receipts')

test('the example of docs/receipts.md prints what it says', () =>
  expectExample({ page: 'receipts', from: 'validator' }))

test('docs/receipts.md names every kind of entry', () => {
  const [, table = ''] = /\| kind \| says \|[^\n]*\n\|---[^\n]*\n([\s\S]*?)\n\n/.exec(page) ?? []
  const named = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, kind]) => kind)
  expect(named.sort()).toEqual([...new Set(everyKind().map(({ kind }) => kind))].sort())
})
