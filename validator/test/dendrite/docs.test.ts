import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { FAULTS, OURS } from '../../src/dendrite/answer.ts'

const page = readFileSync(fileURLToPath(new URL('../../../docs/dendrite.md', import.meta.url)), 'utf8')
const verdicts = page.slice(page.indexOf('## Verdicts'), page.indexOf('## Addresses'))
const words = [...verdicts.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([a-z-]+)`/g)].map(([, word = '']) => word),
)

test('docs/dendrite.md has each verdict word once, and no other', () => {
  expect([...words].sort()).toEqual([...FAULTS, ...OURS].sort())
})
