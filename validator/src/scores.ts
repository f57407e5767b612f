import type { Neuron } from '@arbor/chain/client/types'
import type { Block, Ss58, Uid } from '@arbor/shared/units'

/** Whose score it is. A uid that changes hands is another registration, so its score never passes on. */
export interface Registration {
  readonly hotkey: Ss58
  readonly uid: Uid
  readonly registeredAt: Block
}

/** A registration's moving average of verdict values; in a training subnet its rating, both numbers as shares of 50. */
export interface Score extends Registration {
  /** In [0, 1]. */
  readonly average: number
  /** Standard deviation of the average's noise, from the verdicts' sigmas; the rating's doubt. */
  readonly sigma: number
  /** Verdicts that moved it, repeats among them. */
  readonly samples: number
  /** Start block of the last round that counted. */
  readonly lastRoundBlock: Block
}

/** Names a registration as one string, for maps and tables. */
export const registrationKey = ({ hotkey, uid, registeredAt }: Registration): string =>
  `${hotkey}/${uid}/${registeredAt}`

/** Picks a neuron's identity out of its state. */
export const registrationOf = ({ hotkey, uid, registeredAt }: Neuron): Registration => ({ hotkey, uid, registeredAt })

/**
 * Moves an average by a round's value. The first is the average.
 * @param halfLifeRounds rounds after which a value weighs half
 */
export function moveScore({
  before,
  registration,
  value,
  sigma,
  samples = 1,
  roundBlock,
  halfLifeRounds,
}: {
  readonly before: Score | undefined
  readonly registration: Registration
  readonly value: number
  readonly sigma: number
  /** Verdicts that the value is the mean of. */
  readonly samples?: number
  readonly roundBlock: Block
  readonly halfLifeRounds: number
}): Score {
  const keep = before === undefined ? 0 : 0.5 ** (1 / halfLifeRounds)
  const average = keep * (before?.average ?? 0) + (1 - keep) * value
  const variance = (keep * (before?.sigma ?? 0)) ** 2 + ((1 - keep) * sigma) ** 2
  return {
    ...registration,
    average,
    sigma: Math.sqrt(variance),
    samples: (before?.samples ?? 0) + samples,
    lastRoundBlock: roundBlock,
  }
}

/**
 * Chooses the scores that may become weights: those of registrations that still hold their uid, and that are fresh.
 * @param oldestRoundBlock scores whose last round started before this block are stale
 */
export function currentScores({
  scores,
  neurons,
  oldestRoundBlock,
}: {
  readonly scores: readonly Score[]
  readonly neurons: readonly Neuron[]
  readonly oldestRoundBlock: Block
}): readonly Score[] {
  const registered = new Set(neurons.map((neuron) => registrationKey(registrationOf(neuron))))
  return scores
    .filter((score) => registered.has(registrationKey(score)) && score.lastRoundBlock >= oldestRoundBlock)
    .sort((a, b) => a.uid - b.uid)
}

/** Turns the current scores into rewards; who forfeited has none. */
export function rewardsOf(
  of: Parameters<typeof currentScores>[0] & {
    readonly forfeits: readonly Registration[]
    readonly reward: (average: number) => number
  },
): readonly (readonly [uid: Uid, reward: number])[] {
  const forfeited = new Set(of.forfeits.map(registrationKey))
  return currentScores(of).map((score) => [
    score.uid,
    forfeited.has(registrationKey(score)) ? 0 : of.reward(score.average),
  ])
}
