import { isHex } from '@arbor/shared/hex'
import type { PrecisionProfile } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { invalidField as invalid, list, number, record, text } from './json.ts'
import { parseThresholds, type Thresholds } from './thresholds.ts'

/** What a model folder says about itself, as far as the engine reads it. */
export interface ModelCard {
  readonly name: string
  readonly profile: PrecisionProfile
  readonly hash: Hex
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly thresholds: readonly Thresholds[]
  /** Whether sequences may run side by side; `arbor model add` tries it. */
  readonly batches: boolean
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
    thresholds: parseThresholds(card.thresholds),
    batches: card.graph === undefined || record(card.graph, 'graph').batches !== false,
  }
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
