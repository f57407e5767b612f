import { isHex } from '@arbor/shared/hex'
import type { LocalTerms } from '@arbor/shared/training'
import type { GauntletTerms, OptimiserTerms, OuterTerms, PhaseTerms, RatingTerms, TrainingTerms } from './types.ts'

/** Steps and windows of a round that fit into any round. */
const MOST = 1_000_000
/** An update is held in memory as a whole, and merged with as many others. */
const MOST_UPDATE_BYTES = 2 ** 30
/** Least share of a round that each phase, and the merge after the last, has. */
const LEAST_PHASE = 0.05

type Check = readonly [name: string, value: number, rule: Rule]
type Rule = { readonly says: string; readonly holds: (value: number) => boolean }

const number = (low: number, high: number): Rule => ({
  says: `use a number in [${low}, ${high}]`,
  holds: (value) => value >= low && value <= high,
})
const above = (low: number, high: number): Rule => ({
  says: `use a number above ${low}, and ${high} at most`,
  holds: (value) => value > low && value <= high,
})
const below = (high: number): Rule => ({
  says: `use a number from 0, and below ${high}`,
  holds: (value) => value >= 0 && value < high,
})
const integer = (low: number, high: number): Rule => ({
  says: `use an integer in ${low}..${high}`,
  holds: (value) => Number.isInteger(value) && value >= low && value <= high,
})

/** Says what is wrong with a training subnet's terms, by the path of the part; null when nothing is. */
export const faultOfTraining = (terms: TrainingTerms): string | null => {
  const { data, local, optimiser, phases, gauntlet, rating, limits } = terms
  if (data.name === '' || !isHex(data.hash, 32))
    return `data is "${data.name}" with hash "${data.hash}"; copy both from what \`arbor finetune data\` prints`
  const checks: readonly Check[] = [
    ...ofLocal(local),
    ...ofOptimiser(optimiser),
    ...ofGauntlet(gauntlet, local),
    ...ofRating(rating),
    ['limits.updateBytes', limits.updateBytes, integer(1, MOST_UPDATE_BYTES)],
    ['limits.checkpointEvery', limits.checkpointEvery, integer(1, MOST)],
  ]
  const broken = checks.find(([, value, { holds }]) => !holds(value))
  if (broken !== undefined) return `${broken[0]} is ${broken[1]}; ${broken[2].says}`
  return faultOfPhases(phases)
}

const ofLocal = ({ steps, batch, length, accumulate, adamw }: LocalTerms): readonly Check[] => [
  ['local.steps', steps, integer(1, MOST)],
  ['local.batch', batch, integer(1, MOST)],
  ['local.length', length, integer(1, MOST)],
  ['local.accumulate', accumulate, integer(1, MOST)],
  ['local.adamw.learningRate', adamw.learningRate, above(0, 1)],
  ['local.adamw.beta1', adamw.beta1, below(1)],
  ['local.adamw.beta2', adamw.beta2, below(1)],
  ['local.adamw.epsilon', adamw.epsilon, above(0, 1)],
  ['local.adamw.weightDecay', adamw.weightDecay, number(0, 1)],
  ['local.adamw.clipNorm', adamw.clipNorm, above(0, MOST)],
]

const ofOptimiser = (optimiser: OptimiserTerms): readonly Check[] => {
  if (optimiser.kind === 'diloco') return ofOuter(optimiser.outer)
  const { chunk, k } = optimiser
  const sparse: readonly Check[] = [
    ['optimiser.chunk', chunk, integer(1, 65_536)],
    ['optimiser.k', k, integer(1, chunk)],
  ]
  if (optimiser.kind === 'sparseloco')
    return [...sparse, ...ofOuter(optimiser.outer), ['optimiser.feedback', optimiser.feedback, number(0, 1)]]
  return [
    ...sparse,
    ['optimiser.learningRate', optimiser.learningRate, above(0, 10)],
    ['optimiser.decay', optimiser.decay, below(1)],
  ]
}

const ofOuter = ({ learningRate, momentum }: OuterTerms): readonly Check[] => [
  ['optimiser.outer.learningRate', learningRate, above(0, 10)],
  ['optimiser.outer.momentum', momentum, below(1)],
]

const ofGauntlet = (of: GauntletTerms, { steps }: LocalTerms): readonly Check[] => [
  ['gauntlet.batches', of.batches, integer(2, 10_000)], // the spread of two is the least that is a spread
  ['gauntlet.margin', of.margin, below(1)],
  ['gauntlet.copyCosine', of.copyCosine, above(0, 1)],
  ['gauntlet.segments', of.segments, integer(1, Math.min(steps, 256))],
  ['gauntlet.replayShare', of.replayShare, number(0, 1)],
  ['gauntlet.tolerance', of.tolerance, above(0, 1)],
  ['gauntlet.noise', of.noise, number(0, 10)],
  ['gauntlet.normRange', of.normRange, above(1, 1_000)],
]

const ofRating = ({ mu, sigma, beta, tau, bar }: RatingTerms): readonly Check[] => [
  ['rating.mu', mu, above(0, 50)],
  ['rating.sigma', sigma, above(0, 50)],
  ['rating.beta', beta, above(0, 50)],
  ['rating.tau', tau, number(0, 50)],
  ['rating.bar', bar, above(0, 1)],
]

const faultOfPhases = ({ publish, vote }: PhaseTerms): string | null => {
  const ends = [0, publish, vote, 1]
  const isRoomy = ends.every((end, index) => index === 0 || end - (ends[index - 1] ?? 0) >= LEAST_PHASE - 1e-9)
  return isRoomy
    ? null
    : `phases end at ${publish} and ${vote} of a round; let them ascend, and leave ${LEAST_PHASE} for each and for the merge`
}
