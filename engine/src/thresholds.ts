import { createHash } from 'node:crypto'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { PrecisionProfile, ProofKind, Provider } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { integer, invalidField, list, number, record, text } from './json.ts'

/** Measurements of a check, in the units of `Check`; those that a proof does not have are null. */
export interface Measurements {
  readonly residueError: number | null
  readonly exponentMismatches: number | null
  readonly mantissaError: number | null
  readonly marginMean: number
  readonly marginMax: number
  /** Share of the tokens that are not exactly the validator's. */
  readonly mismatchRate: number
}

/** Limits above which an answer is not believed; measured for one model hash, profile, provider and proof. */
export interface Thresholds extends Measurements {
  readonly profile: PrecisionProfile
  /** Of the validator. */
  readonly provider: Provider
  readonly proof: ProofKind
  readonly calibration: Calibration
}

/** What the limits were measured on. */
export interface Calibration {
  /** Kinds of honest variation that were run. */
  readonly variations: readonly string[]
  readonly honest: Sample
  /** Largest values that an honest answer had. */
  readonly worst: Measurements
  /** The cheaper copies that had to be caught. */
  readonly copies: readonly Sample[]
}

/** Answers of one kind, and how many were refused. */
export interface Sample {
  readonly name: string
  readonly answers: number
  readonly tokens: number
  readonly refused: number
  /** 95 % interval of the share that is refused, by Clopper and Pearson. */
  readonly interval: readonly [number, number]
}

const PROFILES: readonly string[] = ['fp32', 'fp16', 'int8'] satisfies readonly PrecisionProfile[]
const PROVIDERS: readonly string[] = ['cpu', 'cuda', 'webgpu'] satisfies readonly Provider[]
const PROOFS: readonly string[] = ['residue', 'toploc', 'none'] satisfies readonly ProofKind[]

/**
 * Reads the thresholds of a card.
 * @throws MODEL_CARD_INVALID when a field is missing, unknown or of the wrong kind, or two entries are for the same
 */
export const parseThresholds = (json: unknown): readonly Thresholds[] => {
  const parsed = list(json, 'thresholds').map((entry, index) => parseOne(entry, `thresholds[${index}]`))
  const names = parsed.map(({ profile, provider, proof }) => `${profile} ${provider} ${proof}`)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalidField('thresholds', `a list with one entry for ${twice}`)
  return parsed
}

/** Hashes thresholds, with what they were measured on: SHA-256 of their canonical JSON (no spaces, keys sorted). A spec pins it. */
export const thresholdsHash = (thresholds: readonly Thresholds[]): Hex =>
  `0x${createHash('sha256').update(canonicalJson(thresholds)).digest('hex')}`

/** Finds the limits of a check. */
export const findThresholds = (
  thresholds: readonly Thresholds[],
  of: Pick<Thresholds, 'profile' | 'provider' | 'proof'>,
): Thresholds | undefined =>
  thresholds.find(
    ({ profile, provider, proof }) => profile === of.profile && provider === of.provider && proof === of.proof,
  )

const parseOne = (json: unknown, name: string): Thresholds => {
  const entry = only(json, name, ['profile', 'provider', 'proof', ...MEASURED, 'calibration'])
  const calibration = only(entry.calibration, `${name}.calibration`, ['variations', 'honest', 'worst', 'copies'])
  const proof = oneOf<ProofKind>(entry.proof, `${name}.proof`, PROOFS)
  return {
    profile: oneOf<PrecisionProfile>(entry.profile, `${name}.profile`, PROFILES),
    provider: oneOf<Provider>(entry.provider, `${name}.provider`, PROVIDERS),
    proof,
    ...measurements(entry, name, proof),
    calibration: {
      variations: list(calibration.variations, `${name}.calibration.variations`).map((each) =>
        text(each, 'variations'),
      ),
      honest: sample(calibration.honest, `${name}.calibration.honest`),
      worst: measurements(
        only(calibration.worst, `${name}.calibration.worst`, MEASURED),
        `${name}.calibration.worst`,
        proof,
      ),
      copies: list(calibration.copies, `${name}.calibration.copies`).map((each) =>
        sample(each, `${name}.calibration.copies`),
      ),
    },
  }
}

/** Names of the measurements. */
export const MEASURED = [
  'residueError',
  'exponentMismatches',
  'mantissaError',
  'marginMean',
  'marginMax',
  'mismatchRate',
] as const satisfies readonly (keyof Measurements)[]

/** Numbers where the proof has them, null where not: a forgotten limit must not read as no limit. */
const measurements = (from: Readonly<Record<string, unknown>>, name: string, proof: ProofKind): Measurements => {
  const due = (kind: ProofKind, field: string): number | null => {
    if (proof === kind) return number(from[field], `${name}.${field}`)
    if (from[field] !== null) throw invalidField(`${name}.${field}`, `null, as proof ${proof} has none`)
    return null
  }
  return {
    residueError: due('residue', 'residueError'),
    exponentMismatches: due('toploc', 'exponentMismatches'),
    mantissaError: due('toploc', 'mantissaError'),
    marginMean: number(from.marginMean, `${name}.marginMean`),
    marginMax: number(from.marginMax, `${name}.marginMax`),
    mismatchRate: number(from.mismatchRate, `${name}.mismatchRate`),
  }
}

const sample = (json: unknown, name: string): Sample => {
  const from = only(json, name, ['name', 'answers', 'tokens', 'refused', 'interval'])
  const [low, high, ...more] = list(from.interval, `${name}.interval`)
  if (more.length > 0) throw invalidField(`${name}.interval`, 'a pair')
  return {
    name: text(from.name, `${name}.name`),
    answers: integer(from.answers, `${name}.answers`),
    tokens: integer(from.tokens, `${name}.tokens`),
    refused: integer(from.refused, `${name}.refused`),
    interval: [number(low, `${name}.interval[0]`), number(high, `${name}.interval[1]`)],
  }
}

const only = (json: unknown, name: string, fields: readonly string[]): Readonly<Record<string, unknown>> => {
  const from = record(json, name)
  const unknown = Object.keys(from).find((field) => !fields.includes(field))
  if (unknown !== undefined) throw invalidField(`${name}.${unknown}`, 'known')
  return from
}

const oneOf = <Word extends string>(value: unknown, name: string, words: readonly string[]): Word => {
  if (typeof value !== 'string' || !words.includes(value)) throw invalidField(name, `one of ${words.join(', ')}`)
  return value as Word
}
