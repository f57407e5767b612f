/** Terms of the series: the angle is at most π/4, so that the last one is below 10⁻³⁰. */
const SERIES = 14

/**
 * Makes the orthonormal DCT-II of `s` points, row k · s + n = c(k) · cos(π(2n + 1)k ÷ 2s). Math.cos may differ between machines; this uses sums,
 * products, quotients and square roots alone: the series for the first angle, and a rotation by it for each further one.
 */
export const dctTable = (s: number): Float64Array => {
  const angle = Math.PI / (2 * s)
  let [cos, sin, cosTerm, sinTerm] = [0, 0, 1, angle]
  for (let n = 0; n < SERIES; n += 1) {
    cos += cosTerm
    sin += sinTerm
    cosTerm = (-cosTerm * angle * angle) / ((2 * n + 1) * (2 * n + 2))
    sinTerm = (-sinTerm * angle * angle) / ((2 * n + 2) * (2 * n + 3))
  }
  // cos of j · angle for a whole turn of 4s steps
  const turn = new Float64Array(4 * s)
  let [x, y] = [1, 0]
  for (let j = 0; j < 4 * s; j += 1) {
    turn[j] = x
    ;[x, y] = [x * cos - y * sin, x * sin + y * cos]
  }
  const table = new Float64Array(s * s)
  for (let k = 0; k < s; k += 1) {
    const weight = k === 0 ? Math.sqrt(1 / s) : Math.sqrt(2 / s)
    for (let n = 0; n < s; n += 1) table[k * s + n] = weight * (turn[((2 * n + 1) * k) % (4 * s)] ?? 0)
  }
  return table
}
