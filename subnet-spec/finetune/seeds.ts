import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { choicesFrom, taskSeed } from '../src/seed.ts'
import type { GauntletTerms } from './types.ts'

interface RoundSeed {
  /** Of a finalised block. */
  readonly blockHash: Hex
  readonly netuid: NetUid
  readonly round: number
}

interface MinerSeed extends RoundSeed {
  readonly hotkey: Ss58
}

/** Derives what a miner's round is known by: the task's seed. @param of.blockHash of the round's first block */
export const assignedSeed = ({ blockHash, netuid, round, hotkey }: MinerSeed): Hex =>
  taskSeed({ blockHash, netuid, round, hotkey })

/**
 * Derives a seed that all of a round share: BLAKE2b-256 over "arbor/round-seed/1", the block's hash (32 bytes), netuid (u16) and round (u64), integers
 * little-endian.
 */
export const roundSeed = ({ blockHash, netuid, round }: RoundSeed): Hex => {
  const numbers = Buffer.alloc(10)
  numbers.writeUInt16LE(netuid, 0)
  numbers.writeBigUInt64LE(BigInt(round), 2)
  return toHex(blake2b256(concatBytes(toBytes('arbor/round-seed/1'), fromHex(blockHash, 32), numbers)))
}

/** Derives which windows nobody was given; the same for all miners of a round. @param of.blockHash of `publishBy`: all had committed by then */
export const unseenSeed = roundSeed

/**
 * Draws whether a miner's round is replayed, and which part of it.
 * @param of.blockHash of `publishBy`
 * @returns null where it is not; segment `segments` is the compression of the update
 */
export const replayOf = (
  of: MinerSeed & { readonly terms: Pick<GauntletTerms, 'segments' | 'replayShare'> },
): { readonly segment: number } | null => {
  const choices = choicesFrom({ seed: taskSeed(of), label: 'replay' })
  const isDrawn = choices.below(2 ** 32) < of.terms.replayShare * 2 ** 32
  return isDrawn ? { segment: choices.below(of.terms.segments + 1) } : null
}

/**
 * Draws passes of a miner's round whose data its update is measured on, ascending, none twice.
 * @param of.blockHash of `publishBy`
 * @param of.passes that the round has
 * @param of.batches that are measured; all of them where the round has no more
 */
export const measuredPasses = (
  of: MinerSeed & { readonly passes: number; readonly batches: number },
): readonly number[] => {
  const choices = choicesFrom({ seed: taskSeed(of), label: 'measured' })
  const drawn = new Set<number>()
  // Floyd's sampling: each set of so many is as likely as any other
  for (let top = Math.max(0, of.passes - of.batches); top < of.passes; top += 1) {
    const pass = choices.below(top + 1)
    drawn.add(drawn.has(pass) ? top : pass)
  }
  return [...drawn].sort((a, b) => a - b)
}
