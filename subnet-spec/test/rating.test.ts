import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type RatingShare, rateRound } from '../finetune/rating.ts'
import type { RatingTerms } from '../finetune/types.ts'
import { choicesFrom } from '../src/seed.ts'

interface Game {
  readonly terms: RatingTerms
  readonly rounds: readonly {
    readonly values: readonly (readonly [uid: number, value: number])[]
    readonly ratings: readonly (readonly [uid: number, mu: number, sigma: number])[]
  }[]
}

const { games } = JSON.parse(
  readFileSync(new URL('../../test/vectors/finetune/ratings.json', import.meta.url), 'utf8'),
) as { readonly games: readonly Game[] }
const usual: RatingTerms = { mu: 25, sigma: 25 / 3, beta: 25 / 6, tau: 25 / 300, bar: 0.35 }

test.each(
  games.map((game, index) => [index, game] as const),
)('rating equals the Python package openskill in game %i', (_, { terms, rounds }) => {
  const held = new Map<number, RatingShare>()
  for (const { values, ratings } of rounds) {
    const ranked = values.map(([uid, value]) => ({ before: held.get(uid) ?? null, value }))
    const rated = rateRound({ ranked, terms })
    for (const [index, [uid]] of values.entries()) {
      const rating = rated[index]
      if (rating !== undefined) held.set(uid, rating)
    }
    expect([...held.keys()].sort((a, b) => a - b)).toEqual(ratings.map(([uid]) => uid))
    for (const [uid, mu, sigma] of ratings) {
      expect(50 * (held.get(uid)?.average ?? Number.NaN)).toBeCloseTo(mu, 8)
      expect(50 * (held.get(uid)?.sigma ?? Number.NaN)).toBeCloseTo(sigma, 8)
    }
  }
})

test('rating is the same for equal values, whatever place they have', () => {
  const values = [0, 0.5, 0, 0.5, 0]
  const rated = rateRound({ ranked: values.map((value) => ({ before: null, value })), terms: usual })
  expect(new Set([0, 2, 4].map((index) => rated[index]?.average)).size).toBe(1)
  expect(rated[1]?.average).toBe(rated[3]?.average)
  expect(rated[1]?.average).toBeGreaterThan(rated[0]?.average ?? 1)
})

test('rating of a subnet in which all cheat falls below the bar', () => {
  let rated: readonly RatingShare[] = [0, 0, 0].map(() => ({ average: 0.5, sigma: 1 / 6 }))
  for (let round = 0; round < 3; round += 1)
    rated = rateRound({ ranked: rated.map((before) => ({ before, value: 0 })), terms: usual })
  expect(rated.every(({ average }) => average < 0.48)).toBe(true)
})

test('rating of a subnet in which all work rises above the bar, of many as of few', () => {
  for (const miners of [1, 4, 60]) {
    const choices = choicesFrom({ seed: `0x${'08'.repeat(32)}`, label: 'rating' })
    let rated: readonly RatingShare[] = Array.from({ length: miners }, () => ({ average: 0.5, sigma: 1 / 6 }))
    for (let round = 0; round < 20; round += 1)
      rated = rateRound({
        ranked: rated.map((before) => ({ before, value: 0.4 + choices.below(1_000) / 5_000 })),
        terms: usual,
      })
    expect(rated.every(({ average }) => average > 0.52)).toBe(true)
  }
})

test('rating stays between 0 and 50', () => {
  let rated: readonly RatingShare[] = [
    { average: 0.999, sigma: 0.3 },
    { average: 0.001, sigma: 0.3 },
  ]
  for (let round = 0; round < 20; round += 1)
    rated = rateRound({ ranked: rated.map((before, index) => ({ before, value: 1 - index })), terms: usual })
  expect(rated.map(({ average }) => average)).toEqual([1, 0])
})

test('rating of nobody is nothing', () => {
  expect(rateRound({ ranked: [], terms: usual })).toEqual([])
})
