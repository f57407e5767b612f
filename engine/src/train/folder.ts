import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@arbor/shared/hashing'
import type { Layout } from '@arbor/shared/training'
import { type ModelFolder, readModelFolder } from '../folder.ts'
import { readTrainingCard, TRAINING_CARD, type TrainingCard } from './card.ts'
import { folderInvalid, modelMismatch, wrongSize } from './errors.ts'
import { layoutOf } from './layout.ts'
import { readTensors } from './tensors.ts'

/** A model and the graphs that train it, both checked against what they say of themselves. */
export interface TrainingFolder {
  readonly folder: string
  readonly card: TrainingCard
  readonly model: ModelFolder
  readonly modelFolder: string
  /** Of what is trained: the whole model, or LoRA's factors. */
  readonly layout: Layout
  /** Of what the model's file holds. */
  readonly base: Layout
}

/** The folder of step graphs that comes with a model's folder. */
export const trainingFolderOf = (model: string): string => `${model}-train`

/** Whether a folder holds step graphs. */
export const isTrainingFolder = (folder: string): boolean => existsSync(join(folder, TRAINING_CARD))

/**
 * Reads a training folder and its model, and checks that they belong together.
 * @throws TRAIN_FOLDER_INVALID, TRAIN_MODEL_MISMATCH, and what reading a model folder throws
 */
export const readTrainingFolder = async (of: {
  readonly folder: string
  readonly model: string
}): Promise<TrainingFolder> => {
  const { folder } = of
  const card = await readTrainingCard(folder)
  for (const { name, sha256: expected } of card.files) {
    const found = await hashOf(folder, name)
    if (found !== expected) throw folderInvalid(folder, `has ${name} with SHA-256 ${found}, its card says ${expected}`)
  }
  const listed = card.files.map(({ name }) => name)
  const needed = [card.graphs.step, card.graphs.loss, card.graphs.mixed, card.lora?.initial ?? null]
  for (const name of needed)
    if (name !== null && !listed.includes(name)) throw folderInvalid(folder, `does not list ${name}`)
  const model = await readModelFolder({ folder: of.model })
  const found = model.id.hash.slice(2)
  if (found !== card.model.hash) throw modelMismatch({ folder, found, expected: card.model.hash })
  const base = layoutOf(card.tensors)
  return {
    ...{ folder, card, model, base, modelFolder: of.model },
    layout: card.lora === null ? base : layoutOf(card.lora.tensors),
  }
}

/** Reads the parameters that the model's file holds. @throws TRAIN_TENSOR_UNFIT */
export const readBase = ({ card, model, modelFolder, base }: TrainingFolder): Float32Array =>
  readTensors({ graph: model.graph, folder: modelFolder, tensors: card.tensors, layout: base })

/** Reads the parameters that training starts from. @throws TRAIN_TENSOR_UNFIT, TRAIN_SIZE_INVALID */
export const readInitial = async (of: TrainingFolder): Promise<Float32Array> => {
  const { lora } = of.card
  if (lora === null) return readBase(of)
  const bytes = await readFile(join(of.folder, lora.initial))
  if (bytes.length !== of.layout.size * 4) throw wrongSize(lora.initial, bytes.length / 4, of.layout.size)
  return new Float32Array(new Uint8Array(bytes).buffer)
}

const hashOf = async (folder: string, name: string): Promise<string> => {
  try {
    return Buffer.from(sha256(await readFile(join(folder, name)))).toString('hex')
  } catch (cause) {
    throw folderInvalid(folder, `has no ${name} that can be read`, cause)
  }
}
