import { readJson } from '../folder.ts'
import { integer, list, number, record, text } from '../json.ts'
import { folderInvalid } from './errors.ts'

export const TRAINING_CARD = 'training.json'

/** A tensor of a model and the initialiser of its graph that holds it. */
export interface HeldTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** Null for tensors that the model's file does not hold: LoRA's factors. */
  readonly initializer: string | null
}

/** Factors that are trained in place of the model: weight + scale × A × B. */
export interface Lora {
  readonly scale: number
  readonly tensors: readonly HeldTensor[]
  /** File of their first values, fp32 little-endian, in the order of the tensors. */
  readonly initial: string
}

/** What a training folder says about itself. */
export interface TrainingCard {
  readonly name: string
  readonly model: { readonly name: string; readonly hash: string }
  readonly vocabulary: number
  /** Most tokens of a window. */
  readonly longest: number
  readonly tensors: readonly HeldTensor[]
  /** `mixed` multiplies matrices in fp16. */
  readonly graphs: { readonly step: string; readonly loss: string; readonly mixed: string | null }
  readonly lora: Lora | null
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

/**
 * Reads training.json.
 * @throws TRAIN_FOLDER_INVALID
 */
export const readTrainingCard = async (folder: string): Promise<TrainingCard> => {
  try {
    return parse(await readJson(folder, TRAINING_CARD))
  } catch (cause) {
    throw folderInvalid(folder, `has no usable ${TRAINING_CARD}`, cause)
  }
}

const parse = (json: unknown): TrainingCard => {
  const card = record(json, TRAINING_CARD)
  if (card.format !== 1) throw new Error(`format ${String(card.format)}`)
  const model = record(card.model, 'model')
  const graphs = record(card.graphs, 'graphs')
  return {
    name: text(card.name, 'name'),
    model: { name: text(model.name, 'model.name'), hash: text(model.hash, 'model.hash') },
    vocabulary: integer(card.vocabulary, 'vocabulary'),
    longest: integer(card.longest, 'longest'),
    tensors: list(card.tensors, 'tensors').map(tensor),
    graphs: {
      step: file(graphs.step, 'graphs.step'),
      loss: file(graphs.loss, 'graphs.loss'),
      mixed: graphs.mixed === undefined ? null : file(graphs.mixed, 'graphs.mixed'),
    },
    lora: card.lora === undefined ? null : lora(card.lora),
    files: list(card.files, 'files').map((entry) => {
      const each = record(entry, 'files[]')
      return { name: file(each.name, 'files[].name'), sha256: text(each.sha256, 'files[].sha256') }
    }),
  }
}

const lora = (value: unknown): Lora => {
  const of = record(value, 'lora')
  return {
    scale: number(of.scale, 'lora.scale'),
    tensors: list(of.tensors, 'lora.tensors').map(tensor),
    initial: file(of.initial, 'lora.initial'),
  }
}

const tensor = (value: unknown): HeldTensor => {
  const of = record(value, 'tensors[]')
  return {
    name: text(of.name, 'tensors[].name'),
    shape: list(of.shape, 'tensors[].shape').map((size) => integer(size, 'tensors[].shape')),
    initializer: of.initializer === undefined ? null : text(of.initializer, 'tensors[].initializer'),
  }
}

/** A file of the folder itself. */
const file = (value: unknown, field: string): string => {
  const name = text(value, field)
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw new Error(`${field} is no file's name`)
  return name
}
