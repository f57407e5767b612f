import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TRAINING_ATTACKS } from '../finetune/attacks/list.ts'

test('docs/finetune.md has a row for each attack, which says what its value says', () => {
  const page = readFileSync(new URL('../../docs/finetune.md', import.meta.url), 'utf8')
  const part = page.slice(page.indexOf('## Attacks'), page.indexOf('## What comes of it'))
  const rows = part.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows).toEqual(
    TRAINING_ATTACKS.map(({ name, does, gains, caughtBy }) => {
      const reasons = caughtBy.map((reason) => `\`${reason}\``).join(', ')
      return `| \`${name}\` | ${does} | ${gains} | ${reasons} |`
    }),
  )
})
