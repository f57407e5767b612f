import { SubnetError } from '@arbor/shared/errors'
import { type InferenceSession, Tensor } from 'onnxruntime-node'

/** Keys and values of the tokens that a decoder has seen. */
export interface Cache {
  readonly tensors: Readonly<Record<string, Tensor>>
  /** Tokens seen. */
  readonly length: number
}

export interface Step {
  /** [tokens × vocabulary] */
  readonly logits: Float32Array
  /** Last hidden states, [tokens × width] */
  readonly hidden: Float32Array
  readonly vocabulary: number
  readonly width: number
  readonly cache: Cache
}

/** Runs a decoder-only graph over token ids. */
export interface Decoder {
  readonly empty: Cache
  step(tokens: readonly number[], cache: Cache): Promise<Step>
}

const PAST = 'past_key_values'
const PRESENT = 'present'

/**
 * Wraps a session whose graph has Hugging Face's decoder inputs and an output `last_hidden_state`.
 * @throws MODEL_UNSUPPORTED when an input or output is missing, or the cache is not float32
 */
export const openDecoder = (session: InferenceSession): Decoder => {
  const pastNames = session.inputNames.filter((name) => name.startsWith(`${PAST}.`))
  const needed = ['logits', 'last_hidden_state', ...pastNames.map(presentOf)]
  const absent = needed.filter((name) => !session.outputNames.includes(name))
  const extra = session.inputNames.filter((name) => !pastNames.includes(name) && !(name in feedsOf([0], 0)))
  if (absent.length > 0 || extra.length > 0 || pastNames.length === 0) {
    throw unsupported(`lacks outputs [${absent.join(', ')}] or asks for unknown inputs [${extra.join(', ')}]`)
  }
  const empty = Object.fromEntries(pastNames.map((name) => [name, emptyCache(session, name)]))
  return {
    empty: { tensors: empty, length: 0 },
    step: async (tokens, cache) => {
      const feeds = Object.entries(feedsOf(tokens, cache.length)).filter(([name]) => session.inputNames.includes(name))
      const results = await session.run({ ...Object.fromEntries(feeds), ...cache.tensors })
      const logits = floats(results.logits, 'logits')
      const hidden = floats(results.last_hidden_state, 'last_hidden_state')
      const present = pastNames.map((name) => [name, tensor(results[presentOf(name)], presentOf(name))] as const)
      return {
        logits,
        hidden,
        vocabulary: logits.length / tokens.length,
        width: hidden.length / tokens.length,
        cache: { tensors: Object.fromEntries(present), length: cache.length + tokens.length },
      }
    },
  }
}

const presentOf = (past: string): string => past.replace(PAST, PRESENT)

const feedsOf = (tokens: readonly number[], seen: number): Record<string, Tensor> => {
  const { length } = tokens
  const total = seen + length
  const positions = BigInt64Array.from(tokens, (_, index) => BigInt(seen + index))
  return {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, length]),
    attention_mask: new Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    position_ids: new Tensor('int64', positions, [1, length]),
  }
}

const emptyCache = (session: InferenceSession, name: string): Tensor => {
  const about = session.inputMetadata.find((each) => each.name === name)
  if (!about?.isTensor || about.type !== 'float32') throw unsupported(`has no float32 cache ${name}`)
  const [, heads, , size] = about.shape
  if (typeof heads !== 'number' || typeof size !== 'number') throw unsupported(`leaves the sizes of ${name} open`)
  return new Tensor('float32', new Float32Array(0), [1, heads, 0, size])
}

const tensor = (value: Tensor | undefined, name: string): Tensor => {
  if (value === undefined) throw unsupported(`gave no ${name}`)
  return value
}

const floats = (value: Tensor | undefined, name: string): Float32Array => {
  const { data } = tensor(value, name)
  if (!(data instanceof Float32Array)) throw unsupported(`gives ${name} in another type than float32`)
  return data
}

const unsupported = (what: string): SubnetError =>
  new SubnetError({ code: 'MODEL_UNSUPPORTED', message: `The model's graph ${what}; export it as docs/models.md says` })
