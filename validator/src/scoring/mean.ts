import type { Sample } from './rules.ts'

/** Samples from which their own spread is believed: from four on it is known to about 40 %. */
export const MEASURED_FROM = 4

/**
 * Takes the mean of a registration's verdicts in a round.
 * @returns the mean and its standard deviation: what the verdicts declare, or what they show by their spread where there are enough of
 * them and it is more
 */
export const meanOf = (samples: readonly Pick<Sample, 'value' | 'sigma'>[]): { value: number; sigma: number } => {
  const n = samples.length
  const [only] = samples
  if (n === 1 && only !== undefined) return { value: only.value, sigma: only.sigma }
  const value = sum(samples.map((sample) => sample.value)) / n
  const declared = sum(samples.map(({ sigma }) => sigma ** 2)) / n ** 2
  const spread = sum(samples.map((sample) => (sample.value - value) ** 2)) / (n - 1) / n
  return { value, sigma: Math.sqrt(n < MEASURED_FROM ? declared : Math.max(declared, spread)) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
