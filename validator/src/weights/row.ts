import type { Neuron, WeightRow } from '@arbor/chain/client/types'
import type { Block, Uid } from '@arbor/shared/units'
import { type Registration, registrationOf } from '../scores.ts'

/** Tells whether two rows say the same: a uid that is absent weighs zero. */
export function sameRow(a: WeightRow, b: WeightRow): boolean {
  const left = nonZero(a)
  const right = nonZero(b)
  return (
    left.length === right.length && left.every(([uid, weight], i) => right[i]?.[0] === uid && right[i]?.[1] === weight)
  )
}

const nonZero = (row: WeightRow): WeightRow => [...row].filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b)

/** Names who holds the uids of a row, in its order. */
export const holdersOf = (row: WeightRow, neurons: readonly Neuron[]): readonly Registration[] => {
  const byUid = new Map(neurons.map((neuron) => [neuron.uid, neuron]))
  return row.flatMap(([uid]) => {
    const neuron = byUid.get(uid)
    return neuron === undefined ? [] : [registrationOf(neuron)]
  })
}

/**
 * Finds the uids of a row that changed hands since it was computed, so that others would inherit its weight.
 * @param now when each of the registrations' uids was registered last, in their order
 * @param before only those that changed before this block: later ones the chain itself leaves out
 */
export const changedHands = (
  registrations: readonly Registration[],
  now: readonly Block[],
  before: number = Number.POSITIVE_INFINITY,
): readonly Uid[] =>
  registrations.flatMap(({ uid, registeredAt }, index) => {
    const at = now[index] ?? 0
    return at !== registeredAt && at < before ? [uid] : []
  })
