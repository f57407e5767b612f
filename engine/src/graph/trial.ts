import { SubnetError } from '@arbor/shared/errors'
import type { PrecisionProfile } from '@arbor/shared/inference'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { type Decoder, type Outputs, openDecoder } from '../decoder.ts'
import { widen } from '../float16.ts'
import { openSession } from '../session.ts'
import type { GraphIo } from './io.ts'

/** What a short run of a changed graph beside the original showed. */
export interface Trial {
  /** Largest difference of logits from the original, and how large logits were. */
  readonly difference: number
  readonly largest: number
  /** Largest difference between a token that is run alone, after a cache or as one row, and among all: what a check by prefill sees. */
  readonly wobble: number
  /** Whether sequences of different lengths can run together, padded at the left. */
  readonly batches: boolean
}

const TOKENS = 12
/** Share of the largest logit by which a run may differ from the same run in another order of sums. */
const TOLERANCE: Readonly<Record<PrecisionProfile, number>> = { fp32: 1e-4, fp16: 0.02, int8: 0.1 }

/**
 * Runs a changed graph beside the original: the same prompt has to give the same logits; all at once, token by token and row by row.
 * @param of.original path of the export's graph
 * @param of.changed  path of the graph with the engine's inputs and outputs
 * @param of.tokens   ids that the tokenizer knows
 * @throws MODEL_TRIAL when logits differ, are not finite or not as many as the vocabulary
 * @throws ENGINE_NO_PROVIDER when the runtime does not open a graph
 */
export const tryGraph = async (of: {
  readonly original: string
  readonly changed: string
  readonly io: GraphIo
  readonly profile: PrecisionProfile
  readonly tokens: number
  readonly vocabulary: number
  readonly signal: AbortSignal
}): Promise<Trial> => {
  const { profile, vocabulary, signal } = of
  const prompt = Array.from({ length: TOKENS }, (_, index) => (7 + 7919 * index) % of.tokens)
  const expected = await originalLogits(of.original, prompt, of.io)
  signal.throwIfAborted()
  const { session } = await openSession({ graph: of.changed, providers: ['cpu'], threads: 1 })
  try {
    const decoder = openDecoder(session)
    const whole = await decoder.prefill(prompt)
    if (whole.logits.length !== TOKENS * vocabulary) {
      throw failed(`it gives ${whole.logits.length / TOKENS} logits a token, config.json says ${vocabulary}`)
    }
    const largest = magnitude(whole.logits)
    const limit = TOLERANCE[profile] * largest
    const difference = distance(whole.logits.subarray(-expected.length), expected)
    if (!(difference <= limit)) throw failed(`its logits differ from the export's by ${difference.toPrecision(3)}`)
    signal.throwIfAborted()
    const wobble = await repeat(decoder, prompt, { ...whole, last: whole.logits.subarray(-vocabulary) })
    // Rounding that depends on what runs beside a token is what int8 activations are; elsewhere it is a fault of the graph.
    if (profile !== 'int8' && !(wobble <= limit)) {
      throw failed(`its logits differ by ${wobble.toPrecision(3)} when a token runs alone, after a cache`)
    }
    signal.throwIfAborted()
    return { difference, largest, wobble, batches: await batchesWell(decoder, prompt, limit) }
  } finally {
    await session.release()
  }
}

/** Runs the export as it came. @returns logits of its last rows, as many as it gives */
const originalLogits = async (graph: string, prompt: readonly number[], io: GraphIo): Promise<Float32Array> => {
  const { session } = await openSession({ graph, providers: ['cpu'], threads: 1 })
  try {
    const results = await session.run(originalFeeds(session, prompt, io), ['logits'])
    const { data } = results.logits ?? {}
    const logits = data instanceof Uint16Array ? widen(data) : data
    if (!(logits instanceof Float32Array)) throw failed('the export gives no logits in float32 or float16')
    magnitude(logits)
    return logits.slice()
  } finally {
    await session.release()
  }
}

const originalFeeds = (session: InferenceSession, prompt: readonly number[], io: GraphIo): Record<string, Tensor> => {
  const { length } = prompt
  const whole = (values: readonly number[], dims: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
  const count = Array.from({ length }, (_, index) => index)
  const known: Readonly<Record<string, Tensor>> = {
    input_ids: whole(prompt, [1, length]),
    attention_mask: whole(new Array(length).fill(1), [1, length]),
    position_ids: whole(count, [1, length]),
    logits_rows: whole(count, [length]),
    num_logits_to_keep: whole([0], []), // keeping none keeps all: they cut at minus that number
    logits_to_keep: whole([0], []),
  }
  const empty = io.cache === 'float16' ? new Uint16Array(0) : new Float32Array(0)
  return Object.fromEntries(
    session.inputNames.map((name) => [name, known[name] ?? new Tensor(io.cache, empty, [1, io.heads, 0, io.size])]),
  )
}

/** Runs the last row alone, and the last token after a cache. @returns how far they are from the whole run */
const repeat = async (
  decoder: Decoder,
  prompt: readonly number[],
  { hidden, last }: Pick<Outputs, 'hidden'> & { readonly last: Float32Array },
): Promise<number> => {
  const { logits: row, hidden: states } = await decoder.prefill(prompt, [TOKENS - 1])
  if (states.length !== hidden.length) throw failed('its hidden states are cut to the rows whose logits are asked for')
  const before = await decoder.step(prompt.slice(0, -1), decoder.empty)
  const { logits: cached } = await decoder.step(prompt.slice(-1), before.cache)
  return Math.max(distance(row, last), distance(cached, last))
}

/** Whether a short and a long sequence give the same side by side, the short one padded at the left, as alone. */
const batchesWell = async (decoder: Decoder, prompt: readonly number[], limit: number): Promise<boolean> => {
  const long = await decoder.step(prompt.slice(0, -1), decoder.empty)
  const short = await decoder.step(prompt.slice(4, -1), decoder.empty)
  const padding = long.cache.length - short.cache.length
  const next = prompt.slice(-1)
  const alone = await decoder.step(next, short.cache)
  const tensors = long.cache.tensors.map((each, index) => joined(each, short.cache.tensors[index] ?? each, padding))
  const cache = { tensors, rows: 2, length: long.cache.length }
  try {
    const both = await decoder.run({ tokens: [next, next], cache, paddings: [0, padding] })
    return distance(both.logits.subarray(alone.logits.length), alone.logits) <= limit
  } catch {
    return false // a graph for one sequence only does not run two
  }
}

/** Puts two caches of [1, heads, length, size] into one of two rows, the second with zeros before it. */
const joined = (first: Tensor, second: Tensor, padding: number): Tensor => {
  const [, heads = 0, length = 0, size = 0] = first.dims
  const make = (count: number) => (first.data instanceof Uint16Array ? new Uint16Array(count) : new Float32Array(count))
  const data = make(2 * heads * length * size)
  data.set(first.data as Float32Array)
  const row = (length - padding) * size
  for (let head = 0; head < heads; head++) {
    const from = (second.data as Float32Array).subarray(head * row, (head + 1) * row)
    data.set(from, (heads + head) * length * size + padding * size)
  }
  return new Tensor(first.type as 'float32', data as Float32Array, [2, heads, length, size])
}

const magnitude = (logits: Float32Array): number => {
  let largest = 0
  for (const value of logits) {
    if (!Number.isFinite(value)) throw failed('it gives logits that are no numbers')
    largest = Math.max(largest, Math.abs(value))
  }
  return largest
}

const distance = (some: Float32Array, others: Float32Array): number => {
  if (some.length !== others.length) return Number.NaN
  let largest = 0
  for (const [index, value] of some.entries()) {
    const difference = Math.abs(value - (others[index] ?? Number.NaN))
    if (Number.isNaN(difference)) return difference
    largest = Math.max(largest, difference)
  }
  return largest
}

const failed = (why: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_TRIAL',
    message: `A trial run of the graph fails: ${why}; export the model again, or report the graph`,
    details: { why },
  })
