import type { Decoder, Step } from '../decoder.ts'

/** Shares of the logits' range by which a row may differ from the same row alone: without a question, and at most. */
const TOLERANCE = { free: 0.01, most: 0.05 }
const PROMPTS = [
  [1, 2, 3, 4, 5],
  [6, 7],
] as const
const NEXT = 8

/**
 * Finds out whether a decoder's rows are independent of each other and of their padding, by running two rows together and each
 * alone. Graphs that count positions without an input for them, or scale what they quantise over all rows, are not. Weights of few
 * bits also round otherwise when more rows run; that is no reason as long as a prompt's run differs from single tokens' as much.
 * @returns null when they are, or why no batch may be run
 */
export const probeBatch = async (decoder: Decoder): Promise<string | null> => {
  const alone: Float32Array[] = []
  const pieces = []
  let rounding = 0
  for (const prompt of PROMPTS) {
    const { cache } = await decoder.step(prompt, decoder.empty, [0])
    const step = await decoder.step([NEXT], cache, [0])
    decoder.release(step.cache)
    const prefill = await decoder.prefill([...prompt, NEXT], [prompt.length])
    rounding = Math.max(rounding, differenceOf(step.logits, prefill.logits))
    alone.push(step.logits)
    pieces.push({ cache, row: 0, from: 0, length: prompt.length })
  }
  const cache = await decoder.assemble(pieces)
  const paddings = pieces.map(({ length }) => cache.length - length)
  let together: Step
  try {
    together = await decoder.run({ tokens: PROMPTS.map(() => [NEXT]), cache, paddings, rows: [0] })
  } catch (error) {
    return `two rows cannot run together: ${error instanceof Error ? error.message : error}` // as where a graph fixes their number
  }
  for (const each of [...pieces.map((piece) => piece.cache), cache, together.cache]) decoder.release(each)
  const { logits, vocabulary } = together
  const difference = Math.max(
    ...alone.map((each, row) => differenceOf(each, logits.subarray(row * vocabulary, (row + 1) * vocabulary))),
  )
  const range = Math.max(...alone.map(rangeOf))
  const allowed = Math.min(TOLERANCE.most * range, Math.max(TOLERANCE.free * range, 2 * rounding))
  if (difference <= allowed) return null
  return `a padded row beside another gives logits that differ by ${difference.toPrecision(2)} from those of the row alone, and ${allowed.toPrecision(2)} is allowed`
}

const differenceOf = (one: Float32Array, other: Float32Array): number =>
  one.reduce((most, logit, id) => Math.max(most, Math.abs(logit - (other[id] ?? Number.NaN))), 0)

const rangeOf = (logits: Float32Array): number =>
  logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY) -
  logits.reduce((least, logit) => Math.min(least, logit), Number.POSITIVE_INFINITY)
