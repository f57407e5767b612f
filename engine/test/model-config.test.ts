import { describe, expect, test } from 'vitest'
import { type ModelFiles, readConfig } from '../src/model-config.ts'

const template = (id: number) => ({
  type: 'Sequence',
  processors: [
    { type: 'ByteLevel' },
    {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [id], tokens: ['<s>'] } },
    },
  ],
})
const read = (change: Partial<ModelFiles>) =>
  readConfig({ config: {}, generation: null, tokenizer: {}, tokenizerConfig: null, ...change })
const sizes = { vocab_size: 1000, max_position_embeddings: 2048 }

describe('model configuration', () => {
  test.each([
    [
      'Llama: start by the tokenizer, several ends',
      {
        config: { ...sizes, bos_token_id: 1, eos_token_id: [2, 3] },
        tokenizer: { post_processor: template(1) },
        tokenizerConfig: {},
      },
      { start: 1, ends: [2, 3] },
    ],
    [
      'Qwen: a start that is known but not used',
      {
        config: { ...sizes, bos_token_id: 900, eos_token_id: 901 },
        generation: { eos_token_id: [901, 900] },
        tokenizerConfig: {},
      },
      { start: null, ends: [901, 900] },
    ],
    [
      'SmolLM: told not to add it',
      {
        config: { ...sizes, bos_token_id: 1, eos_token_id: 2 },
        tokenizerConfig: { add_bos_token: false },
        tokenizer: { post_processor: template(1) },
      },
      { start: null, ends: [2] },
    ],
    [
      'Gemma: sizes of the text part',
      {
        config: { text_config: sizes, bos_token_id: 2, eos_token_id: [1, 106] },
        tokenizerConfig: { add_bos_token: true },
      },
      { start: 2, ends: [1, 106] },
    ],
    [
      'GPT-2: another name for the context',
      { config: { vocab_size: 1000, n_positions: 2048, eos_token_id: 9 }, tokenizerConfig: {} },
      { start: null, ends: [9] },
    ],
    [
      'a bare folder: the start of config.json',
      { config: { ...sizes, bos_token_id: 0, eos_token_id: 0 } },
      { start: 0, ends: [0] },
    ],
    ['no ids at all', { config: { ...sizes, bos_token_id: null, eos_token_id: null } }, { start: null, ends: [] }],
  ])('it is read when the family is %s', (_, files, expected) => {
    expect(read(files)).toEqual({ vocabulary: 1000, context: 2048, ...expected })
  })

  test.each([
    ['vocab_size', { config: { max_position_embeddings: 1 } }],
    ['vocab_size', { config: { ...sizes, vocab_size: 0 } }],
    ['vocab_size', { config: { ...sizes, vocab_size: '1000' } }],
    ['max_position_embeddings', { config: { vocab_size: 5 } }],
    ['eos_token_id', { config: { ...sizes, eos_token_id: 'end' } }],
    ['bos_token_id or eos_token_id 1000', { config: { ...sizes, eos_token_id: 1000 } }],
    ['generation_config.json eos_token_id', { config: sizes, generation: { eos_token_id: [1.5] } }],
  ])('it is refused by the name %s when that is wrong', (field, files) => {
    expect(() => read(files)).toThrow(expect.objectContaining({ code: 'MODEL_CARD_INVALID', details: { field } }))
  })
})
