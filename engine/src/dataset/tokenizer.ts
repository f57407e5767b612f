import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { readSpeech } from '../folder.ts'
import { openTextEncoder, openTokenizer } from '../tokenizer.ts'
import { missing } from './errors.ts'
import { sha256Of } from './hash.ts'
import { MAX_VOCABULARY } from './limits.ts'
import { readAtMost } from './read.ts'

/** Makes documents of text. */
export interface DatasetTokenizer {
  /** SHA-256 of tokenizer.json. */
  readonly hash: Hex
  readonly vocabulary: number
  readonly end: number
  /** Tokenises a text and closes it by the end token. */
  encode(text: string): Uint16Array
}

const MAX_TOKENIZER_BYTES = 64 << 20 // as the engine reads it

/**
 * Opens the tokenizer of a model's folder for documents.
 * @throws DATASET_MISSING    when tokenizer.json cannot be read
 * @throws DATASET_VOCABULARY when tokens do not fit 16 bits, or no token ends a text
 * @throws MODEL_CARD_INVALID when a file of the model is malformed
 */
export const openDatasetTokenizer = async (model: string): Promise<DatasetTokenizer> => {
  const hash = await hashTokenizer(model)
  const { config, tokenizer } = await readSpeech({ folder: model, names: await readdir(model) })
  const encode = openTextEncoder(tokenizer.tokenizer)
  const vocabulary = Math.max(config.vocabulary, openTokenizer({ ...tokenizer, template: null, config: null }).size)
  const end = config.ends[0]
  if (vocabulary > MAX_VOCABULARY) throw unfit(model, `a vocabulary of ${vocabulary}, more than ${MAX_VOCABULARY}`)
  if (end === undefined) throw unfit(model, 'no token that ends a text (eos_token_id)')
  return { hash, vocabulary, end, encode: (text) => Uint16Array.from([...encode(text), end]) }
}

/**
 * Hashes a model's tokenizer as datasets name it.
 * @throws DATASET_MISSING when there is none
 */
export const hashTokenizer = async (model: string): Promise<Hex> => {
  const path = join(model, 'tokenizer.json')
  const bytes = await readAtMost(path, MAX_TOKENIZER_BYTES, () => missing(path))
  return `0x${sha256Of(bytes)}`
}

const unfit = (model: string, what: string): SubnetError =>
  new SubnetError({
    code: 'DATASET_VOCABULARY',
    message: `The model ${model} has ${what}; make the dataset for another model`,
    details: { model, what },
  })
