import { isHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { invalidCard } from './errors.ts'

/** What was counted of one of the two files. */
export interface PartCounts {
  readonly documents: number
  readonly tokens: number
  /** Of the text. */
  readonly bytes: number
}

/** What a dataset's folder says about itself. */
export interface DatasetCard {
  readonly name: string
  /** Of the two files of tokens; the card itself is no part of it. */
  readonly hash: Hex
  /** SHA-256 of the tokenizer.json that made the tokens. */
  readonly tokenizer: Hex
  /** Tokens are below it. */
  readonly vocabulary: number
  /** The token that closes each document. */
  readonly end: number
  readonly train: PartCounts
  readonly heldOut: PartCounts
  /** Where the text is from, and under which licence, in words. */
  readonly origin: string
  readonly licence: string
}

/**
 * Reads card.json.
 * @throws DATASET_CARD_INVALID when a field is missing or of the wrong kind
 */
export const parseDatasetCard = (json: unknown): DatasetCard => {
  const card = objectOf(json, 'content')
  return {
    name: textOf(card.name, 'name'),
    hash: hashOf(card.hash, 'hash'),
    tokenizer: hashOf(card.tokenizer, 'tokenizer'),
    vocabulary: countOf(card.vocabulary, 'vocabulary'),
    end: countOf(card.end, 'end'),
    train: partOf(card.train, 'train'),
    heldOut: partOf(card.heldOut, 'heldOut'),
    origin: textOf(card.origin, 'origin'),
    licence: textOf(card.licence, 'licence'),
  }
}

const partOf = (value: unknown, field: string): PartCounts => {
  const part = objectOf(value, field)
  return {
    documents: countOf(part.documents, `${field}.documents`),
    tokens: countOf(part.tokens, `${field}.tokens`),
    bytes: countOf(part.bytes, `${field}.bytes`),
  }
}

const objectOf = (value: unknown, field: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidCard(field, 'an object')
  return value as Readonly<Record<string, unknown>>
}
const textOf = (value: unknown, field: string): string => {
  if (typeof value !== 'string' || value === '') throw invalidCard(field, 'text')
  return value
}
const countOf = (value: unknown, field: string): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalidCard(field, 'an integer of at least 0')
  return value
}
const hashOf = (value: unknown, field: string): Hex => {
  const text = textOf(value, field)
  if (!isHex(text, 32)) throw invalidCard(field, '0x and 64 hexadecimal digits')
  return text
}
