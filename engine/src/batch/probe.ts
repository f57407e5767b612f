import type { Decoder } from '../decoder.ts'

/** Share of the logits' range by which a row may change when another stands beside it. */
const TOLERANCE = 0.01

/**
 * Finds out whether a decoder's rows are independent of each other and of their padding, by running two rows together and each
 * alone. Graphs that count positions without an input for them, or scale what they quantise over all rows, are not.
 * @returns null when they are, or why no batch may be run
 */
export const probeBatch = async (decoder: Decoder): Promise<string | null> => {
  const prompts = [
    [1, 2, 3, 4, 5],
    [6, 7],
  ]
  const alone = []
  const pieces = []
  for (const prompt of prompts) {
    const { cache } = await decoder.step(prompt, decoder.empty, [0])
    alone.push(await decoder.step([8], cache, [0]))
    pieces.push({ cache, row: 0, from: 0, length: prompt.length })
  }
  const cache = await decoder.assemble(pieces)
  const together = await decoder.run({ tokens: [[8], [8]], cache, paddings: [0, 3], rows: [0] })
  for (const each of [...pieces, ...alone, together]) decoder.release(each.cache)
  const { vocabulary } = together
  for (const [row, { logits }] of alone.entries()) {
    let difference = 0
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const [id, logit] of logits.entries()) {
      difference = Math.max(difference, Math.abs(logit - (together.logits[row * vocabulary + id] ?? Number.NaN)))
      low = Math.min(low, logit)
      high = Math.max(high, logit)
    }
    if (!(difference <= TOLERANCE * (high - low))) {
      return `a padded row beside another gives logits that differ by ${difference.toPrecision(2)} from those of the row alone`
    }
  }
  return null
}
