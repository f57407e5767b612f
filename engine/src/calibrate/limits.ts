import { SubnetError } from '@arbor/shared/errors'
import type { Check, PrecisionProfile, ProofKind, Provider } from '@arbor/shared/inference'
import { judge } from '../check.ts'
import { shareInterval } from '../statistics.ts'
import type { Measurements, Sample, Thresholds } from '../thresholds.ts'
import { FLOORS, ofProof } from './floors.ts'
import type { Measured } from './measure.ts'

/** Limits are so many times the worst honest value, or the profile's floor where that is more. */
const NOISE_FACTOR = 4

/** Answers of one kind. */
export interface Group {
  readonly name: string
  readonly measured: readonly Measured[]
}

/** What calibration saw of one provider and proof. */
export interface Seen {
  readonly profile: PrecisionProfile
  readonly provider: Provider
  readonly proof: ProofKind
  readonly variations: readonly string[]
  readonly honest: readonly Measured[]
  readonly copies: readonly Group[]
}

/**
 * Makes limits of what honest answers measured.
 * @throws MODEL_CALIBRATION_FAILED when an honest answer was refused for its form, or none was measured
 */
export const limitsOf = (seen: Seen): Thresholds => {
  const { profile, provider, proof, honest } = seen
  const odd = honest.find(({ check }) => check.marginMax === null)
  if (honest.length === 0 || odd !== undefined) throw failed(seen, odd?.check)
  const worst = worstOf(proof, honest)
  const floors = ofProof(proof, FLOORS[profile])
  const raised = (key: keyof Measurements): number => Math.max(floors[key] ?? 0, NOISE_FACTOR * (worst[key] ?? 0))
  const due = (key: keyof Measurements): number | null => (floors[key] === null ? null : raised(key))
  const limits = {
    residueError: due('residueError'),
    exponentMismatches: due('exponentMismatches'),
    mantissaError: due('mantissaError'),
    marginMean: raised('marginMean'),
    marginMax: raised('marginMax'),
    mismatchRate: raised('mismatchRate'),
  }
  return {
    profile,
    provider,
    proof,
    ...limits,
    calibration: {
      variations: seen.variations,
      honest: sampleOf('honest', honest, limits),
      worst,
      copies: seen.copies.map((copy) => sampleOf(copy.name, copy.measured, limits)),
    },
  }
}

/**
 * Refuses limits that would not do: one that rejects an honest answer, or lets the answers pass that must not.
 * @param copies names of groups of which every answer must be refused
 * @throws MODEL_NOT_SEPARABLE
 */
export const mustSeparate = (limits: Thresholds, copies: readonly string[]): void => {
  const { honest, copies: samples } = limits.calibration
  if (honest.refused > 0) throw inseparable(limits, `${honest.refused} of ${honest.answers} honest answers are refused`)
  for (const { name, answers, refused } of samples.filter((sample) => copies.includes(sample.name))) {
    if (refused < answers) throw inseparable(limits, `${answers - refused} of ${answers} answers of ${name} pass`)
  }
}

const sampleOf = (name: string, measured: readonly Measured[], limits: Measurements): Sample => {
  const refused = measured.filter(({ check, tokens }) => !isBelieved(check, tokens, limits)).length
  const tokens = measured.reduce((sum, each) => sum + each.tokens, 0)
  return { name, answers: measured.length, tokens, refused, interval: shareInterval(refused, measured.length) }
}

const isBelieved = (check: Check, tokens: number, limits: Measurements): boolean => {
  const { marginMean, marginMax, mismatches } = check
  if (marginMean === null || marginMax === null || mismatches === null) return false
  return judge({ ...check, marginMean, marginMax, mismatches }, tokens, limits) === 'ok'
}

const worstOf = (proof: ProofKind, honest: readonly Measured[]): Measurements => {
  const most = (key: 'residueError' | 'exponentMismatches' | 'mantissaError' | 'marginMean' | 'marginMax'): number =>
    Math.max(...honest.map(({ check }) => check[key] ?? 0))
  const tokens = honest.reduce((sum, each) => sum + each.tokens, 0)
  return ofProof(proof, {
    residueError: most('residueError'),
    exponentMismatches: most('exponentMismatches'),
    mantissaError: most('mantissaError'),
    marginMean: most('marginMean'),
    marginMax: most('marginMax'),
    mismatchRate: honest.reduce((sum, { check }) => sum + (check.mismatches ?? 0), 0) / tokens,
  })
}

const failed = ({ provider, proof }: Seen, check: Check | undefined): SubnetError =>
  new SubnetError({
    code: 'MODEL_CALIBRATION_FAILED',
    message: `Of ${proof} proofs on ${provider} ${check === undefined ? 'no honest answer was measured' : `an honest answer is refused as ${check.reason}`}; this is a fault of the model folder or of Arbor: check it with arbor model show`,
    details: { provider, proof, reason: check?.reason ?? 'none' },
  })

const inseparable = ({ profile, provider, proof }: Thresholds, what: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_NOT_SEPARABLE',
    message: `Limits for ${profile} on ${provider} and ${proof} proofs would be useless: ${what}; they were not written. Use another profile`,
    details: { profile, provider, proof },
  })
