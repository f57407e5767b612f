import type { Block, Ss58, Uid } from '@arbor/shared/units'
import { describe, expect, test } from 'vitest'
import { currentScores, moveScore, registrationOf, type Score } from '../src/scores.ts'
import { neuron } from './fixtures.ts'

const registration = { hotkey: '5Fhotkey1' as Ss58, uid: 1 as Uid, registeredAt: 5 as Block }
const move = (before: Score | undefined, value: number, sigma = 0): Score =>
  moveScore({ before, registration, value, sigma, roundBlock: 10 as Block, halfLifeRounds: 2 })

describe('moveScore', () => {
  test('takes the first verdict as it is', () => {
    expect(move(undefined, 0.75)).toMatchObject({ average: 0.75, samples: 1 })
  })

  test('halves an old verdict after one half-life', () => {
    const twoRoundsLater = move(move(move(undefined, 1), 0), 0)
    expect(twoRoundsLater.average).toBeCloseTo(0.5, 12)
  })

  test('reduces sigma as samples come in', () => {
    const sigmas = [1, 2, 3, 4]
      .reduce<Score[]>((scores) => [...scores, move(scores.at(-1), 1, 0.1)], [])
      .map(({ sigma }) => sigma)
    expect(sigmas).toEqual([...sigmas].sort((a, b) => b - a))
    expect(sigmas[0]).toBe(0.1)
  })
})

describe('currentScores', () => {
  const score = move(undefined, 1)

  test('keeps the score of a registration that still holds its uid', () => {
    expect(currentScores({ scores: [score], neurons: [neuron()], oldestRoundBlock: 10 as Block })).toEqual([score])
  })

  test('drops the score when the uid was taken by another hotkey', () => {
    expect(
      currentScores({ scores: [score], neurons: [neuron({ hotkey: '5Fother' })], oldestRoundBlock: 0 as Block }),
    ).toEqual([])
  })

  test('drops the score when the same hotkey registered anew', () => {
    expect(
      currentScores({ scores: [score], neurons: [neuron({ registeredAt: 9 })], oldestRoundBlock: 0 as Block }),
    ).toEqual([])
  })

  test('drops a stale score', () => {
    expect(currentScores({ scores: [score], neurons: [neuron()], oldestRoundBlock: 11 as Block })).toEqual([])
  })
})

test('registrationOf picks the identity out of a neuron', () => {
  expect(registrationOf(neuron())).toEqual(registration)
})
