/** Computes the Euclidean norm, summed in f64 from the first element to the last. */
export const normOf = (vector: Float32Array): number => {
  let sum = 0
  for (let i = 0; i < vector.length; i += 1) {
    const value = vector[i] ?? 0
    sum += value * value
  }
  return Math.sqrt(sum)
}

/** Computes the cosine between two vectors of one length; 0 where one has no direction. */
export const cosine = (a: Float32Array, b: Float32Array): number => {
  let [dot, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    dot += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : dot / (Math.sqrt(aa) * Math.sqrt(bb))
}
