import { readdir } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { DatasetId } from '@arbor/shared/training'
import type { Dataset } from '../train/types.ts'
import { type DatasetCard, parseDatasetCard } from './card.ts'
import { invalidCard, invalidFile, missing, otherDataset, tooShort } from './errors.ts'
import { datasetHash, sha256Of } from './hash.ts'
import { CARD, HELD_OUT, MAX_TOKEN_BYTES, TRAIN } from './limits.ts'
import { readAtMost } from './read.ts'

const MAX_CARD_BYTES = 1 << 20

/**
 * Opens a dataset's folder into memory. Every token is hashed and looked at: the spec pins the hash, and a token beyond the
 * vocabulary would end a training step far from here.
 * @param of.id     what the spec names; left out to open any
 * @param of.length tokens that a window predicts; both parts have to hold one window of them
 * @throws DATASET_MISSING      when the folder or a file cannot be read
 * @throws DATASET_INCOMPLETE   when a file is not there
 * @throws DATASET_CARD_INVALID when card.json is malformed
 * @throws DATASET_FILE_INVALID when a file has an odd length, other counts than the card says, or is too large
 * @throws DATASET_MISMATCH     when the content is not what the card names
 * @throws DATASET_OTHER        when it is not the one of the spec
 * @throws DATASET_TOKENS       when a token is beyond the vocabulary
 * @throws DATASET_TOO_SHORT    when a part holds no window
 */
export const openDataset = async (of: {
  readonly folder: string
  readonly id?: DatasetId
  readonly length?: number
}): Promise<Dataset> => {
  const { folder, id, length = 1 } = of
  const card = await readCard(folder)
  if (id !== undefined && id.hash !== card.hash) {
    throw otherDataset(`The dataset in ${folder} has hash`, { found: card.hash, expected: id.hash })
  }
  const train = await readTokens({ folder, name: TRAIN, tokens: card.train.tokens })
  const heldOut = await readTokens({ folder, name: HELD_OUT, tokens: card.heldOut.tokens })
  const hash = datasetHash({ train: train.sha256, heldOut: heldOut.sha256 })
  if (hash !== card.hash) throw mismatch(folder, hash, card)
  mustBeBelow(train.tokens, { folder, name: TRAIN, vocabulary: card.vocabulary })
  mustBeBelow(heldOut.tokens, { folder, name: HELD_OUT, vocabulary: card.vocabulary })
  const { name, tokenizer, vocabulary } = card
  const dataset = { id: { name, hash }, tokenizer, vocabulary, train: train.tokens, heldOut: heldOut.tokens }
  mustHoldWindow(dataset, length)
  return dataset
}

/**
 * Reads what a dataset's folder says about itself, and nothing else of it.
 * @throws DATASET_MISSING, DATASET_INCOMPLETE, DATASET_CARD_INVALID
 */
export const readCard = async (folder: string): Promise<DatasetCard> => {
  const names = await namesOf(folder)
  const absent = [CARD, TRAIN, HELD_OUT].filter((name) => !names.includes(name))
  if (absent.length > 0) throw incomplete(folder, absent)
  const bytes = await readAtMost(join(folder, CARD), MAX_CARD_BYTES, () =>
    invalidFile(folder, CARD, `no plain file of at most ${MAX_CARD_BYTES} bytes`),
  )
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw invalidCard('content', 'JSON')
  }
  return parseDatasetCard(json)
}

/**
 * Expects both parts to hold a window.
 * @param length tokens that a window predicts; it takes one more
 * @throws DATASET_TOO_SHORT
 */
export const mustHoldWindow = (dataset: Dataset, length: number): void => {
  for (const [part, tokens] of [
    ['train', dataset.train],
    ['held-out', dataset.heldOut],
  ] as const) {
    if (tokens.length < length + 1) {
      throw tooShort(`Tokens of the ${part} part of ${dataset.id.name}`, { found: tokens.length, least: length + 1 })
    }
  }
}

/**
 * Expects a dataset to be made by a model's tokenizer.
 * @param model.tokenizer SHA-256 of its tokenizer.json, with 0x
 * @throws DATASET_OTHER
 */
export const mustFitModel = (
  dataset: Dataset,
  model: { readonly tokenizer: string; readonly vocabulary: number },
): void => {
  if (dataset.tokenizer !== model.tokenizer) {
    throw otherDataset(`The dataset ${dataset.id.name} was made by a tokenizer of hash`, {
      found: dataset.tokenizer,
      expected: model.tokenizer,
    })
  }
  if (dataset.vocabulary > model.vocabulary) {
    throw otherDataset(`The dataset ${dataset.id.name} has a vocabulary of`, {
      found: `${dataset.vocabulary}`,
      expected: `at most ${model.vocabulary}`,
    })
  }
}

const namesOf = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw missing(folder, cause)
  }
}

const incomplete = (folder: string, absent: readonly string[]): SubnetError =>
  new SubnetError({
    code: 'DATASET_INCOMPLETE',
    message: `The dataset ${folder} has no ${absent.join(', ')}; restore the folder or make it again`,
    details: { folder, absent: absent.join(', ') },
  })

const readTokens = async (of: {
  readonly folder: string
  readonly name: string
  readonly tokens: number
}): Promise<{ readonly tokens: Uint16Array; readonly sha256: string }> => {
  const { folder, name } = of
  const bytes = await readAtMost(join(folder, name), MAX_TOKEN_BYTES, (size) =>
    invalidFile(folder, name, size === null ? 'no plain file' : `of ${size} bytes, more than ${MAX_TOKEN_BYTES}`),
  )
  if (bytes.length % 2 !== 0) throw invalidFile(folder, name, `of ${bytes.length} bytes, no whole number of tokens`)
  if (bytes.length !== 2 * of.tokens) {
    throw invalidFile(folder, name, `of ${bytes.length / 2} tokens, its card says ${of.tokens}`)
  }
  const sha256 = sha256Of(bytes)
  if (endianness() === 'BE') Buffer.from(bytes.buffer, 0, bytes.length).swap16()
  return { tokens: new Uint16Array(bytes.buffer, 0, bytes.length / 2), sha256 }
}

const mismatch = (folder: string, found: string, { hash }: DatasetCard): SubnetError =>
  new SubnetError({
    code: 'DATASET_MISMATCH',
    message: `The tokens of ${folder} have hash ${found}, its card says ${hash}; restore the folder or make it again`,
    details: { folder, found, expected: hash },
  })

const mustBeBelow = (
  tokens: Uint16Array,
  of: { readonly folder: string; readonly name: string; readonly vocabulary: number },
): void => {
  const at = tokens.findIndex((token) => token >= of.vocabulary)
  if (at === -1) return
  throw new SubnetError({
    code: 'DATASET_TOKENS',
    message: `${of.name} of ${of.folder} holds token ${tokens[at]} at ${at}, its vocabulary ends at ${of.vocabulary - 1}; make the dataset again`,
    details: { ...of, at, token: tokens[at] ?? null },
  })
}
