import type { Uid } from '@arbor/shared/units'
import type { RepeatTerms } from '@arbor/subnet-spec/define'
import type { Score } from '../scores.ts'

/**
 * Chooses who is asked again: neighbours of the ranking whose averages differ by no more than k standard deviations of the difference, so
 * that noise could have ranked them. Equal averages are no ranking.
 * @param scores averages as they stand with the round's verdicts so far, of the miners that answered well each time
 */
export const undecided = (scores: readonly Score[], { k }: Pick<RepeatTerms, 'k'>): ReadonlySet<Uid> => {
  const ranking = scores.toSorted((a, b) => b.average - a.average || a.uid - b.uid)
  const pairs = ranking.slice(1).flatMap((lower, index) => {
    const upper = ranking[index]
    return upper === undefined ? [] : [[upper, lower] as const]
  })
  return new Set(
    pairs
      .filter(([upper, lower]) => {
        const margin = upper.average - lower.average
        return margin > 0 && margin <= k * Math.hypot(upper.sigma, lower.sigma)
      })
      .flatMap(([upper, lower]) => [upper.uid, lower.uid]),
  )
}
