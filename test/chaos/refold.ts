import type { ScoreFact, VerdictFact } from './facts.ts'

/**
 * Computes the scores that verdicts lead to, written anew from docs/scores.md: in each round a registration's average moves once, by the mean
 * of its verdicts; a uid's score goes when another registration of that uid is scored.
 */
export const refold = (verdicts: readonly VerdictFact[], halfLifeRounds: number): readonly ScoreFact[] => {
  const keep = 0.5 ** (1 / halfLifeRounds)
  const scores = new Map<number, ScoreFact>()
  const rounds = Map.groupBy(verdicts, ({ roundBlock }) => roundBlock)
  for (const roundBlock of [...rounds.keys()].sort((a, b) => a - b)) {
    const miners = Map.groupBy(rounds.get(roundBlock) ?? [], nameOf)
    for (const samples of miners.values()) {
      const [first] = samples
      if (first === undefined) continue
      const { hotkey, uid, registeredAt } = first
      const held = scores.get(uid)
      const before = held !== undefined && nameOf(held) === nameOf(first) ? held : undefined
      const [value, sigma] = mean(samples)
      const share = before === undefined ? 0 : keep
      scores.set(uid, {
        hotkey,
        uid,
        registeredAt,
        average: share * (before?.average ?? 0) + (1 - share) * value,
        sigma: Math.hypot(share * (before?.sigma ?? 0), (1 - share) * sigma),
        samples: (before?.samples ?? 0) + samples.length,
        lastRoundBlock: roundBlock,
      })
    }
  }
  return [...scores.values()].sort((a, b) => a.uid - b.uid)
}

const nameOf = ({ hotkey, uid, registeredAt }: Pick<ScoreFact, 'hotkey' | 'uid' | 'registeredAt'>): string =>
  `${hotkey}/${uid}/${registeredAt}`

/** Mean and its standard deviation; from four samples on the larger of what they declare and what they show. */
const mean = (samples: readonly VerdictFact[]): readonly [number, number] => {
  const n = samples.length
  const value = samples.reduce((sum, sample) => sum + sample.value, 0) / n
  const declared = samples.reduce((sum, { sigma }) => sum + sigma ** 2, 0) / n ** 2
  const spread = n < 4 ? 0 : samples.reduce((sum, sample) => sum + (sample.value - value) ** 2, 0) / (n - 1) / n
  return [value, Math.sqrt(Math.max(declared, spread))]
}

/** Says how two lists of scores differ; null when they do not. */
export const differenceOf = (held: readonly ScoreFact[], expected: readonly ScoreFact[]): string | null => {
  if (held.length !== expected.length) return `${held.length} scores, ${expected.length} expected`
  for (const [i, score] of held.entries()) {
    const other = expected[i]
    if (other === undefined || nameOf(score) !== nameOf(other)) return `score of ${nameOf(score)} not expected`
    const isSame =
      Math.abs(score.average - other.average) < 1e-12 &&
      Math.abs(score.sigma - other.sigma) < 1e-12 &&
      score.samples === other.samples &&
      score.lastRoundBlock === other.lastRoundBlock
    if (!isSame) return `uid ${score.uid}: ${JSON.stringify(score)}, expected ${JSON.stringify(other)}`
  }
  return null
}
