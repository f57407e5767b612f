import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import type { Block } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { eraBlocks } from '../../src/weights/era.ts'
import { WEIGHT_TRANSITIONS } from '../../src/weights/machine.ts'
import { type ChainRule, nextAllowed, type WeightFacts } from '../../src/weights/next-allowed.ts'
import { REFUSALS, refusalOf } from '../../src/weights/outcome.ts'
import { hyperparameters, metagraph, neuron } from '../fixtures.ts'

const page = readFileSync(new URL('../../../docs/weights.md', import.meta.url), 'utf8')
/** First cells of the table under a heading. */
const cells = (heading: string): readonly string[] => {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
  )
}
/** A validator that set weights in block 100 and may again in block 120. */
const facts: WeightFacts = {
  metagraph: metagraph({ block: { number: 105, hash: `0x${'11'.repeat(32)}` } as never }),
  hyperparameters: hyperparameters(),
  me: neuron(),
  mechanism: 0,
  rules: { mechanisms: 1, lastUpdate: 100 as Block, maxWeight: 65_535, freezeBlocks: 0, failedAt: null },
  clock: {
    ...{ enabled: false, revealPeriod: 1, epoch: 9, epochDue: false, version: 4, rateLimit: 20 as never },
    ...{ lastStoredRound: null, now: 0 as never },
    schedule: {
      ...{ block: 105 as Block, lastEpochBlock: 95 as Block, pendingEpochAt: 0 as Block },
      ...{ tempo: 10 as never, blocksSinceLastStep: 10 as never },
    },
  },
  commits: [],
}

describe('page on weights', () => {
  it('names every state, rule and outcome, and no others', () => {
    expect([...cells('The states of a row')].sort()).toEqual(Object.keys(WEIGHT_TRANSITIONS).sort())
    const rules: Record<ChainRule, true> = {
      ...{ registered: true, pause: true, stake: true, 'rate-limit': true, 'commit-reveal': true, mechanism: true },
      ...{ 'commits-full': true, 'reveal-window': true, 'reveal-expired': true, 'no-epochs': true },
      ...{ version: true, permit: true, 'row-length': true, 'row-share': true },
    }
    expect([...cells('When the chain allows it')].sort()).toEqual(Object.keys(rules).sort())
    expect(cells('Outcomes')).toEqual(Object.keys(REFUSALS))
    for (const [kind, { cure, means }] of Object.entries(REFUSALS))
      expect(page).toContain(`| \`${kind}\` | ${cure} | ${means} |`)
  })

  it('shows an example that prints what it says', () => {
    const example = /^```ts\n([\s\S]*?)^```/m.exec(page)?.[1] ?? ''
    const expected = [...example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
    const printed: string[] = []
    const body = stripTypeScriptTypes(example.replace(/^import .*$/gm, ''))
    const log = (value: unknown): void =>
      void printed.push(
        Array.isArray(value)
          ? `[ ${value.map((each) => (typeof each === 'string' ? `'${each}'` : each)).join(', ')} ]`
          : `${value}`,
      )
    new Function('nextAllowed', 'eraBlocks', 'refusalOf', 'facts', 'console', body)(
      nextAllowed,
      eraBlocks,
      refusalOf,
      facts,
      { log },
    )
    expect(printed).toEqual(expected)
    expect(printed).toHaveLength(3)
  })
})
