/** Numbers of an exponent and the first bits of its fraction fall into one bucket; three passes settle all 31 bits of a magnitude. */
const PASSES = [
  { shift: 20, mask: 2047 },
  { shift: 9, mask: 2047 },
  { shift: 0, mask: 511 },
] as const
const BUCKETS = 2048

/**
 * Names the k elements of the largest magnitude, ascending; of equal ones those that stand first.
 * @param values without NaN
 * @param into takes k indices
 */
export const topK = (values: Float32Array, k: number, into: Uint32Array): void => {
  // Magnitudes in binary32 ascend as their bits do.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const { least, ties } = kthLargest(bits, k)
  let [found, left] = [0, ties]
  for (let i = 0; found < k; i += 1) {
    const magnitude = (bits[i] ?? 0) & 0x7fffffff
    if (magnitude < least) continue
    if (magnitude === least) {
      if (left === 0) continue
      left -= 1
    }
    into[found] = i
    found += 1
  }
}

/** Finds the k-th largest magnitude, and how many of just this one belong to the k largest. */
const kthLargest = (bits: Uint32Array, k: number): { readonly least: number; readonly ties: number } => {
  const counts = new Uint32Array(BUCKETS)
  let [least, left] = [0, k]
  let above = 0 // bits of a magnitude that earlier passes settled
  for (const { shift, mask } of PASSES) {
    counts.fill(0)
    for (let i = 0; i < bits.length; i += 1) {
      const magnitude = (bits[i] ?? 0) & 0x7fffffff
      if ((magnitude & above) !== least) continue
      const bucket = (magnitude >>> shift) & mask
      counts[bucket] = (counts[bucket] ?? 0) + 1
    }
    let bucket = mask
    for (; left > (counts[bucket] ?? 0); bucket -= 1) left -= counts[bucket] ?? 0
    least |= bucket << shift
    above |= mask << shift
  }
  return { least, ties: left }
}
