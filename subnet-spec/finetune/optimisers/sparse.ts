import { type BitReader, type BitWriter, malformed } from './bits.ts'
import { isHigh, isScale, type Levels, levelsOf, lowOf, RATIO_BITS, SCALE_BITS, scaleOf } from './levels.ts'
import { topK } from './top-k.ts'

/**
 * A chunk's largest entries in bits: 4 for the Rice parameter b, 15 for the larger magnitude, 6 for the smaller one, and for each entry, by index,
 * the gap to the one before (gap ÷ 2^b in unary, ones closed by a zero; the rest in b bits), one bit for the sign and one for the magnitude.
 * With 64 of 4 096 that is 10 bits an entry; where they stand costs at least 7.4 of them (log2 of all choices).
 */
const RICE_BITS = 4
const HEAD_BITS = RICE_BITS + SCALE_BITS + RATIO_BITS
const VALUE_BITS = 2
const MOST_RICE = 15

/** Room for one chunk's work, so that none is made anew for each. */
export interface Scratch {
  readonly indices: Uint32Array
  readonly magnitudes: Float32Array
}

/** Makes room for chunks of which k are kept. */
export const scratchFor = (of: { readonly k: number }): Scratch => ({
  indices: new Uint32Array(of.k),
  magnitudes: new Float32Array(of.k),
})

/** Most bits of a chunk: of the best Rice parameter for the worst indices. */
export const mostBits = (of: { readonly length: number; readonly kept: number }): number => {
  const costs = Array.from(
    { length: MOST_RICE + 1 },
    (_, rice) => of.kept * (rice + 1) + Math.floor((of.length - of.kept) / 2 ** rice),
  )
  return HEAD_BITS + of.kept * VALUE_BITS + Math.min(...costs)
}

/** Least bits of a chunk. */
export const leastBits = (of: { readonly kept: number }): number => HEAD_BITS + of.kept * (VALUE_BITS + 1)

/** Writes a chunk's k largest entries in 2 bits. */
export const writeChunk = (of: {
  readonly writer: BitWriter
  readonly values: Float32Array
  readonly kept: number
  readonly scratch: Scratch
}): void => {
  const { writer, values, kept, scratch } = of
  const { indices, magnitudes } = scratch
  topK(values, kept, indices)
  for (let i = 0; i < kept; i += 1) magnitudes[i] = Math.abs(values[indices[i] ?? 0] ?? 0)
  const levels = levelsOf(magnitudes, kept)
  const rice = riceOf(indices, kept)
  writer.put(rice, RICE_BITS)
  writer.put(levels.scale, SCALE_BITS)
  writer.put(levels.ratio, RATIO_BITS)
  const [low, high] = [lowOf(levels.scale, levels.ratio), scaleOf(levels.scale)]
  let next = 0
  for (let i = 0; i < kept; i += 1) {
    const index = indices[i] ?? 0
    writeGap(writer, index - next, rice)
    const sign = (values[index] ?? 0) < 0 ? 1 : 0
    writer.put(sign | (isHigh(magnitudes[i] ?? 0, low, high) ? 2 : 0), VALUE_BITS)
    next = index + 1
  }
}

const writeGap = (writer: BitWriter, gap: number, rice: number): void => {
  for (let ones = gap >>> rice; ones > 0; ones -= 8) writer.put(255, Math.min(8, ones))
  writer.put(0, 1)
  writer.put(gap & ((1 << rice) - 1), rice)
}

/** Finds the parameter that makes the gaps shortest; the smallest of equally good ones. */
const riceOf = (indices: Uint32Array, kept: number): number => {
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (let rice = 0; rice <= MOST_RICE; rice += 1) {
    let bits = kept * (rice + 1)
    let next = 0
    for (let i = 0; i < kept && bits < least; i += 1) {
      const index = indices[i] ?? 0
      bits += (index - next) >>> rice
      next = index + 1
    }
    if (bits < least) [best, least] = [rice, bits]
  }
  return best
}

/**
 * Reads a chunk's entries.
 * @param of.length elements of the chunk
 * @param of.onEntry hears each entry, by index
 * @throws UPDATE_MALFORMED, UPDATE_NOT_FINITE
 */
export const readChunk = (of: {
  readonly reader: BitReader
  readonly length: number
  readonly kept: number
  readonly onEntry: (index: number, value: number) => void
}): void => {
  const { reader, length, kept, onEntry } = of
  const rice = reader.take(RICE_BITS)
  const { scale, ratio }: Levels = { scale: reader.take(SCALE_BITS), ratio: reader.take(RATIO_BITS) }
  if (!isScale(scale)) throw malformed('has a scale that is no finite number')
  const [low, high] = [lowOf(scale, ratio), scaleOf(scale)]
  let next = 0
  for (let i = 0; i < kept; i += 1) {
    const room = length - next - (kept - i) // elements that may be passed over
    const gap = reader.unary(room >>> rice) * 2 ** rice + reader.take(rice)
    if (gap > room) throw malformed('names an element behind the end of its chunk')
    const value = reader.take(VALUE_BITS)
    const magnitude = value > 1 ? high : low
    onEntry(next + gap, (value & 1) === 1 ? -magnitude : magnitude)
    next += gap + 1
  }
}
