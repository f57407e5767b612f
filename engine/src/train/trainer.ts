import type { BatchShape } from './batches.ts'
import { type OpenGraphsOptions, openGraphs } from './graphs.ts'
import type { Trainer } from './types.ts'

/**
 * Opens a model's step graphs for one shape of batches; closing the trainer closes them.
 * @throws TRAIN_FOLDER_INVALID, TRAIN_MODEL_MISMATCH, TRAIN_TENSOR_UNFIT, TRAIN_BATCH_INVALID, ENGINE_NO_PROVIDER
 */
export const openTrainer = async (of: OpenGraphsOptions & BatchShape): Promise<Trainer> => {
  const graphs = await openGraphs(of)
  try {
    return { ...graphs.trainer(of), close: graphs.close }
  } catch (error) {
    await graphs.close()
    throw error
  }
}
