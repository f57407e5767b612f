import { areFinite, bytesToFloats, floatsToBytes } from '@arbor/shared/floats'
import type { Layout } from '@arbor/shared/training'
import type { Optimiser, OuterTerms } from '../types.ts'
import { malformed } from './bits.ts'
import { checkOuter, checkProgress, notFinite } from './checks.ts'
import { nesterov, outerApply } from './outer.ts'

/** DiLoCo: the whole difference in fp32, averaged, outer Nesterov. Nothing is carried. @source arXiv 2311.08105 */
export const diloco = (terms: { readonly outer: OuterTerms }, { size }: Layout): Optimiser => {
  checkOuter(terms.outer)
  return {
    kind: 'diloco',
    local: 'steps',
    maxPayloadBytes: 4 * size,
    encode: ({ progress, carried }) => {
      checkProgress({ progress, carried, size })
      return { payload: floatsToBytes(progress), carried: new Float32Array(size) }
    },
    decode: (payload) => {
      if (payload.length !== 4 * size) throw malformed(`has ${payload.length} bytes instead of ${4 * size}`)
      const values = bytesToFloats(payload)
      if (!areFinite(values)) throw notFinite('The update')
      return values
    },
    merge: nesterov(terms.outer),
    apply: outerApply(terms.outer),
  }
}
