/** Two magnitudes that stand for all of a chunk's. */
export interface Levels {
  /** bfloat16 without its sign: exponent and 7 bits of the larger magnitude. */
  readonly scale: number
  /** The smaller magnitude in 64ths of the larger one. */
  readonly ratio: number
}

export const SCALE_BITS = 15
export const RATIO_BITS = 6
const RATIOS = 2 ** RATIO_BITS
/** Largest finite bfloat16. */
const MOST_SCALE = 0x7f7f
/** The split settles after a few rounds; it is bounded so that its cost is. */
const MOST_ROUNDS = 16

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** Gives the number that a scale stands for. */
export const scaleOf = (scale: number): number => {
  word[0] = scale << 16
  return float[0] ?? 0
}

/** Tells whether a scale stands for a finite number. */
export const isScale = (scale: number): boolean => scale <= MOST_SCALE

/** Gives the smaller magnitude; exact in binary32. */
export const lowOf = (scale: number, ratio: number): number => Math.fround((scaleOf(scale) * ratio) / RATIOS)

/** Rounds a magnitude to the nearest bfloat16, halves to the even one; what is too large becomes the largest. */
const toScale = (magnitude: number): number => {
  float[0] = magnitude
  const bits = word[0] ?? 0
  return Math.min(MOST_SCALE, (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16)
}

/**
 * Chooses two magnitudes with a small squared error (Lloyd's algorithm from the mean on). Sums run from the first value to the last, in f64.
 * @param magnitudes of which the first `count` are meant, none negative
 */
export const levelsOf = (magnitudes: Float32Array, count: number): Levels => {
  let sum = 0
  for (let i = 0; i < count; i += 1) sum += magnitudes[i] ?? 0
  let [split, low, high, before] = [sum / count, 0, 0, -1]
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let [lowSum, highSum, highs] = [0, 0, 0]
    for (let i = 0; i < count; i += 1) {
      const value = magnitudes[i] ?? 0
      if (value > split) {
        highSum += value
        highs += 1
      } else lowSum += value
    }
    low = highs === count ? 0 : lowSum / (count - highs)
    high = highs === 0 ? low : highSum / highs
    if (highs === before) break
    before = highs
    split = (low + high) / 2
  }
  const scale = toScale(high)
  const top = scaleOf(scale)
  const ratio = top === 0 ? 0 : Math.min(RATIOS - 1, Math.floor((RATIOS * low) / top + 0.5))
  return { scale, ratio }
}

/** Tells which of the two magnitudes stands for a value: the nearer one, the smaller of two that are equally near. */
export const isHigh = (magnitude: number, low: number, high: number): boolean => 2 * magnitude > low + high
