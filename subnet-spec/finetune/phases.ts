import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks } from '@arbor/shared/units'
import { roundOf, roundStart } from '../src/rounds.ts'
import type { Phases, PhaseTerms } from './types.ts'

/** Tells which round a block belongs to. */
export const roundAt = roundOf

/**
 * Computes a round's phases: each end is the round's share of blocks, rounded down, after its start.
 * @throws SPEC_PHASES when one phase would be without a block
 */
export const phasesOf = (of: {
  readonly terms: PhaseTerms
  readonly length: Blocks
  readonly round: number
}): Phases => {
  const { terms, length, round } = of
  const start = roundStart({ round, length })
  const at = (share: number): Block => (start + Math.floor(share * length)) as Block
  const phases: Phases = {
    round,
    start,
    length,
    publishBy: at(terms.publish),
    voteBy: at(terms.vote),
    end: (start + length - 1) as Block,
  }
  // NaN fails these too
  if (start < phases.publishBy && phases.publishBy < phases.voteBy && phases.voteBy < phases.end) return phases
  throw new SubnetError({
    code: 'SPEC_PHASES',
    message: `Of a round of ${length} blocks, publishing until ${terms.publish} and voting until ${terms.vote} leave a phase without a block; choose ascending shares below 1, or longer rounds`,
  })
}
