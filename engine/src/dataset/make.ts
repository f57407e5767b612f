import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { isModelName } from '../find-model.ts'
import type { DatasetCard } from './card.ts'
import { tooShort } from './errors.ts'
import { datasetHash } from './hash.ts'
import { CARD, type DatasetLimits, HELD_OUT, LIMITS, TRAIN } from './limits.ts'
import { heldOutOf } from './split.ts'
import { readText } from './text.ts'
import { type DatasetTokenizer, openDatasetTokenizer } from './tokenizer.ts'
import { type Walked, walkText } from './walk.ts'
import { createTokenFile, type TokenFile } from './write.ts'

/** What a dataset is made of. */
export interface DatasetSource {
  /** Folder of text. */
  readonly from: string
  /** A model's folder: its tokenizer.json, and what says which token ends a text. */
  readonly model: string
  /** The folder that the dataset's folder comes into. */
  readonly into: string
  readonly name: string
  /** Endings of the files that are taken, as '.md'; none for all. */
  readonly only?: readonly string[]
  /** Share of the documents that is held out, in (0, 1). */
  readonly heldOutShare?: number
  /** Where the text is from, and its licence, in words. */
  readonly origin: string
  readonly licence: string
  readonly limits?: DatasetLimits
  /** Told after each document. */
  readonly onDocument?: (at: { readonly done: number; readonly of: number; readonly tokens: number }) => void
  readonly signal: AbortSignal
}

/** A dataset that was made. */
export interface Made {
  readonly folder: string
  readonly card: DatasetCard
  readonly leftOut: Walked['leftOut']
}

/** One document in twenty. */
export const HELD_OUT_SHARE = 0.05

/**
 * Makes a dataset of a folder of text: each file is a document, tokenised as plain text and closed by the end token; the same text
 * gives the same bytes. One document is in memory at a time, and nothing is left behind when it fails or is stopped.
 * @throws DATASET_NAME, DATASET_EXISTS         when the name has foreign characters, or is taken
 * @throws DATASET_VOCABULARY                   when tokens do not fit 16 bits, or no token ends a text
 * @throws DATASET_MISSING, DATASET_EMPTY, DATASET_TOO_SHORT when there is no folder, no text, or only one document
 * @throws DATASET_TOO_LARGE, DATASET_LINK, DATASET_BINARY, DATASET_NOT_UTF8 for what is found in the folder
 */
export const makeDataset = async (of: DatasetSource): Promise<Made> => {
  const { from, only = [], limits = LIMITS, heldOutShare = HELD_OUT_SHARE, signal } = of
  const folder = mustBeFree(of)
  const tokenizer = await openDatasetTokenizer(of.model)
  const { documents, leftOut } = await walkText({ from, only, limits, signal })
  if (documents.length === 0) throw empty(from, only)
  if (documents.length === 1) throw tooShort(`Documents in ${from}, one of them to hold out`, { found: 1, least: 2 })
  const heldOut = heldOutOf(
    documents.map(({ path }) => path),
    heldOutShare,
  )
  await mkdir(of.into, { recursive: true })
  const work = await mkdtemp(join(of.into, `.${of.name}-`))
  try {
    const card = await tokenise({ ...of, limits, documents, heldOut, tokenizer, work })
    await writeFile(join(work, CARD), `${JSON.stringify(card, null, 2)}\n`, { flag: 'wx' })
    mustBeFree(of)
    await chmod(work, 0o755) // a temporary folder is its owner's alone, and miners run as other users
    await rename(work, folder)
    return { folder, card, leftOut }
  } catch (error) {
    await rm(work, { recursive: true, force: true })
    throw error
  }
}

const tokenise = async (
  of: DatasetSource & {
    readonly limits: DatasetLimits
    readonly documents: Walked['documents']
    readonly heldOut: ReadonlySet<string>
    readonly tokenizer: DatasetTokenizer
    readonly work: string
  },
): Promise<DatasetCard> => {
  const { tokenizer, work } = of
  const train = await createTokenFile(join(work, TRAIN))
  const heldOut = await createTokenFile(join(work, HELD_OUT))
  try {
    await addAll(of, { train, heldOut })
  } catch (error) {
    await Promise.all([train.abandon(), heldOut.abandon()])
    throw error
  }
  const parts = { train: await train.close(), heldOut: await heldOut.close() }
  return {
    name: of.name,
    hash: datasetHash({ train: parts.train.sha256, heldOut: parts.heldOut.sha256 }),
    tokenizer: tokenizer.hash,
    vocabulary: tokenizer.vocabulary,
    end: tokenizer.end,
    train: parts.train.counts,
    heldOut: parts.heldOut.counts,
    origin: of.origin,
    licence: of.licence,
  }
}

const addAll = async (
  of: DatasetSource & {
    readonly limits: DatasetLimits
    readonly documents: Walked['documents']
    readonly heldOut: ReadonlySet<string>
    readonly tokenizer: DatasetTokenizer
  },
  into: { readonly train: TokenFile; readonly heldOut: TokenFile },
): Promise<void> => {
  let total = 0
  for (const [index, document] of of.documents.entries()) {
    of.signal.throwIfAborted()
    const tokens = of.tokenizer.encode(await readText(of.from, document, of.limits.documentBytes))
    await (of.heldOut.has(document.path) ? into.heldOut : into.train).add(tokens, document.bytes)
    total += tokens.length
    of.onDocument?.({ done: index + 1, of: of.documents.length, tokens: total })
  }
}

/** @returns the folder that the dataset becomes */
const mustBeFree = (of: { readonly into: string; readonly name: string }): string => {
  if (!isModelName(of.name)) {
    throw new SubnetError({
      code: 'DATASET_NAME',
      message: `A dataset cannot be called ${JSON.stringify(of.name)}; take letters, digits, dots, dashes and underscores, 64 at most`,
      details: { name: of.name },
    })
  }
  const folder = join(of.into, of.name)
  if (!existsSync(folder)) return folder
  throw new SubnetError({
    code: 'DATASET_EXISTS',
    message: `There is already something at ${folder}; choose another --name, or remove it`,
    details: { folder },
  })
}

const empty = (from: string, only: readonly string[]): SubnetError =>
  new SubnetError({
    code: 'DATASET_EMPTY',
    message: `${from} holds no text${only.length === 0 ? '' : ` in files that end in ${only.join(', ')}`}; name another folder or other kinds of files`,
    details: { from, only: only.join(', ') },
  })
