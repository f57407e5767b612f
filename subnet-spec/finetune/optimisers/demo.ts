import { areFinite } from '@arbor/shared/floats'
import type { Layout } from '@arbor/shared/training'
import type { Optimiser } from '../types.ts'
import { checkChunks, checkProgress, notFinite, unusable } from './checks.ts'
import { dctOf } from './dct.ts'
import { evenMean } from './outer.ts'
import { sparseCodec } from './sparseloco.ts'

interface Terms {
  readonly learningRate: number
  readonly decay: number
  readonly chunk: number
  readonly k: number
}

/**
 * DeMo: gradients gather in a momentum; of each chunk's DCT the k largest are sent in 2 bits and taken out of the momentum; all step by the sign.
 * A chunk is a square of s · s elements in the layout's order; the last one goes on with zeros.
 * @source arXiv 2411.19870
 */
export const demo = (terms: Terms, { size }: Layout): Optimiser => {
  const { learningRate, decay, chunk, k } = terms
  checkChunks(terms)
  const s = Math.sqrt(chunk)
  if (!Number.isInteger(s) || s < 2) throw unusable('chunk', chunk, 'a square number, from 4 on')
  if (!(decay >= 0 && decay <= 1)) throw unusable('decay', decay, 'in [0, 1]')
  if (!(learningRate > 0 && Number.isFinite(learningRate))) throw unusable('learning rate', learningRate, 'above 0')
  const whole = Math.ceil(size / chunk) * chunk
  const codec = sparseCodec({ size: whole, chunk, k })
  const dct = dctOf(s)

  const toCoefficients = (vector: Float32Array): Float32Array => {
    const coefficients = new Float32Array(whole)
    for (let start = 0; start < size; start += chunk)
      coefficients.set(dct.forward(vector.subarray(start, start + chunk)), start)
    return coefficients
  }
  const decode = (payload: Uint8Array): Float32Array => {
    const vector = codec.read(payload)
    for (let start = 0; start < whole; start += chunk)
      vector.set(dct.inverse(vector.subarray(start, start + chunk)), start)
    const values = vector.subarray(0, size)
    if (!areFinite(values)) throw notFinite('The update')
    return values
  }
  return {
    kind: 'demo',
    local: 'gradient',
    maxPayloadBytes: codec.mostBytes,
    encode: ({ progress, carried }) => {
      checkProgress({ progress, carried, size })
      const momentum = progress.map((value, i) => value + decay * (carried[i] ?? 0))
      const coefficients = toCoefficients(momentum)
      if (!areFinite(coefficients)) throw notFinite('The momentum')
      const payload = codec.write(coefficients)
      const sent = decode(payload)
      return { payload, carried: momentum.map((value, i) => value - (sent[i] ?? 0)) }
    },
    decode,
    merge: ({ params, outer, updates }) => {
      const mean = evenMean(updates)
      return mean === null ? { params, outer } : { params: bySign(params, mean, learningRate), outer }
    },
    apply: ({ params, update }) => bySign(params, update, learningRate),
  }
}

/** Steps against a direction, by the same length for each element that has one. */
const bySign = (params: Float32Array, direction: Float32Array | Float64Array, length: number): Float32Array =>
  params.map((value, i) => {
    const along = direction[i] ?? 0
    return along > 0 ? value - length : along < 0 ? value + length : value
  })
