import { SubnetError } from '@arbor/shared/errors'
import type { ModelConfig } from '../model-config.ts'
import { BFLOAT16, FLOAT16, FLOAT32, INT64, typeName } from './dtypes.ts'
import { LOGITS, unsupported } from './head.ts'
import type { Graph, ValueInfo } from './onnx.ts'

/** An input or output, in words. */
export interface Port {
  readonly name: string
  readonly type: string
  /** Sizes, names of open sizes, or null. */
  readonly shape: readonly (number | string | null)[]
}

/** Inputs and outputs of a decoder, checked. */
export interface GraphIo {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly layers: number
  /** Heads and values a head of each layer's keys. */
  readonly heads: number
  readonly size: number
  readonly cache: 'float32' | 'float16'
  /** Ids that have a logit; null where the graph leaves it open. */
  readonly vocabulary: number | null
}

const WHOLE = ['input_ids', 'attention_mask', 'position_ids', 'logits_rows', 'num_logits_to_keep', 'logits_to_keep']
const PAST = /^past_key_values\.(\d{1,4})\.(key|value)$/

/** A refusal of files that contradict each other. */
export const inconsistent = (what: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_INCONSISTENT',
    message: `The model's files contradict each other: ${what}; take all of them from one export`,
    details: { what },
  })

/** A refusal of an element type. */
export const refusedType = (where: string, type: number): SubnetError =>
  new SubnetError({
    code: 'MODEL_DTYPE',
    message:
      type === BFLOAT16
        ? `${where} is bfloat16: its rounding is as large as what int8 weights change, so no check could tell them apart; export the model in float32 or float16`
        : `${where} has the element type ${typeName(type) ?? `number ${type}`}, which the engine does not run; export the model in float32, float16, int8 or int4`,
    details: { where, type },
  })

/**
 * Reads the inputs and outputs of a decoder with a cache, as Hugging Face's exporters name them.
 * @throws MODEL_UNSUPPORTED when one is missing or unknown, MODEL_DTYPE when one has another type
 */
export const readIo = (graph: Graph): GraphIo => {
  const held = new Set(graph.initialisers.map(({ name }) => name)) // old exporters list weights among the inputs
  const inputs = graph.inputs.filter(({ name }) => !held.has(name))
  const outputs = new Map(graph.outputs.map((each) => [each.name, each]))
  const past = inputs.filter(({ name }) => PAST.test(name))
  const unknown = inputs.filter(({ name }) => !WHOLE.includes(name) && !PAST.test(name)).map(({ name }) => name)
  if (unknown.length > 0) throw unknownInputs(unknown)
  const whole = inputs.filter(({ name }) => WHOLE.includes(name))
  for (const each of whole) if (each.type !== INT64) throw refusedType(`The graph's input ${each.name}`, each.type ?? 0)
  if (!inputs.some(({ name }) => name === 'input_ids')) throw unsupported('has no input input_ids')
  if (past.length === 0) throw unsupported('has no cache: export it with past key values (text-generation-with-past)')
  const [first] = past
  const cache = first?.type === FLOAT16 ? FLOAT16 : FLOAT32
  const sizes = past.map((each) => sizesOf(each, cache))
  for (const each of past) {
    const present = outputs.get(each.name.replace('past_key_values', 'present'))
    if (present === undefined) throw unsupported(`takes ${each.name} and gives no present for it`, { input: each.name })
    if (present.type !== null && present.type !== each.type) {
      throw unsupported(`gives ${present.name} in another type than it takes ${each.name}`, { output: present.name })
    }
  }
  const logits = outputs.get(LOGITS)
  if (logits === undefined) throw unsupported(`has no output ${LOGITS}`, { output: LOGITS })
  if (logits.type !== FLOAT32 && logits.type !== FLOAT16) throw refusedType('The output logits', logits.type ?? 0)
  const width = logits.dims?.at(-1)
  return {
    inputs: inputs.map(portOf),
    outputs: graph.outputs.map(portOf),
    layers: new Set(past.map(({ name }) => PAST.exec(name)?.[1])).size,
    heads: sizes[0]?.heads ?? 0,
    size: sizes[0]?.size ?? 0,
    cache: cache === FLOAT16 ? 'float16' : 'float32',
    vocabulary: typeof width === 'number' ? width : null,
  }
}

/**
 * Expects graph, configuration and tokenizer to speak of one model.
 * @param of.tokens ids that the tokenizer knows: the largest and one
 * @throws MODEL_INCONSISTENT
 */
export const mustAgree = (of: {
  readonly io: GraphIo
  readonly config: ModelConfig
  readonly tokens: number
  readonly json: Readonly<Record<string, unknown>>
}): void => {
  const { io, config, tokens, json } = of
  const { vocabulary } = config
  if (io.vocabulary !== null && io.vocabulary !== vocabulary) {
    throw inconsistent(`the graph gives ${io.vocabulary} logits, vocab_size of config.json is ${vocabulary}`)
  }
  if (tokens > vocabulary) {
    throw inconsistent(`tokenizer.json knows ${tokens} tokens, the graph gives ${vocabulary} logits`)
  }
  // Graphs round their vocabulary up, by 2 % at most in the families that were looked at.
  if (vocabulary - tokens > Math.max(64, vocabulary / 20)) {
    throw inconsistent(`tokenizer.json knows only ${tokens} tokens, the graph gives ${vocabulary} logits`)
  }
  const told = { num_hidden_layers: io.layers, num_key_value_heads: io.heads, head_dim: io.size }
  for (const [name, found] of Object.entries(told)) {
    const claimed = json[name]
    if (typeof claimed === 'number' && claimed !== found) {
      throw inconsistent(`${name} of config.json is ${claimed}, the graph's cache has ${found}`)
    }
  }
}

const unknownInputs = (names: readonly string[]): SubnetError => {
  const merged = names.includes('use_cache_branch')
  return unsupported(
    merged
      ? 'is two decoders merged into one (input use_cache_branch): name one with a single decoder by --graph'
      : `asks for inputs that the engine does not know: ${names.slice(0, 8).join(', ')}`,
    { inputs: names.slice(0, 8).join(', ') },
  )
}

const sizesOf = (past: ValueInfo, cache: number): { readonly heads: number; readonly size: number } => {
  if (past.type !== cache) throw refusedType(`The graph's input ${past.name}`, past.type ?? 0)
  const [, heads, , size] = past.dims ?? []
  if (past.dims?.length !== 4 || typeof heads !== 'number' || typeof size !== 'number') {
    throw unsupported(`does not tell heads and sizes of ${past.name}`, { input: past.name })
  }
  return { heads, size }
}

const portOf = ({ name, type, dims }: ValueInfo): Port => ({
  name,
  type: typeName(type ?? 0) ?? 'unknown',
  shape: dims ?? [],
})
