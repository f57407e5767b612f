import type { Block } from '@arbor/shared/units'
import { rateRound } from '@arbor/subnet-spec/finetune/rating'
import type { RatingTerms } from '@arbor/subnet-spec/finetune/types'
import type { Registration, Score } from '../scores.ts'

/** What a round says of a registration: the mean of its verdicts. */
export interface RoundMean {
  readonly before: Score | undefined
  readonly registration: Registration
  readonly value: number
  readonly sigma: number
  readonly samples: number
}

/** Moves the ratings of all who were judged in a round, by their ranks. Who was not keeps its own. */
export const moveRatings = ({
  means,
  roundBlock,
  terms,
}: {
  readonly means: readonly RoundMean[]
  readonly roundBlock: Block
  readonly terms: RatingTerms
}): readonly Score[] => {
  const ratings = rateRound({ ranked: means.map(({ before = null, value }) => ({ before, value })), terms })
  return means.flatMap(({ before, registration, samples }, index) => {
    const rating = ratings[index]
    if (rating === undefined) return []
    const moved = { samples: (before?.samples ?? 0) + samples, lastRoundBlock: roundBlock }
    return [{ ...registration, ...rating, ...moved }]
  })
}
