import type { Block, Ss58, Uid } from '@arbor/shared/units'

/** What consensus knows of one neuron. */
export interface ConsensusNeuron {
  readonly uid: Uid
  readonly hotkey: Ss58
  readonly registeredAt: Block
  readonly lastUpdate: Block
  readonly validatorPermit: boolean
  /** Stake weight, in rao. */
  readonly totalStake: bigint
}

/** What an epoch is computed from. */
export interface ConsensusInput {
  /** Block of the epoch. */
  readonly block: Block
  /** By uid; the uid is the index. */
  readonly neurons: readonly ConsensusNeuron[]
  /** Rows as the chain holds them, by uid. */
  readonly rows: ReadonlyMap<number, readonly (readonly [uid: number, weight: number])[]>
  /** Block of each hotkey's earliest commit that is not opened; empty where commit-reveal is off. */
  readonly commits: ReadonlyMap<string, Block>
  /** Uid of the subnet's owner, which always has a permit; null when it has none. */
  readonly owner: number | null
  readonly stakeThreshold: bigint
  readonly activityCutoff: number
  /** Share of stake that has to support a weight. */
  readonly kappa: number
  /** The chain's own consensus, which decides where exactly kappa of the stake supports a weight: there the chain's rounding does. */
  readonly held?: readonly number[] | undefined
}

/** One validator whose row counts. */
export interface CountedValidator {
  readonly uid: number
  /** Share of the stake that counts. */
  readonly stake: number
  /** Weights as shares of the row, by uid; entries that do not count are left out. */
  readonly row: ReadonlyMap<number, number>
  /** Sum of what consensus leaves of the row. */
  readonly trust: number
}

/** What the validators' rows come to. */
export interface Consensus {
  /** Highest weight that kappa of the stake supports, by uid. */
  readonly consensus: readonly number[]
  /** Those whose stake counts, by uid. */
  readonly validators: readonly CountedValidator[]
  /** Rows as shares, as far as they count, by uid; of validators without active stake too. */
  readonly rows: ReadonlyMap<number, ReadonlyMap<number, number>>
  /** Validator trust of each of them, by uid. */
  readonly trust: ReadonlyMap<number, number>
}

/** Stake that is so close to kappa could be on either side in the chain's 32 bits of fraction. */
const TIE = 1e-6
const U16 = 65_535

/**
 * Computes consensus and validator trust of one epoch in double precision; the chain has 32 bits of fraction and stores 16.
 * @source subtensor@14bc6f9 epoch steps 1 to 7
 */
export const consensusOf = (of: ConsensusInput): Consensus => {
  const shares = new Map(of.neurons.map(({ uid }) => [uid as number, rowOf(of, uid)] as const))
  const stakes = activeStakes(of)
  const counted = [...stakes].flatMap(([uid, stake]) => {
    const row = shares.get(uid)
    return stake > 0 && row !== undefined ? [{ uid, stake, row }] : []
  })
  const consensus = of.neurons.map(({ uid }) =>
    medianOf(
      counted.map(({ stake, row }) => ({ score: row.get(uid) ?? 0, stake })),
      { kappa: of.kappa, held: of.held?.[uid] },
    ),
  )
  const trustOf = (row: ReadonlyMap<number, number>): number =>
    [...row].reduce((sum, [uid, share]) => sum + Math.min(share, consensus[uid] ?? 0), 0)
  return {
    consensus,
    validators: counted.map(({ uid, stake, row }) => ({ uid, stake, row, trust: trustOf(row) })),
    rows: shares,
    trust: new Map([...shares].flatMap(([uid, row]) => (row.size === 0 ? [] : [[uid, trustOf(row)] as const]))),
  }
}

/** Gives a row's entries that count, as shares of their sum. */
const rowOf = (of: ConsensusInput, uid: number): ReadonlyMap<number, number> => {
  const from = of.neurons[uid]
  const row = of.rows.get(uid)
  if (from === undefined || row === undefined || !hasPermit(of, from)) return new Map()
  const committed = of.commits.get(from.hotkey)
  const counts = row.filter(([to, weight]) => {
    const target = of.neurons[to]
    if (target === undefined || weight === 0) return false
    if (to === uid && uid !== of.owner) return false
    if (from.lastUpdate <= target.registeredAt) return false // the uid changed hands since
    return committed === undefined || committed >= target.registeredAt
  })
  const sum = counts.reduce((total, [, weight]) => total + weight, 0)
  return new Map(counts.map(([to, weight]) => [to, weight / sum]))
}

const hasPermit = ({ owner }: ConsensusInput, { uid, validatorPermit }: ConsensusNeuron): boolean =>
  validatorPermit || uid === owner

/** Gives the stake shares that count: of active validators with a permit, above the threshold. */
const activeStakes = (of: ConsensusInput): ReadonlyMap<number, number> => {
  const counting = of.neurons.map((neuron) => {
    const { uid, lastUpdate, totalStake } = neuron
    const isActive = lastUpdate + of.activityCutoff >= of.block
    const isEnough = totalStake >= of.stakeThreshold || uid === of.owner
    return isActive && isEnough && hasPermit(of, neuron) ? Number(totalStake) : 0
  })
  const sum = counting.reduce((total, stake) => total + stake, 0)
  return new Map(counting.map((stake, uid) => [uid, sum === 0 ? 0 : stake / sum]))
}

/** Finds the score below which at most 1 − kappa of the stake is, and at or below which more is. */
const medianOf = (
  votes: readonly { readonly score: number; readonly stake: number }[],
  { kappa, held }: { readonly kappa: number; readonly held: number | undefined },
): number => {
  const byScore = votes.toSorted((a, b) => a.score - b.score)
  const minority = votes.reduce((sum, { stake }) => sum + stake, 0) - kappa
  const found: number[] = []
  let below = 0
  for (const { score, stake } of byScore) {
    const upTo = below + stake
    if (upTo > minority + TIE) return nearest([...found, score], held)
    if (upTo > minority - TIE) found.push(score)
    below = upTo
  }
  return nearest(found.length > 0 ? found : [byScore.at(-1)?.score ?? 0], held)
}

const nearest = (candidates: readonly number[], held: number | undefined): number => {
  const [first = 0] = candidates
  if (held === undefined) return candidates.at(-1) ?? 0
  const distance = (score: number): number => Math.abs(Math.floor(score * U16) - held * U16)
  return candidates.reduce((best, score) => (distance(score) < distance(best) ? score : best), first)
}
