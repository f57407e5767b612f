import { concatBytes, toBytes } from '@arbor/shared/bytes'
import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'

/**
 * Derives the seed of a miner's task: everyone can compute it, nobody can choose it, no two miners get the same.
 * It is BLAKE2b-256 over "arbor/task-seed/1", block hash (32 bytes), netuid (u16), round (u64) and the miner's public key
 * (32 bytes), and for repeats the repeat's number (u32); integers little-endian.
 * @param of.blockHash the finalised block at which the round starts
 * @param of.repeat 0 for the round's own question, from 1 on where it asks the miner again
 */
export const taskSeed = (of: {
  readonly blockHash: Hex
  readonly netuid: NetUid
  readonly round: number
  readonly hotkey: Ss58
  readonly repeat?: number
}): Hex => {
  const numbers = new DataView(new ArrayBuffer(10))
  numbers.setUint16(0, of.netuid, true)
  numbers.setBigUint64(2, BigInt(of.round), true)
  const repeat = new DataView(new ArrayBuffer(of.repeat === undefined || of.repeat === 0 ? 0 : 4))
  if (repeat.byteLength > 0) repeat.setUint32(0, of.repeat ?? 0, true)
  return toHex(
    blake2b256(
      concatBytes(
        toBytes('arbor/task-seed/1'),
        fromHex(of.blockHash, 32),
        new Uint8Array(numbers.buffer),
        decodeSs58(of.hotkey),
        new Uint8Array(repeat.buffer),
      ),
    ),
  )
}

/** A stream of choices that a seed fixes. */
export interface SeededChoices {
  /** Draws an integer in [0, bound), without bias. */
  below(bound: number): number
  /** Draws one of the options. */
  pick<T>(options: readonly [T, ...T[]]): T
  /** Draws 32 bytes. */
  bytes32(): Hex
}

/**
 * Opens a stream of choices; streams of other labels are independent.
 * Block n of the stream is BLAKE2b-256 over "arbor/choices/1", label length (u8), label, seed (32 bytes), n (u32 little-endian).
 * @param of.label ASCII, at most 255 characters
 */
export const choicesFrom = (of: { readonly seed: Hex; readonly label: string }): SeededChoices => {
  const label = toBytes(of.label)
  const prefix = concatBytes(toBytes('arbor/choices/1'), Uint8Array.of(label.length), label, fromHex(of.seed, 32))
  let blocks = 0
  let words: number[] = []

  const block = (): Uint8Array => {
    const counter = new DataView(new ArrayBuffer(4))
    counter.setUint32(0, blocks, true)
    blocks += 1
    return blake2b256(concatBytes(prefix, new Uint8Array(counter.buffer)))
  }
  const word = (): number => {
    if (words.length === 0) {
      const bytes = block()
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      words = Array.from({ length: 8 }, (_, index) => view.getUint32(4 * index, true))
    }
    return words.shift() ?? 0
  }
  const below = (bound: number): number => {
    const fair = 2 ** 32 - (2 ** 32 % bound) // words from here on would favour the low results
    for (;;) {
      const drawn = word()
      if (drawn < fair) return drawn % bound
    }
  }
  return {
    below,
    pick: (options) => options[below(options.length)] ?? options[0],
    bytes32: () => toHex(block()),
  }
}
