import { SubnetError } from '@arbor/shared/errors'
import { areFinite } from '@arbor/shared/floats'
import type { OuterTerms } from '../types.ts'

/** Large enough for a whole model of some millions of parameters in one chunk. */
const MOST_CHUNK = 2 ** 24

/** @throws SPEC_OPTIMISER when an outer step cannot be taken so */
export const checkOuter = ({ learningRate, momentum }: OuterTerms): void => {
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw unusable('outer learning rate', learningRate, 'above 0')
  if (!(momentum >= 0 && momentum < 1)) throw unusable('outer momentum', momentum, 'in [0, 1)')
}

/** @throws SPEC_OPTIMISER when a vector cannot be cut so */
export const checkChunks = ({ chunk, k }: { readonly chunk: number; readonly k: number }): void => {
  if (!(Number.isInteger(chunk) && chunk >= 1 && chunk <= MOST_CHUNK))
    throw unusable('chunk', chunk, `an integer from 1 to ${MOST_CHUNK}`)
  if (!(Number.isInteger(k) && k >= 1 && k <= chunk))
    throw unusable('k', k, `an integer from 1 to the chunk's ${chunk}`)
}

/** Says which setting of an optimiser is of no use. */
export const unusable = (what: string, value: number, allowed: string): SubnetError =>
  new SubnetError({
    code: 'SPEC_OPTIMISER',
    message: `The optimiser's ${what} is ${value}; it has to be ${allowed}: correct the spec's training terms`,
  })

/** @throws UPDATE_SHAPE, UPDATE_NOT_FINITE when progress cannot be encoded */
export const checkProgress = (of: {
  readonly progress: Float32Array
  readonly carried: Float32Array
  readonly size: number
}): void => {
  for (const [name, vector] of Object.entries({ progress: of.progress, carried: of.carried }))
    if (vector.length !== of.size)
      throw new SubnetError({
        code: 'UPDATE_SHAPE',
        message: `The ${name} has ${vector.length} elements, the model ${of.size}; use the spec's model`,
      })
  if (!areFinite(of.progress)) throw notFinite('The progress of this round')
  if (!areFinite(of.carried)) throw notFinite('What was carried from the last round')
}

/** Says that numbers are no numbers. */
export const notFinite = (what: string): SubnetError =>
  new SubnetError({
    code: 'UPDATE_NOT_FINITE',
    message: `${what} has NaN or infinite numbers; it is not counted`,
  })
