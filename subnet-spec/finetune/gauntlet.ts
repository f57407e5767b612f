import { clamp, median } from '@arbor/shared/math'
import type { Verdict } from '../src/define.ts'
import { normOf } from './optimisers/vectors.ts'
import type { BatchLoss, GauntletReason, GauntletTerms, Measured } from './types.ts'

/** What a drop that is typical of its round is worth: who helps twice as much as most has all there is. */
const TYPICAL_VALUE = 0.5

/** Judges an update that was refused before anything was measured of it. */
export const faultVerdict = (reason: Exclude<GauntletReason, 'ok'>): Verdict => ({ reason, value: 0, sigma: 0 })

/**
 * Judges an update by what was measured of it. Pure: validator and auditor run this very function.
 * @param of.typical what `typicalDrop` says of the round's updates, in nats a token
 * @returns the first reason that holds; a value of 0.5 for a drop that is typical of the round, and the spread of its batches as sigma
 */
export const judgeUpdate = (of: {
  readonly measured: Measured
  readonly typical: number
  readonly terms: GauntletTerms
}): Verdict => {
  const { measured, typical, terms } = of
  const reason = faultOf(measured, terms)
  if (reason !== null) return faultVerdict(reason)
  const unseen = dropOf(measured.unseen)
  if (!(typical > 0)) return faultVerdict('harmful')
  const scale = TYPICAL_VALUE / typical
  return { reason: 'ok', value: clamp(unseen.mean * scale, 0, 1), sigma: unseen.sigma * scale }
}

/** Finds the drop on unseen data that is typical of a round: the median over the updates that nothing speaks against; 0 where none is. */
export const typicalDrop = (of: { readonly measured: readonly Measured[]; readonly terms: GauntletTerms }): number => {
  const drops = of.measured.filter((one) => faultOf(one, of.terms) === null).map(({ unseen }) => dropOf(unseen).mean)
  return drops.length === 0 ? 0 : Math.max(0, median(drops))
}

/** Finds the norm that a round's updates are brought to before they are measured: their median, so that no length earns anything. */
export const commonNorm = (updates: readonly Float32Array[]): number => {
  const norms = updates.map(normOf).filter((norm) => norm > 0 && Number.isFinite(norm))
  return norms.length === 0 ? 0 : median(norms)
}

const faultOf = (measured: Measured, terms: GauntletTerms): Exclude<GauntletReason, 'ok'> | null => {
  const { likeness, replay } = measured
  const [assigned, unseen] = [dropOf(measured.assigned), dropOf(measured.unseen)]
  if (![assigned, unseen].every(({ mean, sigma }) => Number.isFinite(mean) && Number.isFinite(sigma)))
    return 'not-finite'
  if (!(measured.norm <= terms.normRange && measured.norm * terms.normRange >= 1)) return 'outsized'
  if (likeness !== null && likeness.cosine >= terms.copyCosine) return 'copy'
  if (replay?.kind === 'withheld') return 'withheld'
  if (replay?.kind === 'differs') return 'untrained'
  if (unseen.mean + terms.noise * unseen.sigma < 0 || assigned.mean <= 0) return 'harmful'
  const lead = assigned.mean - unseen.mean
  const doubt = Math.hypot(assigned.sigma, unseen.sigma)
  return lead + terms.noise * doubt < terms.margin * assigned.mean ? 'unassigned' : null
}

/** Takes the mean drop of batches, in nats a token, and that mean's standard deviation. */
const dropOf = (batches: readonly BatchLoss[]): { readonly mean: number; readonly sigma: number } => {
  const drops = batches.map(({ before, after }) => before - after)
  const n = drops.length
  const mean = drops.reduce((sum, drop) => sum + drop, 0) / n
  if (n < 2) return { mean, sigma: n === 1 ? 0 : Number.NaN }
  const square = drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0) / (n - 1)
  return { mean, sigma: Math.sqrt(square / n) }
}
