import type { AdamWTerms, Moments } from '@arbor/shared/training'
import { notFinite } from './errors.ts'

/** Sums squares in a fixed order, in double precision. */
export const squaredNorm = (values: Float32Array): number => {
  let sum = 0
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number
    sum += value * value
  }
  return sum
}

/** A whole power by products alone, which every machine rounds alike. */
const power = (base: number, exponent: number): number => {
  let result = 1
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square
    square *= square
  }
  return result
}

/**
 * Takes one step of AdamW in place: the gradient is clipped by its global norm, moments and parameters are written over.
 * Computed in double precision, kept in single. As torch.optim.AdamW after torch.nn.utils.clip_grad_norm_.
 * @returns the moments with one step more, in the same arrays
 * @throws TRAIN_NOT_FINITE where the gradient is; nothing is changed then
 * @source https://arxiv.org/abs/1711.05101 algorithm 2
 */
export const stepAdamW = (of: {
  readonly terms: AdamWTerms
  readonly params: Float32Array
  readonly gradient: Float32Array
  readonly moments: Moments
}): Moments => {
  const { terms, params, gradient } = of
  const { first, second, steps } = of.moments
  const norm = Math.sqrt(squaredNorm(gradient))
  const step = steps + 1
  if (!Number.isFinite(norm)) throw notFinite("gradient's norm", step)
  const shrink = Math.min(1, terms.clipNorm / (norm + 1e-6)) // the epsilon of torch's clip_grad_norm_
  const rate = terms.learningRate / (1 - power(terms.beta1, step))
  const spread = 1 / Math.sqrt(1 - power(terms.beta2, step))
  const keep = 1 - terms.learningRate * terms.weightDecay
  const { beta1, beta2, epsilon } = terms
  const rest1 = (1 - beta1) * shrink
  const rest2 = (1 - beta2) * shrink * shrink
  for (let index = 0; index < params.length; index += 1) {
    const slope = gradient[index] as number
    const mean = beta1 * (first[index] as number) + rest1 * slope
    const square = beta2 * (second[index] as number) + rest2 * slope * slope
    first[index] = mean
    second[index] = square
    params[index] = keep * (params[index] as number) - (rate * mean) / (Math.sqrt(square) * spread + epsilon)
  }
  return { first, second, steps: step }
}
