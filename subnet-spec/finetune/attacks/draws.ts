import type { Hex } from '@arbor/shared/units'
import { choicesFrom } from '../../src/seed.ts'

/** Numbers that a seed fixes; millions of them are cheap. */
export interface Draws {
  /** Draws evenly from [0, 1). */
  uniform(): number
  /** Draws from the normal distribution of mean 0 and deviation 1. */
  normal(): number
}

/**
 * Opens a stream of numbers for attacks; no consensus hangs on it.
 * @source PractRand sfc32, seeded with 96 bits and run 12 times
 */
export const drawsFrom = (of: { readonly seed: Hex; readonly label: string }): Draws => {
  const choices = choicesFrom(of)
  let [a, b, c, counter] = [choices.below(2 ** 32), choices.below(2 ** 32), choices.below(2 ** 32), 1]
  const word = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) word()
  const uniform = (): number => word() / 2 ** 32
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
