import type { GenerateRequest } from '@arbor/shared/inference'
import { beforeAll, describe, expect, test } from 'vitest'
import { listFiles, readSpeech } from '../src/folder.ts'
import type { ModelConfig } from '../src/model-config.ts'
import { prepareRequest } from '../src/request.ts'
import { openTokenizer, type Tokenizer } from '../src/tokenizer.ts'
import { request, TINY } from './support/models.ts'

let config: ModelConfig
let tokenizer: Tokenizer
beforeAll(async () => {
  const speech = await readSpeech({ folder: TINY, names: await listFiles(TINY) })
  config = speech.config
  tokenizer = openTokenizer(speech.tokenizer)
})

const prepare = (change: object, of: Partial<ModelConfig> = {}) =>
  prepareRequest({ request: { ...request(), ...change } as GenerateRequest, config: { ...config, ...of }, tokenizer })
const user = (content: unknown) => ({ prompt: [{ role: 'user', content }] })

describe('request', () => {
  test('a text is continued after the start token', () => {
    const { prompt } = prepare({ prompt: 'abc' })
    expect(prompt[0]).toBe(0)
    expect(tokenizer.decode(prompt)).toBe('abc')
  })

  test('a conversation becomes the text of its template', () => {
    const { prompt } = prepare({
      prompt: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why?' },
      ],
    })
    expect(tokenizer.textOf(prompt)).toBe('<|endoftext|>## system\n\nBe brief.\n\n## user\n\nWhy?\n\n## assistant\n\n')
  })

  test('what is absent has a value', () => {
    expect(prepare({})).toMatchObject({
      topK: null,
      topP: null,
      stop: [],
      proof: 'residue',
      binding: new Uint8Array(32),
    })
  })

  test('filters that leave everything are none', () => {
    expect(prepare({ topK: 1024, topP: 1 })).toMatchObject({ topK: null, topP: null })
    expect(prepare({ topK: 5, topP: 0.9 })).toMatchObject({ topK: 5, topP: 0.9 })
  })

  test.each([
    ['prompt', { prompt: 7 }],
    ['prompt', { prompt: [] }],
    ['prompt', { prompt: new Array(5000).fill({ role: 'user', content: '' }) }],
    ['prompt', { prompt: 'half \ud83d of a pair' }],
    ['prompt[0]', { prompt: ['hello'] }],
    ['prompt[0].role', { prompt: [{ role: 'tool', content: '' }] }],
    ['prompt[0].content', user(7)],
    ['prompt[0].content', user('half \udc00 of a pair')],
    ['maxTokens', { maxTokens: 0 }],
    ['maxTokens', { maxTokens: 2.5 }],
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: 1e-300 }],
    ['temperature', { temperature: Number.NaN }],
    ['temperature', { temperature: 1e9 }],
    ['temperature', { temperature: 1, proof: 'none' }],
    ['topK', { topK: 0 }],
    ['topK', { topK: 1.5 }],
    ['topP', { topP: 0 }],
    ['topP', { topP: 1.1 }],
    ['stop', { stop: 'end' }],
    ['stop', { stop: [''] }],
    ['stop', { stop: ['\ud83d'] }],
    ['stop', { stop: new Array(17).fill('a') }],
    ['stop', { stop: ['a'.repeat(257)] }],
    ['seed', { seed: '0x12' }],
    ['binding', { binding: '0x12' }],
    ['proof', { proof: 'trust me' }],
  ])('it is refused by the name %s when that is out of range (case %#)', (field, change) => {
    expect(() => prepare(change)).toThrow(
      expect.objectContaining({ code: 'ENGINE_REQUEST_INVALID', details: { field } }),
    )
  })

  test('an empty text is refused when the model has no token to start from', () => {
    expect(() => prepare({ prompt: '' }, { start: null })).toThrow(/no token to start from/)
    expect(prepare({ prompt: '' }).prompt).toEqual([0])
  })

  test.each([
    ['text', { prompt: 'a '.repeat(600) }],
    ['text that no tokens could hold', { prompt: 'a'.repeat(10_000_000) }],
    ['conversation', user('a '.repeat(600))],
    ['conversation that no tokens could hold', user('a'.repeat(10_000_000))],
    ['answer', { maxTokens: 512 }],
  ])('it is refused when the %s exceeds the context', (_, change) => {
    expect(() => prepare(change)).toThrow(expect.objectContaining({ code: 'ENGINE_PROMPT_TOO_LONG' }))
  })

  test('prompt and answer may fill the context to the last token', () => {
    const { prompt } = prepare({ prompt: 'a', maxTokens: 510 })
    expect(prompt.length + 510).toBe(512)
    expect(() => prepare({ prompt: 'a', maxTokens: 511 })).toThrow(
      expect.objectContaining({ code: 'ENGINE_PROMPT_TOO_LONG' }),
    )
  })
})
