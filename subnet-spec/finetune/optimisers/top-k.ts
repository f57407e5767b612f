/**
 * Names the k elements of the largest magnitude, ascending; of equal ones those that stand first.
 * @param values without NaN
 * @param into takes k indices
 * @param scratch as long as the values
 */
export const topK = (values: Float32Array, k: number, into: Uint32Array, scratch: Float32Array): void => {
  const n = values.length
  for (let i = 0; i < n; i += 1) scratch[i] = Math.abs(values[i] ?? 0)
  const sorted = scratch.subarray(0, n).sort()
  const least = sorted[n - k] ?? 0
  // Of those that are just as large as the k-th, so many are taken.
  let ties = 0
  for (let at = n - k; at < n && sorted[at] === least; at += 1) ties += 1
  let found = 0
  for (let i = 0; i < n && found < k; i += 1) {
    const magnitude = Math.abs(values[i] ?? 0)
    if (magnitude < least) continue
    if (magnitude === least) {
      if (ties === 0) continue
      ties -= 1
    }
    into[found] = i
    found += 1
  }
}
