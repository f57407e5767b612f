import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import type { PrecisionProfile } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'

/** Limits above which an answer is not believed; measured for one model hash and one profile. */
export interface Thresholds {
  readonly profile: PrecisionProfile
  /** Of the worst chunk. */
  readonly exponentMismatches: number
  /** Mean of the worst chunk. */
  readonly mantissaError: number
  /** Mean of the margins of the answer, each clipped to 1. */
  readonly marginMean: number
  readonly marginMax: number
}

/** What a model folder says about itself, as far as the engine reads it. */
export interface ModelCard {
  readonly name: string
  readonly profile: PrecisionProfile
  readonly hash: Hex
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly thresholds: readonly Thresholds[]
}

/** Sizes and ids of config.json that the engine needs. */
export interface ModelConfig {
  readonly vocabulary: number
  /** Most tokens of prompt and answer together, with the start token. */
  readonly context: number
  /** Token that starts every prompt. */
  readonly start: number
  /** Token that ends an answer. */
  readonly end: number
}

const PROFILES: readonly string[] = ['fp32', 'fp16', 'int8'] satisfies readonly PrecisionProfile[]

/**
 * Reads card.json.
 * @throws MODEL_CARD_INVALID when a field is missing or of the wrong kind
 */
export const parseCard = (json: unknown): ModelCard => {
  const card = record(json, 'card.json')
  return {
    name: text(card.name, 'name'),
    profile: profile(card.profile),
    hash: hash(card.hash),
    files: list(card.files, 'files').map((entry) => {
      const file = record(entry, 'files[]')
      return {
        name: text(file.name, 'files[].name'),
        bytes: number(file.bytes, 'files[].bytes'),
        sha256: text(file.sha256, 'sha256'),
      }
    }),
    thresholds: list(card.thresholds, 'thresholds').map((entry) => {
      const limits = record(entry, 'thresholds[]')
      return {
        profile: profile(limits.profile),
        exponentMismatches: number(limits.exponentMismatches, 'exponentMismatches'),
        mantissaError: number(limits.mantissaError, 'mantissaError'),
        marginMean: number(limits.marginMean, 'marginMean'),
        marginMax: number(limits.marginMax, 'marginMax'),
      }
    }),
  }
}

/**
 * Reads config.json.
 * @throws MODEL_CARD_INVALID when a field is missing or of the wrong kind
 */
export const parseConfig = (json: unknown): ModelConfig => {
  const config = record(json, 'config.json')
  return {
    vocabulary: number(config.vocab_size, 'vocab_size'),
    context: number(config.max_position_embeddings, 'max_position_embeddings'),
    start: number(config.bos_token_id, 'bos_token_id'),
    end: number(config.eos_token_id, 'eos_token_id'),
  }
}

const invalid = (field: string, expected: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_CARD_INVALID',
    message: `The model folder's ${field} is not ${expected}; make the folder again or restore it`,
    details: { field },
  })

const record = (value: unknown, field: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(field, 'an object')
  return value as Readonly<Record<string, unknown>>
}
const list = (value: unknown, field: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw invalid(field, 'a list')
  return value
}
const text = (value: unknown, field: string): string => {
  if (typeof value !== 'string' || value === '') throw invalid(field, 'text')
  return value
}
const number = (value: unknown, field: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw invalid(field, 'a number of at least 0')
  return value
}
const profile = (value: unknown): PrecisionProfile => {
  if (typeof value !== 'string' || !PROFILES.includes(value)) throw invalid('profile', `one of ${PROFILES.join(', ')}`)
  return value as PrecisionProfile
}
const hash = (value: unknown): Hex => {
  const prefixed = `0x${text(value, 'hash')}`
  if (!isHex(prefixed, 32)) throw invalid('hash', '64 hexadecimal digits')
  return prefixed
}
