import { join } from 'node:path'
import type { Provider } from '@arbor/shared/inference'
import type { Layout } from '@arbor/shared/training'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { openSession } from '../session.ts'
import { fillTokens, mustFit } from './batches.ts'
import { notFinite, trainerClosed, wrongSize } from './errors.ts'
import { readBase, readInitial, readTrainingFolder } from './folder.ts'
import type { Trainer, Windows } from './types.ts'

export interface OpenTrainerOptions {
  /** Folder of step graphs; `trainingFolderOf(model)` is the one that comes with a model. */
  readonly folder: string
  /** Folder of the model that they train. */
  readonly model: string
  /** Windows of a pass, and the tokens that each predicts. */
  readonly batch: number
  readonly length: number
  /** In order of preference; the CPU when absent. */
  readonly providers?: readonly Provider[]
  /** Threads of one pass; 1 when absent. */
  readonly threads?: number
}

type Feeds = Record<string, Tensor>

/**
 * Opens the step graphs of a model. Parameters and gradients are handed over as they lie in their flat vectors, without a copy.
 * onnxruntime blocks its thread: open it in a worker, or use `openTraining`.
 * @throws TRAIN_FOLDER_INVALID, TRAIN_MODEL_MISMATCH, TRAIN_TENSOR_UNFIT, TRAIN_BATCH_INVALID, ENGINE_NO_PROVIDER
 */
export const openTrainer = async (of: OpenTrainerOptions): Promise<Trainer> => {
  const { batch, length, providers = ['cpu'], threads = 1 } = of
  const read = await readTrainingFolder(of)
  const { card, layout } = read
  mustFit(of, card)
  const initial = await readInitial(read)
  const frozen = card.lora === null ? {} : tensorsOf(read.base, readBase(read))
  const step = await openSession({ graph: join(of.folder, card.graphs.step), providers, threads })
  const forward = await openSession({ graph: join(of.folder, card.graphs.loss), providers: [step.provider], threads })
  const into = new Int32Array(batch * (length + 1))
  const tokens = new Tensor('int32', into, [batch, length + 1])
  let open = true

  const feeds = (params: Float32Array, windows: Windows): Feeds => {
    if (!open) throw trainerClosed()
    mustHave('The vector of parameters', params, layout)
    fillTokens(windows, { batch, length, vocabulary: card.vocabulary, into })
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
