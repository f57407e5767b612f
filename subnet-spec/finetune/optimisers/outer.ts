import { areFinite } from '@arbor/shared/floats'
import { median } from '@arbor/shared/math'
import type { Optimiser, OuterTerms } from '../types.ts'
import { normOf } from './vectors.ts'

/** A model between two rounds. */
export interface Outer {
  readonly params: Float32Array
  readonly outer: Float32Array
}

/**
 * Averages updates in f64, in the order in which they come; those that are longer than the median of all are brought down to it. Those without a
 * direction are left out.
 * @returns null where none is left
 */
export const evenMean = (updates: readonly Float32Array[]): Float64Array | null => {
  const sized = updates.map((update) => ({ update, norm: normOf(update) })).filter(({ norm }) => norm > 0)
  const [first] = sized
  if (first === undefined) return null
  const common = median(sized.map(({ norm }) => norm))
  const mean = new Float64Array(first.update.length)
  for (const { update, norm } of sized) {
    const factor = Math.min(1, common / norm)
    for (let i = 0; i < mean.length; i += 1) mean[i] = (mean[i] ?? 0) + factor * (update[i] ?? 0)
  }
  for (let i = 0; i < mean.length; i += 1) mean[i] = (mean[i] ?? 0) / sized.length
  return mean
}

/** Gives the merge that is shared by optimisers with an outer step; a model that would not be finite any more is not made. */
export const nesterov =
  ({ learningRate, momentum }: OuterTerms): Optimiser['merge'] =>
  ({ params, outer, updates }) => {
    const mean = evenMean(updates)
    if (mean === null) return { params, outer }
    const next: Outer = { params: new Float32Array(params.length), outer: new Float32Array(params.length) }
    for (let i = 0; i < params.length; i += 1) {
      const step = mean[i] ?? 0
      const carried = Math.fround(momentum * (outer[i] ?? 0) + step)
      next.outer[i] = carried
      next.params[i] = (params[i] ?? 0) - learningRate * (step + momentum * carried)
    }
    return areFinite(next.params) && areFinite(next.outer) ? next : { params, outer }
  }

/** Gives what one update alone leads to, without outer momentum; one that is longer than a norm is brought down to it. */
export const outerApply =
  ({ learningRate }: OuterTerms): Optimiser['apply'] =>
  ({ params, update, norm }) => {
    const own = normOf(update)
    const factor = own === 0 ? 0 : learningRate * Math.min(1, norm / own)
    return params.map((value, i) => value - factor * (update[i] ?? 0))
  }
