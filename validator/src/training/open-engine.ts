import { resolve } from 'node:path'
import { findDataset } from '@arbor/engine/dataset/find'
import { mustFitModel, openDataset } from '@arbor/engine/dataset/open'
import { hashTokenizer } from '@arbor/engine/dataset/tokenizer'
import { readTrainingCard } from '@arbor/engine/train/card'
import { trainingFolderOf } from '@arbor/engine/train/folder'
import { openTraining } from '@arbor/engine/train/training'
import type { Windows } from '@arbor/engine/train/types'
import type { Clock } from '@arbor/shared/clock'
import type { Layout } from '@arbor/shared/training'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import type { Optimiser, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { takeStepsIn } from '@arbor/training/train-to'
import type { Logger } from 'pino'
import type { Batch, TrainingEngine } from './engine.ts'

/** A training engine that runs, with what else of the model is needed. */
export interface OpenedEngine extends TrainingEngine {
  readonly layout: Layout
  readonly optimiser: Optimiser
  /** Parameters that the model's folder holds: what the first round starts from. */
  readonly initial: Float32Array
  /** Jobs that wait. */
  queued(): number
  close(): Promise<void>
}

/**
 * Opens the step graphs of a model in a process of their own, and the data that it is trained on.
 * @throws DATASET_*, MODEL_*, TRAIN_*, ENGINE_NO_PROVIDER
 */
export async function openTrainingEngine(of: {
  readonly terms: TrainingTerms
  readonly modelFolder: string
  /** Where datasets are looked for by name. */
  readonly cwd: string
  /** Name or path of the dataset; the spec's where absent. */
  readonly dataset?: string | undefined
  /** Folder of the step graphs; the one beside the model where absent. */
  readonly graphs?: string | undefined
  readonly threads: number
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}): Promise<OpenedEngine> {
  const { terms, modelFolder, clock, log, signal } = of
  const { data, local } = terms
  const folder = findDataset({ dataset: of.dataset ?? data.name, cwd: of.cwd })
  const dataset = await openDataset({ folder, id: data, length: local.length })
  const graphs = {
    folder: of.graphs === undefined ? trainingFolderOf(modelFolder) : resolve(of.cwd, of.graphs),
    model: modelFolder,
  }
  const { vocabulary } = await readTrainingCard(graphs.folder)
  mustFitModel(dataset, { tokenizer: await hashTokenizer(modelFolder), vocabulary })
  const training = await openTraining({ ...graphs, threads: of.threads, log, signal, clock })
  const optimiser = optimiserOf({ terms: terms.optimiser, layout: training.layout })
  const windowsOf = ({ stream, starts }: Batch): Windows => ({ tokens: dataset[stream], starts })
  return {
    layout: training.layout,
    optimiser,
    initial: await training.initial(signal),
    tokens: { train: dataset.train.length, heldOut: dataset.heldOut.length },
    losses: ({ params, batches }, until) =>
      training.losses({ shape: local, params, windows: batches.map(windowsOf), signal: until }),
    train: async ({ start, to, startsOf }, until) => {
      const steps = takeStepsIn({ training, optimiser, terms: local, signal: until })
      const taken = await steps({
        start,
        to,
        windowsOf: (pass) => windowsOf({ stream: 'train', starts: startsOf(pass) }),
      })
      return taken.state
    },
    queued: () => training.stats().queued,
    close: () => training.close(),
  }
}
