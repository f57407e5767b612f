import { SubnetError } from '@arbor/shared/errors'
import type { Block, Blocks } from '@arbor/shared/units'

/**
 * Computes the length of a round: an epoch's blocks over its rounds, at least one block.
 * @throws SPEC_ROUNDS when either is no positive integer
 */
export const roundBlocks = (of: { readonly tempo: Blocks; readonly roundsPerEpoch: number }): Blocks => {
  const { tempo, roundsPerEpoch } = of
  if (!Number.isInteger(tempo) || !Number.isInteger(roundsPerEpoch) || tempo < 1 || roundsPerEpoch < 1) {
    throw new SubnetError({
      code: 'SPEC_ROUNDS',
      message: `Tempo ${tempo} and ${roundsPerEpoch} rounds an epoch make no round; both must be positive integers`,
    })
  }
  return Math.max(1, Math.floor(tempo / roundsPerEpoch)) as Blocks
}

/** Counts rounds from block 0; a round starts at every multiple of its length. */
export const roundOf = (of: { readonly block: Block; readonly length: Blocks }): number =>
  Math.floor(of.block / of.length)

/** Finds the block at which a round starts. */
export const roundStart = (of: { readonly round: number; readonly length: Blocks }): Block =>
  (of.round * of.length) as Block
