import { dctTable } from './cosines.ts'

/** The two-dimensional DCT-II of a chunk as a square, s rows of s elements. */
export interface Dct {
  /** Transforms a chunk; a shorter one goes on with zeros. */
  forward(values: Float32Array): Float32Array
  /** Gives what sparse coefficients stand for. Rows of coefficients without any cost nothing. */
  inverse(coefficients: Float32Array): Float32Array
}

/** Prepares the transform of chunks of s · s elements. Results are overwritten by the next call. */
export const dctOf = (s: number): Dct => {
  const table = dctTable(s)
  const half = new Float64Array(s * s)
  const [coefficients, values] = [new Float32Array(s * s), new Float32Array(s * s)]
  const row = new Float64Array(s)

  const forward = (chunk: Float32Array): Float32Array => {
    // half = table · chunk, then coefficients = half · tableᵀ
    half.fill(0)
    for (let k = 0; k < s; k += 1)
      for (let n = 0; n * s < chunk.length; n += 1) {
        const weight = table[k * s + n] ?? 0
        const end = Math.min(s, chunk.length - n * s)
        for (let m = 0; m < end; m += 1) half[k * s + m] = (half[k * s + m] ?? 0) + weight * (chunk[n * s + m] ?? 0)
      }
    for (let k = 0; k < s; k += 1)
      for (let l = 0; l < s; l += 1) {
        let sum = 0
        for (let m = 0; m < s; m += 1) sum += (half[k * s + m] ?? 0) * (table[l * s + m] ?? 0)
        coefficients[k * s + l] = sum
      }
    return coefficients
  }

  const inverse = (from: Float32Array): Float32Array => {
    const sum = half.fill(0)
    for (let k = 0; k < s; k += 1) {
      row.fill(0)
      let isEmpty = true
      for (let l = 0; l < s; l += 1) {
        const coefficient = from[k * s + l] ?? 0
        if (coefficient === 0) continue
        isEmpty = false
        for (let m = 0; m < s; m += 1) row[m] = (row[m] ?? 0) + coefficient * (table[l * s + m] ?? 0)
      }
      if (isEmpty) continue
      for (let n = 0; n < s; n += 1) {
        const weight = table[k * s + n] ?? 0
        for (let m = 0; m < s; m += 1) sum[n * s + m] = (sum[n * s + m] ?? 0) + weight * (row[m] ?? 0)
      }
    }
    values.set(sum)
    return values
  }
  return { forward, inverse }
}
