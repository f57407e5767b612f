import { clamp } from '@arbor/shared/math'
import { type Rating, rate } from 'openskill'
import { plackettLuce } from 'openskill/models'
import type { RatingTerms } from './types.ts'

/** Largest rating; scores are shares of it. */
export const MOST_RATING = 50

/** A rating as a score keeps it: shares of `MOST_RATING`. */
export interface RatingShare {
  readonly average: number
  readonly sigma: number
}

/** One miner's part in a round. */
export interface Ranked {
  /** Null for who was never rated. */
  readonly before: RatingShare | null
  /** Value of its verdict; 0 for all that failed. */
  readonly value: number
}

/**
 * Rates a round: a game of all who were judged, ranked by their values, equal ones tied. A player stands among them at `bar` whose
 * rating never moves. Without it the ratings would only say who is better than whom, and a subnet of cheats would look like one of honest miners.
 * @returns in the order of `ranked`
 */
export const rateRound = (of: {
  readonly ranked: readonly Ranked[]
  readonly terms: RatingTerms
}): readonly RatingShare[] => {
  const { ranked, terms } = of
  if (ranked.length === 0) return []
  const bar = { mu: terms.mu, sigma: 0 }
  const teams = [bar, ...ranked.map(({ before }) => (before === null ? fresh(terms) : fromShare(before)))]
  const rank = ranksOf([terms.bar, ...ranked.map(({ value }) => value)])
  const { mu, sigma, beta, tau } = terms
  const rated = rate(
    teams.map((player) => [player]),
    { rank, model: plackettLuce, mu, sigma, beta, tau },
  )
  return rated.slice(1).flatMap((team) => team.map(toShare))
}

/** Ranks values from 1, the largest first, equal ones alike. A rank or score of 0 would be taken by the library for none: ties would break. */
const ranksOf = (values: readonly number[]): number[] =>
  values.map((value) => 1 + values.filter((other) => other > value).length)

/** Says on OpenSkill's own scale what a score keeps. */
export const fromShare = ({ average, sigma }: RatingShare): Rating => ({
  mu: average * MOST_RATING,
  sigma: sigma * MOST_RATING,
})

const toShare = ({ mu, sigma }: Rating): RatingShare => ({
  average: clamp(mu, 0, MOST_RATING) / MOST_RATING,
  sigma: sigma / MOST_RATING,
})

const fresh = ({ mu, sigma }: RatingTerms): Rating => ({ mu, sigma })
