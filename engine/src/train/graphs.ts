import { join } from 'node:path'
import type { Provider } from '@arbor/shared/inference'
import type { Layout } from '@arbor/shared/training'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { openSession, type RefusedProvider } from '../session.ts'
import { type BatchShape, fillTokens, mustFit } from './batches.ts'
import { folderInvalid, notFinite, trainerClosed, wrongSize } from './errors.ts'
import { readBase, readInitial, readTrainingFolder } from './folder.ts'
import type { Trainer, Windows } from './types.ts'

export interface OpenGraphsOptions {
  /** Folder of step graphs; `trainingFolderOf(model)` is the one that comes with a model. */
  readonly folder: string
  /** Folder of the model that they train. */
  readonly model: string
  /** In order of preference; the CPU when absent. */
  readonly providers?: readonly Provider[]
  /** Threads of one pass; 1 when absent. */
  readonly threads?: number
  /** `mixed` multiplies matrices of the step in fp16, where the folder has such a graph; fp32 when absent. */
  readonly precision?: 'fp32' | 'mixed'
}

/** A model's step graphs, which take every batch and length. */
export interface StepGraphs {
  readonly layout: Layout
  readonly provider: Provider
  /** Providers that were asked for and could not be used. */
  readonly refused: readonly RefusedProvider[]
  initial(): Float32Array
  /** Makes a trainer for one shape; closing it leaves the graphs open. @throws TRAIN_BATCH_INVALID */
  trainer(shape: BatchShape): Trainer
  close(): Promise<void>
}

type Feeds = Record<string, Tensor>

/**
 * Opens the step graphs of a model. Parameters and gradients are handed over as they lie in their flat vectors, without a copy.
 * onnxruntime blocks its thread: open it in a worker, or use `openTraining`.
 * @throws TRAIN_FOLDER_INVALID, TRAIN_MODEL_MISMATCH, TRAIN_TENSOR_UNFIT, ENGINE_NO_PROVIDER
 */
export const openGraphs = async (of: OpenGraphsOptions): Promise<StepGraphs> => {
  const { providers = ['cpu'], threads = 1, precision = 'fp32' } = of
  const read = await readTrainingFolder(of)
  const { card, layout } = read
  const initial = await readInitial(read)
  const frozen = card.lora === null ? {} : tensorsOf(read.base, readBase(read))
  const graph = precision === 'mixed' ? card.graphs.mixed : card.graphs.step
  if (graph === null) throw folderInvalid(of.folder, 'has no graph of mixed precision')
  const step = await openSession({ graph: join(of.folder, graph), providers, threads })
  const forward = await openSession({ graph: join(of.folder, card.graphs.loss), providers: [step.provider], threads })
  let open = true

  const trainer = (shape: BatchShape): Trainer => {
    mustFit(shape, card)
    const into = new Int32Array(shape.batch * (shape.length + 1))
    const tokens = new Tensor('int32', into, [shape.batch, shape.length + 1])
    const feeds = (params: Float32Array, windows: Windows): Feeds => {
      if (!open) throw trainerClosed()
      mustHave('The vector of parameters', params, layout)
      fillTokens(windows, { ...shape, vocabulary: card.vocabulary, into })
      return { tokens, ...frozen, ...tensorsOf(layout, params) }
    }
    return {
      layout,
      provider: step.provider,
      initial: () => initial.slice(),
      gradient: async ({ params, windows, into: gradient }) => {
        mustHave('The vector for the gradient', gradient, layout)
        const fetches = { loss: null, ...tensorsOf(layout, gradient, 'grad.') }
        return lossOf(await step.session.run(feeds(params, windows), fetches))
      },
      loss: async ({ params, windows }) => {
        let sum = 0
        for (const each of windows) sum += lossOf(await forward.session.run(feeds(params, each)))
        return sum / windows.length
      },
      close: async () => undefined,
    }
  }

  return {
    layout,
    provider: step.provider,
    refused: step.refused,
    initial: () => initial.slice(),
    trainer,
    close: async () => {
      if (!open) return
      open = false
      await step.session.release()
      await forward.session.release()
    },
  }
}

/** Views of a flat vector as the tensors of its layout. */
const tensorsOf = (layout: Layout, flat: Float32Array, prefix = ''): Feeds =>
  Object.fromEntries(
    layout.tensors.map(({ name, shape, offset, length }) => [
      `${prefix}${name}`,
      new Tensor('float32', flat.subarray(offset, offset + length), shape),
    ]),
  )

const mustHave = (what: string, flat: Float32Array, { size }: Layout): void => {
  if (flat.length !== size) throw wrongSize(what, flat.length, size)
}

const lossOf = ({ loss }: InferenceSession.OnnxValueMapType): number => {
  const value = loss instanceof Tensor ? Number(loss.data[0]) : Number.NaN
  if (!Number.isFinite(value)) throw notFinite('loss', null)
  return value
}
