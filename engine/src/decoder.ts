import { SubnetError } from '@arbor/shared/errors'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { type AssembleRows, assembleHere } from './batch/rows.ts'
import { type CacheSpec, cacheNames, cacheSpecs, KEYS_PAST, presentOf } from './cache-spec.ts'
import { widen } from './float16.ts'

/**
 * Keys and values of the tokens that a decoder has seen: one row a sequence, padded at the left to one length. Never written to
 * after it was made. A run gives it with one holder; where its tensors lie on a device, the last release frees them.
 */
export interface Cache {
  /** One [rows, heads, length, size] for each of the decoder's specs. */
  readonly tensors: readonly Tensor[]
  readonly rows: number
  /** Tokens of each row, padding included. */
  readonly length: number
}

/** Sequences that run together. */
export interface Batch {
  /** New tokens of each row, all of one number. */
  readonly tokens: readonly (readonly number[])[]
  readonly cache: Cache
  /** Padding of each row in the cache, in tokens. */
  readonly paddings: readonly number[]
  /** Positions among the new tokens whose logits leave; all when absent. */
  readonly rows?: readonly number[] | undefined
}

/** What a run measured, without its cache. */
export interface Outputs {
  /** [rows × positions asked for × vocabulary] */
  readonly logits: Float32Array
  /** Last hidden states, [rows × tokens × width] */
  readonly hidden: Float32Array
  readonly vocabulary: number
  readonly width: number
}

export interface Step extends Outputs {
  readonly cache: Cache
}

/** Runs a decoder-only graph over token ids. */
export interface Decoder {
  readonly empty: Cache
  readonly specs: readonly CacheSpec[]
  run(batch: Batch): Promise<Step>
  /** Runs one sequence. */
  step(tokens: readonly number[], cache: Cache, rows?: readonly number[]): Promise<Step>
  /** Runs one sequence from its start and keeps no cache of it. */
  prefill(tokens: readonly number[], rows?: readonly number[]): Promise<Outputs>
  readonly assemble: AssembleRows
  /** Adds a holder to a cache. */
  hold(cache: Cache): Cache
  /** Takes a holder away. */
  release(cache: Cache): void
}

const ROWS = 'logits_rows'
const OUTPUTS = ['logits', 'last_hidden_state'] as const

/**
 * Wraps a session whose graph has Hugging Face's decoder inputs and an output `last_hidden_state`. An input `logits_rows` says which
 * positions' logits leave; a graph without it computes all, and the others are cut off here.
 * @param assemble moves rows between caches where they do not lie here
 * @throws MODEL_UNSUPPORTED when an input or output is missing, or the cache is neither float32 nor float16
 */
export const openDecoder = (session: InferenceSession, assemble?: AssembleRows): Decoder => {
  mustFit(session)
  const names = cacheNames(session)
  const specs = cacheSpecs(session)
  const presents = names.map(presentOf)
  const holders = new WeakMap<Cache, number>()
  const inputs = {
    mask: has(session, 'attention_mask'),
    positions: has(session, 'position_ids'),
    rows: has(session, ROWS),
  }
  const empty: Cache = {
    tensors: specs.map(({ type, heads, size }) => blank(type, [1, heads, 0, size])),
    rows: 1,
    length: 0,
  }

  const compute = async (batch: Batch, fetches: readonly string[]) => {
    const feeds = feedsOf(inputs, batch)
    for (const [index, name] of names.entries()) feeds[name] = tensor(batch.cache.tensors[index], name)
    return session.run(feeds, fetches)
  }
  const run = async (batch: Batch): Promise<Step> => {
    const results = await compute(batch, [...OUTPUTS, ...presents])
    const length = batch.cache.length + (batch.tokens[0]?.length ?? 0)
    const cache = { tensors: presents.map((name) => tensor(results[name], name)), rows: batch.tokens.length, length }
    return { ...outputsOf(inputs.rows, batch, results), cache }
  }
  const alone = (tokens: readonly number[], cache: Cache, rows?: readonly number[]): Batch => ({
    tokens: [tokens],
    cache,
    paddings: [0],
    rows,
  })
  return {
    empty,
    specs,
    run,
    step: (tokens, cache, rows) => run(alone(tokens, cache, rows)),
    prefill: async (tokens, rows) => {
      const batch = alone(tokens, empty, rows)
      // Where outputs have a place of their own, the runtime wants to give all of them.
      const results = await compute(batch, assemble === undefined ? OUTPUTS : [...OUTPUTS, ...presents])
      for (const name of presents) results[name]?.dispose()
      return outputsOf(inputs.rows, batch, results)
    },
    assemble: assemble ?? assembleHere(specs),
    hold: (cache) => {
      holders.set(cache, (holders.get(cache) ?? 1) + 1)
      return cache
    },
    release: (cache) => {
      const left = (holders.get(cache) ?? 1) - 1
      holders.set(cache, left)
      if (left === 0) for (const each of cache.tensors) if (each.location !== 'cpu') each.dispose()
    },
  }
}

const mustFit = (session: InferenceSession): void => {
  const names = cacheNames(session)
  const known = ['input_ids', 'attention_mask', 'position_ids', ROWS, ...names]
  const absent = [...OUTPUTS, ...names.map(presentOf)].filter((name) => !session.outputNames.includes(name))
  const extra = session.inputNames.filter((name) => !known.includes(name))
  if (absent.length > 0) throw unsupported(`lacks outputs [${absent.join(', ')}]`)
  if (extra.length > 0) throw unsupported(`asks for unknown inputs [${extra.join(', ')}]`)
  if (names.length === 0) throw unsupported(`has no cache ${KEYS_PAST}.N.key`)
}

/** Inputs that a graph may have or not. */
interface Inputs {
  readonly mask: boolean
  readonly positions: boolean
  readonly rows: boolean
}

const has = ({ inputNames }: InferenceSession, name: string): boolean => inputNames.includes(name)

/** Makes the inputs beside the cache; only those that the graph has. */
const feedsOf = (inputs: Inputs, { tokens, cache, paddings, rows }: Batch): Record<string, Tensor> => {
  const count = tokens.length
  const length = tokens[0]?.length ?? 0
  const total = cache.length + length
  const ids = new BigInt64Array(count * length)
  const mask = new BigInt64Array(count * total).fill(1n)
  const positions = new BigInt64Array(count * length)
  for (let row = 0; row < count; row++) {
    const padding = paddings[row] ?? 0
    mask.fill(0n, row * total, row * total + padding)
    for (let index = 0; index < length; index++) {
      ids[row * length + index] = BigInt(tokens[row]?.[index] ?? 0)
      positions[row * length + index] = BigInt(cache.length - padding + index)
    }
  }
  const feeds: Record<string, Tensor> = { input_ids: new Tensor('int64', ids, [count, length]) }
  if (inputs.mask) feeds.attention_mask = new Tensor('int64', mask, [count, total])
  if (inputs.positions) feeds.position_ids = new Tensor('int64', positions, [count, length])
  if (inputs.rows) {
    const chosen = rows ?? Array.from({ length }, (_, index) => index)
    feeds[ROWS] = new Tensor('int64', BigInt64Array.from(chosen, BigInt), [chosen.length])
  }
  return feeds
}

const outputsOf = (gathered: boolean, { tokens, rows }: Batch, results: InferenceSession.ReturnType): Outputs => {
  const length = tokens[0]?.length ?? 0
  const logits = floats(results.logits, 'logits')
  const hidden = floats(results.last_hidden_state, 'last_hidden_state')
  const vocabulary = logits.length / (tokens.length * (gathered ? (rows?.length ?? length) : length))
  return {
    logits: gathered || rows === undefined ? logits : pick(logits, { count: tokens.length, length, vocabulary, rows }),
    hidden,
    vocabulary,
    width: hidden.length / (tokens.length * length),
  }
}

/** Takes the chosen positions' logits where the graph gave all. */
const pick = (
  logits: Float32Array,
  of: {
    readonly count: number
    readonly length: number
    readonly vocabulary: number
    readonly rows: readonly number[]
  },
): Float32Array => {
  const { count, length, vocabulary, rows } = of
  const at = (row: number, position: number): number => (row * length + position) * vocabulary
  if (count === 1 && rows.length === 1) return logits.subarray(at(0, rows[0] ?? 0), at(0, (rows[0] ?? 0) + 1))
  if (length === 1 && rows.length === 1) return logits
  const picked = new Float32Array(count * rows.length * vocabulary)
  for (let row = 0; row < count; row++) {
    for (const [index, position] of rows.entries()) {
      const start = at(row, position)
      picked.set(logits.subarray(start, start + vocabulary), (row * rows.length + index) * vocabulary)
    }
  }
  return picked
}

/** Makes a tensor of zeros of a type that a cache may have. */
const blank = (type: CacheSpec['type'], dims: readonly number[]): Tensor => {
  const length = dims.reduce((product, dim) => product * dim, 1)
  return new Tensor(type, type === 'float32' ? new Float32Array(length) : new Uint16Array(length), dims)
}

const tensor = (value: Tensor | undefined, name: string): Tensor => {
  if (value === undefined) throw unsupported(`gave no ${name}`)
  return value
}

const floats = (value: Tensor | undefined, name: string): Float32Array => {
  const { data } = tensor(value, name)
  if (data instanceof Float32Array) return data
  if (data instanceof Uint16Array) return widen(data)
  throw unsupported(`gives ${name} in another type than float32 or float16`)
}

const unsupported = (what: string): SubnetError =>
  new SubnetError({ code: 'MODEL_UNSUPPORTED', message: `The model's graph ${what}; export it as docs/models.md says` })
