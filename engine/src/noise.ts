/**
 * Fills an array with the outputs of xoshiro128**.
 * @param state 16 bytes or more: four u32, little-endian
 * @source Blackman and Vigna 2018, prng.di.unimi.it/xoshiro128starstar.c
 */
export const fillStream = (state: Buffer, outputs: Uint32Array): void => {
  let a = state.readInt32LE(0)
  let b = state.readInt32LE(4)
  let c = state.readInt32LE(8)
  let d = state.readInt32LE(12)
  for (let index = 0; index < outputs.length; index++) {
    const mixed = Math.imul(b, 5)
    outputs[index] = Math.imul((mixed << 7) | (mixed >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
  }
}

const RANGE = 2 ** 32

/** Turns an output of the stream into standard Gumbel noise; the half keeps the uniform value inside (0, 1). */
export const gumbelOf = (output: number): number => -Math.log(-Math.log((output + 0.5) / RANGE))

/**
 * Bounds the noise of an output from above without a logarithm: −ln(−ln u) ≤ −ln(1 − u), and 1 − u is at least
 * 2^−(zeros + 1), where zeros counts the leading zero bits of the output's complement.
 */
export const gumbelBound = (output: number): number => (Math.clz32(~output) + 1) * Math.LN2 + SLACK

const SLACK = 1e-9 // far above the rounding of both sides
