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
 * Rates a round: a game of all who were judged, ranked by their values, equal ones tied. A new player is at each game, the bar. What it wins
 * or loses is taken from all, so that ratings are distances from it. Without it they would only say who is better than whom: a subnet of cheats would look like one of
 * honest miners, and half of these would always be below the middle.
 * @returns in the order of `ranked`
 */
export const rateRound = (of: {
  readonly ranked: readonly Ranked[]
  readonly terms: RatingTerms
}): readonly RatingShare[] => {
  const { ranked, terms } = of
  if (ranked.length === 0) return []
  const { mu, sigma, beta, tau } = terms
  const fresh = { mu, sigma }
  const players = [fresh, ...ranked.map(({ before }) => (before === null ? fresh : fromShare(before)))]
  const rank = ranksOf([terms.bar, ...ranked.map(({ value }) => value)])
  const rated = rate(
    players.map((player) => [player]),
    { rank, model: plackettLuce, mu, sigma, beta, tau },
  ).flat()
  const [bar = fresh, ...others] = rated
  return others.map((player) => toShare({ ...player, mu: player.mu + mu - bar.mu }))
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
