import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJson } from '../src/http/json.ts'
import { readWish } from '../src/openai/read.ts'
import { questions } from './support/gateway.ts'

const message = { role: 'user', content: 'Hello' }
const chat = (more: object): ReturnType<typeof readWish> =>
  readWish('chat', { model: 'm', messages: [message], ...more })
const text = (more: object): ReturnType<typeof readWish> =>
  readWish('completions', { model: 'm', prompt: 'Hello', ...more })

/** What a refusal says, in short. */
const refusal = (read: ReturnType<typeof readWish>): string | null =>
  read.ok ? null : `${read.error.status} ${read.error.param} ${read.error.code}`

describe('a request', () => {
  test('is read with all that it says', () => {
    const read = chat({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Héllo ' },
            { type: 'text', text: '🌳' },
          ],
        },
        { role: 'assistant', content: 'Yes?', refusal: null, tool_calls: [] },
        message,
      ],
      max_completion_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 20,
      stop: '\n',
      seed: -3,
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(read).toEqual({
      ok: true,
      value: {
        model: 'm',
        prompt: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Héllo 🌳' },
          { role: 'assistant', content: 'Yes?' },
          message,
        ],
        maxTokens: 7,
        maxTokensParam: 'max_completion_tokens',
        temperature: 0.5,
        topP: 0.9,
        topK: 20,
        stop: ['\n'],
        seed: -3,
        stream: true,
        includeUsage: true,
      },
    })
  })

  test('may say what changes nothing', () => {
    const harmless = {
      n: 1, user: 'u', metadata: { a: 'b' }, store: false, service_tier: 'auto', frequency_penalty: 0, presence_penalty: 0,
      logit_bias: {}, logprobs: false, safety_identifier: 's', prompt_cache_key: 'k', temperature: null, stop: null, seed: null,
      top_p: 1, top_k: -1, stream_options: null,
    } // biome-ignore format: one line a kind
    expect(
      chat({ ...harmless, response_format: { type: 'text' }, tools: [], modalities: ['text'], reasoning_effort: null }),
    ).toMatchObject({
      ok: true,
      value: { stream: false, includeUsage: false },
    })
    expect(text({ ...harmless, best_of: 1, echo: false, suffix: null, logprobs: null })).toMatchObject({ ok: true })
  })

  test.each([
    [{ n: 2 }, '400 n unsupported_value'],
    [{ logprobs: true }, '400 logprobs unsupported_value'],
    [{ tools: [{ type: 'function' }] }, '400 tools unsupported_value'],
    [{ response_format: { type: 'json_object' } }, '400 response_format unsupported_value'],
    [{ frequency_penalty: 0.1 }, '400 frequency_penalty unsupported_value'],
    [{ logit_bias: { 5: 1 } }, '400 logit_bias unsupported_value'],
    [{ store: true }, '400 store unsupported_value'],
    [{ reasoning_effort: 'low' }, '400 reasoning_effort unsupported_parameter'],
    [{ min_p: 0.1 }, '400 min_p null'],
    [{ constructor: 1 }, '400 constructor null'],
    [JSON.parse('{"__proto__": 1}'), '400 __proto__ null'],
    [{ prompt: 'x' }, '400 prompt null'],
    [{ best_of: 1 }, '400 best_of unsupported_parameter'],
  ])('of a chat with %j is refused by that name', (more, due) => {
    const [base, added] = [{ model: 'm', messages: [message] }, more].map((part) => JSON.stringify(part).slice(1, -1))
    expect(refusal(readWish('chat', JSON.parse(`{${base},${added}}`)))).toBe(due)
  })

  test.each([
    [{ model: undefined }, '400 model null'],
    [{ model: 7 }, '400 model invalid_type'],
    [{ messages: undefined }, '400 messages null'],
    [{ messages: [] }, '400 messages null'],
    [{ messages: ['x'] }, '400 messages[0] invalid_type'],
    [{ messages: [message, { role: 'tool', content: 'x' }] }, '400 messages[1].role invalid_value'],
    [{ messages: [{ role: 'user' }] }, '400 messages[0].content invalid_type'],
    [{ messages: [{ ...message, name: 'Ann' }] }, '400 messages[0].name unsupported_parameter'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      '400 messages[0].content[0] invalid_value',
    ],
    [{ messages: [{ role: 'user', content: [null] }] }, '400 messages[0].content[0] invalid_value'],
    [{ messages: [{ role: 'user', content: '\ud83c' }] }, '400 messages[0].content null'],
    [{ max_tokens: 1.5 }, '400 max_tokens invalid_type'],
    [{ max_tokens: 0 }, '400 max_tokens null'],
    [{ max_tokens: 3, max_completion_tokens: 4 }, '400 max_tokens null'],
    [{ temperature: 'hot' }, '400 temperature invalid_type'],
    [{ temperature: Number.NaN }, '400 temperature invalid_type'],
    [{ stop: [''] }, '400 stop invalid_type'],
    [{ stop: 5 }, '400 stop invalid_type'],
    [{ seed: 2 ** 60 }, '400 seed invalid_type'],
    [{ stream: 'yes' }, '400 stream invalid_type'],
    [{ stream_options: { include_usage: true } }, '400 stream_options null'],
    [{ stream: true, stream_options: { other: 1 } }, '400 stream_options.other unsupported_parameter'],
  ])('of a chat with %j is refused for it', (more, due) => {
    expect(refusal(chat(more))).toBe(due)
  })

  test('for a text takes one prompt and nothing else', () => {
    expect(text({ prompt: ['Hello'] })).toMatchObject({ ok: true, value: { prompt: 'Hello' } })
    for (const prompt of ['', [], ['a', 'b'], [1, 2], [[1, 2]], 7])
      expect(refusal(text({ prompt }))).toBe('400 prompt invalid_type')
    expect(refusal(text({ max_completion_tokens: 3 }))).toBe('400 max_completion_tokens null')
    expect(refusal(text({ messages: [message] }))).toBe('400 messages null')
    expect(refusal(text({ echo: true }))).toBe('400 echo unsupported_value')
  })

  test.each([
    'modalities',
    'response_format',
    'tools',
    'logit_bias',
    'messages',
    'stop',
    'seed',
    'metadata',
    'other',
  ])('nested deeper than a stack is read or refused in its %s', (param) => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(chat({ [param]: deep }).ok).toBe(param === 'metadata')
  })

  test('that is no object is refused', () => {
    for (const body of [null, 7, 'x', [], true]) expect(refusal(readWish('chat', body))).toBe('400 null null')
  })
})

test('a body is JSON in UTF-8, or refused', () => {
  expect(readJson(Buffer.from('{"a": "é"}'))).toEqual({ ok: true, value: { a: 'é' } })
  for (const bytes of [Buffer.from('{"a": '), Buffer.alloc(0), Buffer.from([0x22, 0xff, 0x22])])
    expect(readJson(bytes)).toMatchObject({ ok: false, error: { status: 400, type: 'invalid_request_error' } })
})

test('whatever a body holds, it is a question that fits the task or a refusal with a status of 4xx', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('', 0, -1, 1e9, true, null), fc.string({ unit: 'binary' }))
  const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd })
  const words = mostly(fc.string({ unit: 'grapheme' }))
  const content = mostly(
    fc.oneof(words, fc.array(fc.record({ type: mostly(fc.constant('text')), text: words }), { maxLength: 3 })),
  )
  const role = mostly(fc.constantFrom('user', 'system', 'developer', 'assistant'))
  const body = fc.record(
    {
      model: fc.constant('m'),
      messages: mostly(fc.array(fc.record({ role, content }), { minLength: 1, maxLength: 4 })),
      max_tokens: mostly(fc.integer({ min: 1, max: 260 })),
      temperature: mostly(fc.double({ min: 0, max: 2.1, noNaN: true })),
      top_p: mostly(fc.double({ min: 0.01, max: 1, noNaN: true })),
      top_k: mostly(fc.integer({ min: -1, max: 100 })),
      stop: mostly(fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 4 })),
      seed: mostly(fc.maxSafeInteger()),
      stream: mostly(fc.constant(true)),
      stream_options: mostly(fc.constant({ include_usage: true })),
      n: mostly(fc.constant(1)),
    },
    { requiredKeys: ['model', 'messages', 'stream'] },
  )
  let asked = 0
  fc.assert(
    fc.property(mostly(body), (value) => {
      const wish = readWish('chat', JSON.parse(JSON.stringify(value)))
      const question = wish.ok ? questions.ask(wish.value, () => new Uint8Array(32)) : wish
      if (!question.ok) return question.error.status >= 400 && question.error.status < 500
      asked += 1
      return questions.definition.request.safeParse(question.value.request).success
    }),
    { seed: 1, numRuns: 300 },
  )
  expect(asked).toBeGreaterThan(20) // and not all were refused
})
