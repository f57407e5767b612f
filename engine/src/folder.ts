import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { ModelId } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { type ModelCard, parseCard } from './card.ts'
import { mustHoldWeights } from './graph/external.ts'
import { readGraph } from './graph/onnx.ts'
import { openSource } from './graph/source.ts'
import { invalidField, type JsonObject } from './json.ts'
import { type ModelConfig, readConfig } from './model-config.ts'
import type { TokenizerFiles } from './tokenizer.ts'

/** A model folder whose content equals what its card says. */
export interface ModelFolder {
  readonly id: ModelId
  readonly card: ModelCard
  readonly config: ModelConfig
  /** Path of the ONNX graph. */
  readonly graph: string
  readonly tokenizer: TokenizerFiles
}

/** A file of a model folder, as its hash sees it. */
export interface HashedFile {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

export const CARD = 'card.json'
export const GRAPH_FILE = 'model.onnx'
const REQUIRED = [CARD, 'config.json', GRAPH_FILE, 'tokenizer.json']
const MAX_FILES = 1_000
const MAX_JSON_BYTES = 64 << 20 // the largest tokenizer.json in use has 33 MiB
const READ_BYTES = 1 << 20 // a SHA-256 over 541 MB takes 1.3 times as long in reads of 64 KiB

/**
 * Reads a model folder and names it by its content. Every byte is hashed at every start: a hash that is remembered by size and time
 * would be one that whoever may write the folder can keep while the weights change.
 * @throws MODEL_MISSING       when the folder cannot be read
 * @throws MODEL_INCOMPLETE    when a file is not there
 * @throws MODEL_FILE_INVALID  when a file is too large, no plain file, or its weights lie elsewhere
 * @throws MODEL_CARD_INVALID  when a JSON file is malformed
 * @throws MODEL_GRAPH_INVALID when model.onnx is no ONNX file
 * @throws MODEL_MISMATCH      when the files are not those that the card lists
 */
export const readModelFolder = async (of: { readonly folder: string }): Promise<ModelFolder> => {
  const { folder } = of
  const names = await listFiles(folder)
  const absent = REQUIRED.filter((name) => !names.includes(name))
  if (absent.length > 0) throw incomplete(folder, absent)
  const card = parseCard(await readJson(folder, CARD))
  const { hash } = await hashFiles(folder, names)
  if (hash !== card.hash) {
    throw new SubnetError({
      code: 'MODEL_MISMATCH',
      message: `The files of ${folder} have hash ${hash}, its card says ${card.hash}; restore the folder or make it again`,
      details: { folder, found: hash, expected: card.hash },
    })
  }
  const graph = join(folder, GRAPH_FILE)
  mustKeepWeights(folder, names)
  return {
    id: { name: card.name, hash, profile: card.profile },
    card,
    graph,
    ...(await readSpeech({ folder, names })),
  }
}

/** Reads what says how to speak to a model: its sizes, special tokens, tokenizer and chat template. */
export const readSpeech = async (of: {
  readonly folder: string
  readonly names: readonly string[]
}): Promise<Pick<ModelFolder, 'config' | 'tokenizer'>> => {
  const { folder, names } = of
  const optional = async (name: string): Promise<JsonObject | null> =>
    names.includes(name) ? readJson(folder, name) : null
  const tokenizer = await readJson(folder, 'tokenizer.json')
  const tokenizerConfig = await optional('tokenizer_config.json')
  const files = {
    config: await readJson(folder, 'config.json'),
    generation: await optional('generation_config.json'),
    tokenizer,
    tokenizerConfig,
  }
  const template = names.includes('chat_template.jinja') ? await readText(folder, 'chat_template.jinja') : null
  return { config: readConfig(files), tokenizer: { tokenizer, config: tokenizerConfig, template } }
}

/**
 * Hashes a model folder: SHA-256 over one line `<SHA-256 of the content>  <name>` and a line feed for each file but card.json,
 * sorted by the name's bytes. That is the output of `sha256sum` over the sorted names, hashed once more.
 */
export const hashModelFolder = async (folder: string): Promise<Hex> =>
  (await hashFiles(folder, await listFiles(folder))).hash

/** Hashes the files of a folder one by one and all together. */
export const hashFiles = async (
  folder: string,
  names: readonly string[],
): Promise<{ readonly hash: Hex; readonly files: readonly HashedFile[] }> => {
  const sorted = names.filter((name) => name !== CARD).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const total = createHash('sha256')
  const files: HashedFile[] = []
  for (const name of sorted) {
    const content = createHash('sha256')
    let bytes = 0
    for await (const part of createReadStream(join(folder, name), { highWaterMark: READ_BYTES })) {
      content.update(part)
      bytes += part.length
    }
    const sha256 = content.digest('hex')
    total.update(`${sha256}  ${name}\n`)
    files.push({ name, bytes, sha256 })
  }
  return { hash: `0x${total.digest('hex')}`, files }
}

/** Expects weights in files of their own to lie in this very folder, where its hash covers them. */
const mustKeepWeights = (folder: string, names: readonly string[]): void => {
  const source = openSource(join(folder, GRAPH_FILE))
  try {
    mustHoldWeights({ graph: readGraph(source), folder, names })
  } finally {
    source.close()
  }
}

/**
 * Lists the files of a folder, with slashes in their names.
 * @throws MODEL_MISSING      when the folder cannot be read
 * @throws MODEL_FILE_INVALID when there are too many, or one is no plain file
 */
export const listFiles = async (folder: string): Promise<string[]> => {
  const names: string[] = []
  for (const entry of await walk(folder)) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path).split(sep).join('/')
    // A pipe would be read for ever, and a link to a folder is none that the hash covers.
    if (!(await isPlainFile(path))) throw invalidFile(folder, name, 'no plain file')
    names.push(name)
    if (names.length > MAX_FILES) throw invalidFile(folder, name, `one of more than ${MAX_FILES}`)
  }
  return names
}

const walk = async (folder: string) => {
  try {
    return await readdir(folder, { recursive: true, withFileTypes: true })
  } catch (cause) {
    throw new SubnetError({
      code: 'MODEL_MISSING',
      message: `The model folder ${folder} cannot be read; check the path`,
      details: { folder },
      cause,
    })
  }
}

const isPlainFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false // a link that leads nowhere
  }
}

/** A refusal of a file of a model folder. */
export const invalidFile = (folder: string, name: string, what: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_FILE_INVALID',
    message: `${name} of the model folder ${folder} is ${what}; restore the folder or make it again`,
    details: { folder, name, what },
  })

/** A refusal of a folder that lacks files. */
export const incomplete = (folder: string, absent: readonly string[]): SubnetError =>
  new SubnetError({
    code: 'MODEL_INCOMPLETE',
    message: `The model folder ${folder} has no ${absent.join(', ')}; restore the folder or make it again`,
    details: { folder, absent: absent.join(', ') },
  })

/** Reads a JSON object of a model folder. */
export const readJson = async (folder: string, name: string): Promise<JsonObject> => {
  const content = await readText(folder, name)
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    throw invalidField(name, 'JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalidField(name, 'a JSON object')
  return json as JsonObject
}

const readText = async (folder: string, name: string): Promise<string> => {
  const path = join(folder, name)
  const { size } = await stat(path)
  if (size > MAX_JSON_BYTES) throw invalidFile(folder, name, `of ${size} bytes, more than ${MAX_JSON_BYTES}`)
  return readFile(path, 'utf8')
}
