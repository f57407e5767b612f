import type { TrainingCard } from './card.ts'
import { batchUnfit, windowUnfit } from './errors.ts'
import type { Windows } from './types.ts'

/** Windows of one pass of a step graph. */
export interface BatchShape {
  readonly batch: number
  readonly length: number
}

const MOST_WINDOWS = 4_096 // far more than memory holds logits for; a slip of the pen is told before it is tried

/** Expects a batch that a training folder's graphs take. @throws TRAIN_BATCH_INVALID */
export const mustFit = ({ batch, length }: BatchShape, { longest }: Pick<TrainingCard, 'longest'>): void => {
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > MOST_WINDOWS)
    throw batchUnfit('batch', batch, 1, MOST_WINDOWS)
  if (!Number.isSafeInteger(length) || length < 1 || length > longest) throw batchUnfit('length', length, 1, longest)
}

/**
 * Writes the tokens of a pass, window by window.
 * @param of.into batch × (length + 1)
 * @throws TRAIN_WINDOW_INVALID
 */
export const fillTokens = (
  { tokens, starts }: Windows,
  of: BatchShape & { readonly vocabulary: number; readonly into: Int32Array },
): void => {
  const { batch, length, vocabulary, into } = of
  if (starts.length !== batch) throw windowUnfit(`count is ${starts.length}, not ${batch}`)
  let at = 0
  for (const start of starts) {
    if (!Number.isSafeInteger(start) || start < 0 || start + length + 1 > tokens.length) {
      throw windowUnfit(`of ${length + 1} tokens starts at ${start} of ${tokens.length}`)
    }
    for (let index = start; index <= start + length; index += 1) {
      const token = tokens[index] ?? 0
      if (token >= vocabulary) throw windowUnfit(`holds token ${token}, the model knows ${vocabulary}`)
      into[at] = token
      at += 1
    }
  }
}
