import type { Decoder } from '../decoder.ts'

/** One position's measurements. */
export interface SeenRow {
  /** Index among the tokens of the sequence. */
  readonly row: number
  readonly logits: Float32Array
}

/** Most bytes of logits that are in memory at once; 64 MiB are 341 rows of 49 152 tokens. */
const LOGITS_BYTES = 2 ** 26
/** Longest run: attention needs memory by its square. */
const PIECE_TOKENS = 512

/**
 * Runs a sequence once, in pieces that bound the memory: hidden states of all rows, logits of the chosen ones only.
 * @param of.rows   ascending; of these rows the logits are computed and handed to `onRow`, which must not keep them
 * @param of.onRow  called in ascending order
 * @returns last hidden states, [tokens × width]
 */
export const prefillRows = async (of: {
  readonly decoder: Decoder
  readonly tokens: readonly number[]
  readonly rows: readonly number[]
  readonly vocabulary: number
  readonly onRow: (seen: SeenRow) => void
}): Promise<{ readonly hidden: Float32Array; readonly width: number }> => {
  const { decoder, tokens, rows, vocabulary } = of
  const rowsAtOnce = Math.max(1, Math.floor(LOGITS_BYTES / (4 * vocabulary)))
  const piece = rows.length <= rowsAtOnce ? PIECE_TOKENS : Math.min(PIECE_TOKENS, rowsAtOnce)
  const hand = (logits: Float32Array, chosen: readonly number[]): void => {
    for (const [index, row] of chosen.entries()) {
      of.onRow({ row, logits: logits.subarray(index * vocabulary, (index + 1) * vocabulary) })
    }
  }
  if (tokens.length <= piece) {
    const { logits, hidden, width } = await decoder.prefill(tokens, asked(rows, 0, tokens.length))
    hand(logits, rows)
    return { hidden, width }
  }
  let cache = decoder.hold(decoder.empty)
  const parts: Float32Array[] = []
  let width = 0
  try {
    for (let start = 0; start < tokens.length; start += piece) {
      const end = Math.min(tokens.length, start + piece)
      const step = await decoder.step(tokens.slice(start, end), cache, asked(rows, start, end))
      decoder.release(cache)
      cache = step.cache
      width = step.width
      hand(
        step.logits,
        rows.filter((row) => row >= start && row < end),
      )
      parts.push(step.hidden)
    }
  } finally {
    decoder.release(cache)
  }
  return { hidden: joined(parts), width }
}

/** Names a piece's rows from its own start; the first where none is wanted, since a graph gives one at least. */
const asked = (rows: readonly number[], start: number, end: number): number[] => {
  const chosen = rows.filter((row) => row >= start && row < end).map((row) => row - start)
  return chosen.length === 0 ? [0] : chosen
}

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
