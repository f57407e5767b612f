import { integer, invalidField, type JsonObject, record } from './json.ts'

/** Sizes and ids of a model folder that the engine needs. */
export interface ModelConfig {
  readonly vocabulary: number
  /** Most tokens of prompt and answer together, with the start token. */
  readonly context: number
  /** Token that precedes a text prompt; null where the model's tokenizer puts none there. */
  readonly start: number | null
  /** Tokens that end an answer; may be none. */
  readonly ends: readonly number[]
}

/** The JSON files of a folder that say how to speak to its model; those that are optional may be null. */
export interface ModelFiles {
  readonly config: JsonObject
  readonly generation: JsonObject | null
  readonly tokenizer: JsonObject
  readonly tokenizerConfig: JsonObject | null
}

/** Names that model families give to the longest sequence. */
const CONTEXT = ['max_position_embeddings', 'n_positions', 'max_seq_len', 'seq_length']

/**
 * Reads the sizes and ids of a model from its Hugging Face files. End tokens are those of config.json and generation_config.json
 * together, since chat models name their turn's end in one and the text's end in the other.
 * @throws MODEL_CARD_INVALID when a field is missing or of the wrong kind
 */
export const readConfig = (files: ModelFiles): ModelConfig => {
  // Models that also see images keep the sizes of their text part apart.
  const config = 'text_config' in files.config ? record(files.config.text_config, 'text_config') : files.config
  const vocabulary = positive(config.vocab_size, 'vocab_size')
  const name = CONTEXT.find((each) => each in config) ?? 'max_position_embeddings'
  const ends = [
    ...idsOf(files.config.eos_token_id ?? config.eos_token_id, 'eos_token_id'),
    ...idsOf(files.generation?.eos_token_id, 'generation_config.json eos_token_id'),
  ]
  const start = startOf(files, config)
  for (const id of [...ends, ...(start === null ? [] : [start])]) {
    if (id >= vocabulary) throw invalidField(`bos_token_id or eos_token_id ${id}`, `below vocab_size ${vocabulary}`)
  }
  return { vocabulary, context: positive(config[name], name), start, ends: [...new Set(ends)] }
}

/**
 * Finds the token that the model's own tokenizer puts before a text. Where the folder has no tokenizer_config.json it is
 * bos_token_id; elsewhere that id may be known but unused, as in Qwen and SmolLM.
 */
const startOf = ({ config, tokenizer, tokenizerConfig }: ModelFiles, text: JsonObject): number | null => {
  const bos = config.bos_token_id ?? text.bos_token_id
  const known = bos === undefined || bos === null ? null : integer(bos, 'bos_token_id')
  if (tokenizerConfig === null || tokenizerConfig.add_bos_token === true) return known
  if (tokenizerConfig.add_bos_token === false) return null
  return templateStart(tokenizer.post_processor)
}

/** The first special token of a TemplateProcessing, alone or within a Sequence, if it stands before the text. */
const templateStart = (processor: unknown): number | null => {
  if (typeof processor !== 'object' || processor === null) return null
  const { type, processors, single, special_tokens } = processor as JsonObject
  if (type === 'Sequence' && Array.isArray(processors)) {
    return processors.map(templateStart).find((start) => start !== null) ?? null
  }
  if (type !== 'TemplateProcessing' || !Array.isArray(single)) return null
  const first = record(single[0], 'post_processor.single[0]').SpecialToken
  if (first === undefined) return null
  const name = String(record(first, 'post_processor.single[0].SpecialToken').id)
  const ids = record(record(special_tokens, 'post_processor.special_tokens')[name], name).ids
  return idsOf(ids, `post_processor.special_tokens.${name}`)[0] ?? null
}

const idsOf = (value: unknown, field: string): readonly number[] => {
  if (value === undefined || value === null) return []
  return (Array.isArray(value) ? value : [value]).map((id) => integer(id, field))
}

const positive = (value: unknown, field: string): number => {
  const size = integer(value, field)
  if (size === 0) throw invalidField(field, 'above 0')
  return size
}
