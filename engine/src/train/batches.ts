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
  windows: Windows,
  of: BatchShape & { readonly vocabulary: number; readonly into: Int32Array },
): void => {
  mustLie(windows, of)
  let at = 0
  for (const start of windows.starts) {
    for (let index = start; index <= start + of.length; index += 1) {
      const token = windows.tokens[index] ?? 0
      if (token >= of.vocabulary) throw windowUnfit(`holds token ${token}, the model knows ${of.vocabulary}`)
      of.into[at] = token
      at += 1
    }
  }
}

/** Copies the tokens of passes together, so that they can travel without the stream that they come from. @throws TRAIN_WINDOW_INVALID */
export const copyTokens = (
  shape: BatchShape,
  first: number,
  passes: number,
  windowsOf: (pass: number) => Windows,
): Uint16Array => {
  const width = shape.length + 1
  const copied = new Uint16Array(passes * shape.batch * width)
  for (let pass = 0; pass < passes; pass += 1) {
    const windows = windowsOf(first + pass)
    mustLie(windows, shape)
    for (const [row, start] of windows.starts.entries()) {
      copied.set(windows.tokens.subarray(start, start + width), (pass * shape.batch + row) * width)
    }
  }
  return copied
}

const mustLie = ({ tokens, starts }: Windows, { batch, length }: BatchShape): void => {
  if (starts.length !== batch) throw windowUnfit(`count is ${starts.length}, not ${batch}`)
  const outside = starts.find(
    (start) => !Number.isSafeInteger(start) || start < 0 || start + length + 1 > tokens.length,
  )
  if (outside !== undefined) throw windowUnfit(`of ${length + 1} tokens starts at ${outside} of ${tokens.length}`)
}
