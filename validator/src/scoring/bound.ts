/**
 * Bounds by how much the averages of two validators for one registration can differ.
 * @param of.apart their difference when both had one first: 0 where both began in the same round with the same value, 1 at most
 * @param of.rounds rounds since
 * @param of.differing of these, rounds in which their values differ, or only one has any: a time-out, a skipped round, a time close to
 * the end of a class
 * @returns a difference in [0, 1]; 0 where nothing differs
 */
export const averageBound = (of: {
  readonly halfLifeRounds: number
  readonly apart: number
  readonly rounds: number
  readonly differing: number
}): number => {
  const keep = 0.5 ** (1 / of.halfLifeRounds)
  return Math.min(1, of.apart * keep ** of.rounds + 1 - keep ** of.differing)
}
