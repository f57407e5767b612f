import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ATTACKS } from '@arbor/engine/attacks/list'
import type { AttackModule } from '@arbor/engine/attacks/types'
import { describe, expect, test } from 'vitest'
import { attackSuite } from './suite.ts'

const page = readFileSync(new URL('../../docs/attacks.md', import.meta.url), 'utf8')

describe('docs/attacks.md', () => {
  test('has a row for each attack, which says what its module says', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows).toEqual(
      ATTACKS.map(({ name, does, gains, caughtBy, within }) => {
        const reasons = caughtBy.map((reason) => `\`${reason}\``).join(', ')
        return `| \`${name}\` | ${does} | ${gains} | ${reasons} | ${within} |`
      }),
    )
  })
})

// Node strips no types below node_modules, so the page's example goes beside this test.
const example = new URL(`./.example-${process.pid}.ts`, import.meta.url)
writeFileSync(example, /^```ts run\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '')
const { shuffle } = (await import(pathToFileURL(fileURLToPath(example)).href)) as { readonly shuffle: AttackModule }
rmSync(example)

attackSuite({
  spec: 'inference-tiny',
  folder: fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url)),
  attacks: [shuffle],
  attacksOnly: true,
})
