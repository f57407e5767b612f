import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { ModelId } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { type ModelCard, type ModelConfig, parseCard, parseConfig } from './card.ts'

/** A model folder whose content equals what its card says. */
export interface ModelFolder {
  readonly id: ModelId
  readonly card: ModelCard
  readonly config: ModelConfig
  /** Path of the ONNX graph. */
  readonly graph: string
  /** Parsed tokenizer.json. */
  readonly tokenizer: object
}

const CARD = 'card.json'
const REQUIRED = [CARD, 'config.json', 'model.onnx', 'tokenizer.json']

/**
 * Reads a model folder and names it by its content.
 * @throws MODEL_MISSING      when the folder cannot be read
 * @throws MODEL_INCOMPLETE   when a file is not there
 * @throws MODEL_CARD_INVALID when card.json or config.json is malformed
 * @throws MODEL_MISMATCH     when the files are not those that the card lists
 */
export const readModelFolder = async (of: { readonly folder: string }): Promise<ModelFolder> => {
  const names = await listFiles(of.folder)
  const absent = REQUIRED.filter((name) => !names.includes(name))
  if (absent.length > 0) {
    throw new SubnetError({
      code: 'MODEL_INCOMPLETE',
      message: `The model folder ${of.folder} has no ${absent.join(', ')}; restore the folder or make it again`,
      details: { folder: of.folder, absent: absent.join(', ') },
    })
  }
  const card = parseCard(await readJson(of.folder, CARD))
  const hash = await hashFiles(of.folder, names)
  if (hash !== card.hash) {
    throw new SubnetError({
      code: 'MODEL_MISMATCH',
      message: `The files of ${of.folder} have hash ${hash}, its card says ${card.hash}; restore the folder or make it again`,
      details: { folder: of.folder, found: hash, expected: card.hash },
    })
  }
  return {
    id: { name: card.name, hash, profile: card.profile },
    card,
    config: parseConfig(await readJson(of.folder, 'config.json')),
    graph: join(of.folder, 'model.onnx'),
    tokenizer: await readJson(of.folder, 'tokenizer.json'),
  }
}

/**
 * Hashes a model folder: SHA-256 over one line `<SHA-256 of the content>  <name>` and a line feed for each file but card.json,
 * sorted by the name's bytes. That is the output of `sha256sum` over the sorted names, hashed once more.
 */
export const hashModelFolder = async (folder: string): Promise<Hex> => hashFiles(folder, await listFiles(folder))

const hashFiles = async (folder: string, names: readonly string[]): Promise<Hex> => {
  const sorted = names.filter((name) => name !== CARD).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const total = createHash('sha256')
  for (const name of sorted) {
    const content = createHash('sha256')
    for await (const part of createReadStream(join(folder, name))) content.update(part)
    total.update(`${content.digest('hex')}  ${name}\n`)
  }
  return `0x${total.digest('hex')}`
}

const listFiles = async (folder: string): Promise<string[]> => {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  } catch (cause) {
    throw new SubnetError({
      code: 'MODEL_MISSING',
      message: `The model folder ${folder} cannot be read; check the path`,
      details: { folder },
      cause,
    })
  }
}

const readJson = async (folder: string, name: string): Promise<object> => {
  try {
    const json: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'))
    if (typeof json === 'object' && json !== null) return json
    throw new SyntaxError('not an object')
  } catch (cause) {
    throw new SubnetError({
      code: 'MODEL_CARD_INVALID',
      message: `${join(folder, name)} is not a JSON object; restore the folder or make it again`,
      details: { folder, name },
      cause,
    })
  }
}
