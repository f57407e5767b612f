import { clamp, median } from '@arbor/shared/math'
import type { Hex, Ss58 } from '@arbor/shared/units'
import type { Verdict } from '../src/define.ts'
import { choicesFrom } from '../src/seed.ts'
import { normOf } from './optimisers/vectors.ts'
import type { GauntletReason, GauntletTerms, Measured, Typical } from './types.ts'

/** What an update is worth that is typical of its round: who does twice as well has all there is. */
const TYPICAL_VALUE = 0.5
/** Other updates that a miner's own data are measured with. */
const CONTROLS = 3

type Fault = Exclude<GauntletReason, 'ok'>

/** Judges an update that was refused before anything was measured of it. */
export const faultVerdict = (reason: Fault): Verdict => ({ reason, value: 0, sigma: 0 })

/**
 * Judges an update by what was measured of it. Pure: validator and auditor run this very function.
 * @param of.typical what `typicalOf` says of the round's updates
 * @returns the first reason that holds; a value of 0.5 for an update that is typical of the round, and the spread of its batches as sigma
 */
export const judgeUpdate = (of: {
  readonly measured: Measured
  readonly typical: Typical
  readonly terms: GauntletTerms
}): Verdict => {
  const { measured, typical, terms } = of
  const { lead, drop } = gainsOf(measured)
  const reason = faultOf(measured, terms) ?? faultOfGains({ lead, drop, typical, terms })
  if (reason !== null) return faultVerdict(reason)
  const scale = TYPICAL_VALUE / typical.lead
  return { reason: 'ok', value: clamp(lead.mean * scale, 0, 1), sigma: lead.sigma * scale }
}

/** Finds what is typical of a round: medians over the updates that nothing but their gains could speak against; 0 where there is none. */
export const typicalOf = (of: { readonly measured: readonly Measured[]; readonly terms: GauntletTerms }): Typical => {
  const sound = of.measured.filter((one) => faultOf(one, of.terms) === null).map(gainsOf)
  const helpful = sound.filter(({ assigned }) => assigned.mean > 0)
  if (helpful.length === 0) return { lead: 0, drop: 0 }
  return { lead: median(helpful.map(({ lead }) => lead.mean)), drop: median(helpful.map(({ drop }) => drop.mean)) }
}

/** Finds the norm that a round's longer updates are brought down to before they are measured: the median, so that shouting earns nothing. */
export const commonNorm = (updates: readonly Float32Array[]): number => {
  const norms = updates.map(normOf).filter((norm) => norm > 0 && Number.isFinite(norm))
  return norms.length === 0 ? 0 : median(norms)
}

/**
 * Draws the updates that a miner's own data are measured with beside its own: up to three of other miners, no outsized ones and no copies.
 * @param of.among the round's updates, in any order
 * @param of.seed of the miner and the block that ends publishing
 */
export const controlsOf = (of: {
  readonly hotkey: Ss58
  readonly among: readonly (Pick<Measured, 'norm' | 'likeness'> & { readonly hotkey: Ss58 })[]
  readonly terms: GauntletTerms
  readonly seed: Hex
}): readonly Ss58[] => {
  const { terms, seed } = of
  const left = of.among
    .filter((one) => one.hotkey !== of.hotkey && !isOutsized(one, terms) && !isCopy(one, terms))
    .map(({ hotkey }) => hotkey)
    .sort()
  const choices = choicesFrom({ seed, label: 'controls' })
  return Array.from({ length: Math.min(CONTROLS, left.length) }, () =>
    left.splice(choices.below(left.length), 1),
  ).flat()
}

const isOutsized = ({ norm }: Pick<Measured, 'norm'>, { normRange }: GauntletTerms): boolean =>
  !(norm <= normRange && norm * normRange >= 1) // a norm that is no number is outsized, too

const isCopy = ({ likeness }: Pick<Measured, 'likeness'>, { copyCosine }: GauntletTerms): boolean =>
  likeness !== null && likeness.cosine >= copyCosine

/** What speaks against an update whatever the round's others are. */
const faultOf = (measured: Measured, terms: GauntletTerms): Fault | null => {
  const { replay } = measured
  const gains = Object.values(gainsOf(measured))
  if (!gains.every(({ mean, sigma }) => Number.isFinite(mean) && Number.isFinite(sigma))) return 'not-finite'
  if (isOutsized(measured, terms)) return 'outsized'
  if (isCopy(measured, terms)) return 'copy'
  if (replay?.kind === 'withheld') return 'withheld'
  return replay?.kind === 'differs' ? 'untrained' : null
}

const faultOfGains = (of: Omit<Gains, 'assigned'> & { typical: Typical; terms: GauntletTerms }): Fault | null => {
  const { lead, drop, typical, terms } = of
  // Where the model has learnt what there is to learn, honest updates harm a little, one by one: then the usual harm is none.
  if (drop.mean + terms.noise * drop.sigma < Math.min(0, typical.drop)) return 'harmful'
  return typical.lead > 0 && lead.mean > 0 && lead.mean >= terms.margin * typical.lead ? null : 'unassigned'
}

interface Estimate {
  readonly mean: number
  /** Standard deviation of the mean. */
  readonly sigma: number
}

interface Gains {
  readonly assigned: Estimate
  readonly lead: Estimate
  readonly drop: Estimate
}

/** What an update does to its own data, to its own data beside what others' updates do, and to unseen data; in nats a token. */
const gainsOf = ({ assigned, unseen }: Measured): Gains => {
  const drop = estimate(unseen.map(({ before, after }) => before - after))
  return {
    assigned: estimate(assigned.map(({ before, after }) => before - after)),
    lead: estimate(assigned.map(({ before, after, others }) => (others ?? before - drop.mean) - after)),
    drop,
  }
}

const estimate = (values: readonly number[]): Estimate => {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, sigma: n === 1 ? 0 : Number.NaN }
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  return { mean, sigma: Math.sqrt(square / n) }
}
