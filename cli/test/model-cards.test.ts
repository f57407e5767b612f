import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseThresholds } from '@arbor/engine/thresholds'
import { expect, test } from 'vitest'

const cards: Readonly<Record<string, { readonly hash: string; readonly thresholds: unknown }>> = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../scripts/models/smollm2-cards.json', import.meta.url)), 'utf8'),
)

test.each(Object.entries(cards))('the recipe of SmolLM2 brings limits for its %s variant', (variant, {
  hash,
  thresholds,
}) => {
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
  const limits = parseThresholds(thresholds)
  expect(limits.map(({ proof }) => proof)).toContain('residue')
  expect(new Set(limits.map(({ profile }) => profile))).toEqual(new Set([variant]))
})
