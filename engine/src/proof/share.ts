import { createHash } from 'node:crypto'
import { fromHex } from '@arbor/shared/hex'
import type { CheckShare } from '@arbor/shared/inference'
import { fillStream } from '../noise.ts'
import { CHUNK_TOKENS } from '../toploc.ts'

/** The part of an answer that a check looks at. */
export interface Part {
  /** Tokens from the first to the last of the last chosen chunk; what a prefill has to see. */
  readonly end: number
  /** Positions whose tokens are drawn again, ascending. */
  readonly positions: readonly number[]
}

/**
 * Chooses the part of an answer by a draw: random chunks, and random positions up to the last of them. Chunks ahead of a chosen one
 * are compared too, since the prefill has them anyway; so is the answer's last token where its chunk is.
 * @param share all of the answer when absent
 */
export const choosePart = (tokens: number, share: CheckShare | undefined): Part => {
  const all = Array.from({ length: tokens }, (_, position) => position)
  if (share === undefined) return { end: tokens, positions: all }
  const chunks = Math.ceil(tokens / CHUNK_TOKENS)
  const chosen = chooseSome(chunks, share.chunks ?? chunks, share, 'chunks')
  const end = Math.min(tokens, ((chosen.at(-1) ?? chunks - 1) + 1) * CHUNK_TOKENS)
  if (share.positions === undefined) {
    return { end, positions: all.filter((position) => chosen.includes(Math.floor(position / CHUNK_TOKENS))) }
  }
  const positions = new Set(chooseSome(end, share.positions, share, 'positions'))
  if (end === tokens) positions.add(tokens - 1) // where an answer ends is what a lazy miner forges first
  return { end, positions: [...positions].sort((first, second) => first - second) }
}

/** Chooses so many of the numbers from 0 up to a bound, at least one, by the first steps of a Fisher–Yates shuffle; ascending. */
const chooseSome = (bound: number, count: number, { draw }: CheckShare, label: string): number[] => {
  const wanted = Math.max(1, Math.min(bound, Math.floor(count)))
  const outputs = new Uint32Array(wanted)
  fillStream(createHash('sha256').update(`arbor/share/1 ${label}`).update(fromHex(draw, 32)).digest(), outputs)
  const numbers = Array.from({ length: bound }, (_, index) => index)
  for (let index = 0; index < wanted; index++) {
    const other = index + Math.floor(((outputs[index] ?? 0) / 2 ** 32) * (bound - index))
    const taken = numbers[other] ?? 0
    numbers[other] = numbers[index] ?? 0
    numbers[index] = taken
  }
  return numbers.slice(0, wanted).sort((first, second) => first - second)
}
