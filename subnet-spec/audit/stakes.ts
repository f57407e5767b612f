/** What a registration earns and what a new one costs, in one unit whichever. */
export interface Stakes {
  /** Emission of the miner in one round. */
  readonly emissionPerRound: number
  /** Price of a registration. */
  readonly burn: number
  /** Rounds until a new registration earns as the old one did. */
  readonly idleRounds: number
  /** Rounds for which a proven cheat has no weight. */
  readonly forfeitRounds: number
}

/**
 * Computes what a miner loses when it is found: nothing is slashed, so it is what it does not earn. It waits, or burns for a new registration,
 * whichever is cheaper to it: min(forfeitRounds · e, burn + idleRounds · e).
 */
export const lossWhenFound = ({ emissionPerRound, burn, idleRounds, forfeitRounds }: Stakes): number =>
  Math.min(forfeitRounds * emissionPerRound, burn + idleRounds * emissionPerRound)

/**
 * Bounds what honest work on the answers of one round costs: nobody stays who pays more for it than it earns, so the cost is taken to be
 * all that is earned, which favours the cheat.
 */
export const workInRound = ({ emissionPerRound }: Stakes): number => emissionPerRound
