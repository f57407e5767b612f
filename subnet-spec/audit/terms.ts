/** What a proven cheat costs in a subnet, and how surely it is found. */
export interface AuditTerms {
  /** Reasons of verdicts that honest miners do not get. */
  readonly forfeits: readonly string[]
  /** Rounds for which a miner with such a verdict has no weight. */
  readonly forfeitRounds: number
  /** Least probability, in (0, 1), with which a miner that cheats in all users' answers of an epoch is found in it. */
  readonly detection: number
  /** The cheats that are reckoned with. */
  readonly attacks: readonly AuditedAttack[]
  /** Positions of a looked-at chunk that are drawn again; all when absent. */
  readonly positions?: number
}

/** A cheat, as far as audits are concerned. */
export interface AuditedAttack {
  readonly name: string
  /** Share of an honest answer's cost that it saves, at most 1; 0 or less for one that costs more. */
  readonly saving: number
  /** Probability that one looked-at chunk of its making shows it, in (0, 1]; measured. */
  readonly perChunk: number
  /** True when it spoils a single chunk of an answer. */
  readonly isLocal?: true
}

/** Says what is wrong with the terms; null when nothing is. */
export const faultOfTerms = (terms: AuditTerms): string | null => {
  const { forfeits, forfeitRounds, detection, attacks, positions = 1 } = terms
  if (!Number.isInteger(forfeitRounds) || forfeitRounds < 1)
    return `forfeitRounds is ${forfeitRounds}; use an integer from 1`
  if (!(detection > 0 && detection < 1)) return `detection is ${detection}; use a number in (0, 1)`
  if (forfeits.includes('ok')) return 'forfeits has "ok"; name reasons that honest miners do not get'
  if (!Number.isInteger(positions) || positions < 1) return `positions is ${positions}; use an integer from 1`
  for (const { name, saving, perChunk } of attacks) {
    if (!(saving <= 1)) return `attack "${name}" saves ${saving}; use a share up to 1`
    if (!(perChunk > 0 && perChunk <= 1)) return `attack "${name}" has perChunk ${perChunk}; use a number in (0, 1]`
  }
  return null
}
