import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { CheckShare } from '@arbor/shared/inference'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex, Ss58 } from '@arbor/shared/units'

/** What decides over one answer. */
export interface DrawOf {
  /** Hash of the first block that was made after the answer was there, once it is final: nobody knew it when the answer was signed. */
  readonly blockHash: Hex
  /** What the miner signed. */
  readonly answerHash: Hex
  /** The miner's. */
  readonly hotkey: Ss58
}

/**
 * Draws over an answer. It is BLAKE2b-256 over "arbor/audit-draw/1", the block's hash, the answer's hash and the miner's public key (32 bytes each).
 * @returns 32 bytes, by which the share of the answer is chosen too
 */
export const drawOf = ({ blockHash, answerHash, hotkey }: DrawOf): Hex =>
  toHex(
    blake2b256(
      concatBytes(toBytes('arbor/audit-draw/1'), fromHex(blockHash, 32), fromHex(answerHash, 32), decodeSs58(hotkey)),
    ),
  )

/** Tells whether a draw chooses its answer: its first 53 bits, as a number in [0, 1), are below the share. */
export const isDrawn = (draw: Hex, share: number): boolean =>
  Number(BigInt(`0x${draw.slice(2, 18)}`) >> 11n) / 2 ** 53 < share

/**
 * Says how much of a drawn answer is looked at.
 * @param of.positions of each chunk; all when absent
 * @returns undefined for all of it
 */
export const shareOf = (of: {
  readonly draw: Hex
  readonly chunks: number
  readonly look: number
  readonly positions?: number | undefined
}): CheckShare | undefined => {
  const { draw, chunks, look, positions } = of
  if (look >= chunks && positions === undefined) return undefined
  const looked = Math.min(look, chunks)
  return { draw, chunks: looked, ...(positions === undefined ? {} : { positions: positions * looked }) }
}
