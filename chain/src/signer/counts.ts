import type { Rule, SignKind } from './rules.ts'

/** What a signer has done since it began. */
export interface Counts {
  readonly signed: Record<SignKind, number>
  /** Refusals by rule. */
  readonly refused: Partial<Record<Rule, number>>
  /** Connections that were taken, that showed another token, that spoke something else, and that said nothing in time. */
  readonly connections: { open: number; taken: number; wrongToken: number; garbage: number; late: number }
}

export const createCounts = (): Counts => ({
  signed: { certificate: 0, extrinsic: 0, synapse: 0, head: 0 },
  refused: {},
  connections: { open: 0, taken: 0, wrongToken: 0, garbage: 0, late: 0 },
})
