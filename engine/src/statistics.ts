/** Chance of refusing an honest answer for its number of mismatches alone that the limit leaves. */
const MISMATCH_RISK = 1e-9

/**
 * Counts the mismatches that an answer may have: the fewest that an honest one, whose tokens mismatch at the given rate, exceeds with
 * a probability below 1e-9.
 */
export const mismatchesAllowed = (positions: number, rate: number): number => {
  if (rate >= 1) return positions
  let term = (1 - rate) ** positions // probability of exactly `count` mismatches
  let above = 1 - term
  let count = 0
  while (above > MISMATCH_RISK && count < positions) {
    term *= ((positions - count) / (count + 1)) * (rate / (1 - rate))
    above -= term
    count++
  }
  return count
}

/** Bounds a share from k of n: the 95 % interval of Clopper and Pearson. */
export const shareInterval = (k: number, n: number): readonly [number, number] => [
  k === 0 ? 0 : quantile((share) => 1 - binomialBelow(k - 1, n, share), 0.025),
  k === n ? 1 : quantile((share) => 1 - binomialBelow(k, n, share), 0.975),
]

/** Bounds a share from above when none of n was seen, or k: the one-sided 95 % bound; 3 ⁄ n for none. */
export const shareBound = (k: number, n: number): number =>
  k === n ? 1 : quantile((share) => 1 - binomialBelow(k, n, share), 0.95)

/** Sums the binomial probabilities of 0 to k successes, in logarithms so that large n do not underflow. */
const binomialBelow = (k: number, n: number, share: number): number => {
  if (share <= 0) return 1
  if (share >= 1) return k >= n ? 1 : 0
  let logTerm = n * Math.log1p(-share)
  let sum = Math.exp(logTerm)
  for (let count = 1; count <= k; count++) {
    logTerm += Math.log((n - count + 1) / count) + Math.log(share) - Math.log1p(-share)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}

/** Finds where a rising function of [0, 1] takes a value, by halving. */
const quantile = (rising: (share: number) => number, value: number): number => {
  let low = 0
  let high = 1
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (rising(middle) < value) low = middle
    else high = middle
  }
  return (low + high) / 2
}
