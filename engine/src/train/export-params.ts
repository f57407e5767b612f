import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { floatsToBytes } from '@arbor/shared/floats'
import type { Hex } from '@arbor/shared/units'
import { CARD, hashFiles, listFiles, readJson } from '../folder.ts'
import { TRAINING_CARD } from './card.ts'
import { notFinite, wrongSize } from './errors.ts'
import { readBase, readTrainingFolder, type TrainingFolder, trainingFolderOf } from './folder.ts'
import { mergeLora } from './lora.ts'
import { findTensors } from './tensors.ts'

export interface ExportedModel {
  readonly folder: string
  /** Of its step graphs, so that it can be trained on. */
  readonly trainingFolder: string
  readonly name: string
  readonly hash: Hex
}

/**
 * Writes trained parameters as a model folder of its own, like the one that was trained in all but the weights, and its step graphs
 * beside it. Limits of the checks are not taken along: they belong to the weights that they were measured on.
 * @param of.params of the training folder's layout; LoRA's factors are merged into the model
 * @param of.origin what the card says the weights come from
 * @throws TRAIN_EXPORT_EXISTS, TRAIN_NOT_FINITE, TRAIN_SIZE_INVALID, and what reading both folders throws
 */
export const exportParams = async (of: {
  readonly model: string
  readonly folder: string
  readonly params: Float32Array
  readonly out: string
  readonly name: string
  readonly origin: string
}): Promise<ExportedModel> => {
  const { out, name, params } = of
  const trainingFolder = trainingFolderOf(out)
  for (const folder of [out, trainingFolder]) if (existsSync(folder)) throw exists(folder)
  const training = await readTrainingFolder(of)
  const whole = wholeModel(training, params)
  await mkdir(dirname(out), { recursive: true })
  const temporary = await mkdtemp(join(dirname(out), '.adding-'))
  try {
    const model = join(temporary, 'model')
    const names = (await listFiles(of.model)).filter((each) => each !== CARD)
    await copyAll(of.model, model, names)
    await writeTensors(training, model, whole)
    const { hash, files } = await hashFiles(model, names)
    const card = { ...(await readJson(of.model, CARD)), name, origin: originOf(training, of.origin) }
    await writeJson(model, CARD, { ...card, thresholds: [], hash: hash.slice(2), files })
    const graphs = join(temporary, 'graphs')
    await copyAll(
      of.folder,
      graphs,
      training.card.files.map((each) => each.name),
    )
    const about = { ...(await readJson(of.folder, TRAINING_CARD)), name: basename(trainingFolder) }
    await writeJson(graphs, TRAINING_CARD, { ...about, model: { name, hash: hash.slice(2) } })
    await rename(graphs, trainingFolder)
    await rename(model, out)
    return { folder: out, trainingFolder, name, hash }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** The parameters as the model's own file holds them. */
const wholeModel = (training: TrainingFolder, params: Float32Array): Float32Array => {
  const { layout, base } = training
  const { lora } = training.card
  if (params.length !== layout.size) throw wrongSize('The vector of parameters', params.length, layout.size)
  if (!params.every(Number.isFinite)) throw notFinite('vector of parameters', null)
  return lora === null ? params : mergeLora({ lora, layout, base, factors: params, params: readBase(training) })
}

/** Writes tensors over those of a copy of the model: as many bytes at the same places. */
const writeTensors = async (
  { card, model, modelFolder, base }: TrainingFolder,
  copy: string,
  params: Float32Array,
): Promise<void> => {
  const spans = findTensors({ graph: model.graph, folder: modelFolder, tensors: card.tensors, layout: base })
  for (const path of new Set(spans.map((span) => span.path))) {
    const file = await open(join(copy, relative(modelFolder, path)), 'r+')
    try {
      for (const { start, offset, length } of spans.filter((span) => span.path === path)) {
        await file.write(floatsToBytes(params.subarray(offset, offset + length)), 0, length * 4, start)
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

const copyAll = async (from: string, to: string, names: readonly string[]): Promise<void> => {
  await mkdir(to)
  for (const name of names) {
    await mkdir(dirname(join(to, name)), { recursive: true })
    await copyFile(join(from, name), join(to, name))
  }
}

const originOf = ({ model, card }: TrainingFolder, text: string): object => ({
  ...{ text, model: model.id.name, hash: model.id.hash.slice(2) },
  trained: card.lora === null ? 'all parameters' : 'LoRA factors, merged',
})

const writeJson = (folder: string, name: string, content: object): Promise<void> =>
  writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)

const exists = (folder: string): SubnetError =>
  new SubnetError({
    code: 'TRAIN_EXPORT_EXISTS',
    message: `${folder} is there already; remove it, or choose another name`,
    details: { folder },
  })
