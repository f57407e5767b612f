import { createLogger } from '@arbor/shared/log'
import type { InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import type { KeyEntry } from '../src/keys/file.ts'
import type { KeyRing } from '../src/keys/ring.ts'
import { createRecorder } from '../src/record.ts'
import { answered, fault, gatewayOf, miner, type Script, silent, speaking } from './support/gateway.ts'

const entry: KeyEntry = {
  id: '0'.repeat(12),
  name: 'ann',
  hash: '0'.repeat(64),
  createdAt: '2027-01-01T00:00:00Z',
  concurrent: 2,
}
/** Opens to one word, so that tests need no key. */
const ringOf = (limits: Partial<KeyEntry> = {}): KeyRing => ({
  find: (text) => (text === 'open-sesame' ? { ...entry, ...limits } : null),
  follow: async () => undefined,
})
const headers = { authorization: 'Bearer open-sesame', 'content-type': 'application/json' }
const body = { model: 'arbor-tiny', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 }

const post = async (
  of: { readonly script: Script } & Partial<Parameters<typeof gatewayOf>[0]>,
  more: object = {},
  to = '/v1/chat/completions',
) => {
  const { app } = gatewayOf({ keys: ringOf(), ...of })
  return app.inject({ method: 'POST', url: to, headers, payload: JSON.stringify({ ...body, ...more }) })
}
/** The data of a stream, parsed but for its end. */
const eventsOf = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => part.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)))

describe('POST /v1/chat/completions', () => {
  test('answers in OpenAI’s shape, marked with miner, model and receipt', async () => {
    const response = await post({ script: speaking('Hel', 'lo'), miners: [miner('A')] })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'arbor-tiny',
      system_fingerprint: 'fp_abababababab',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 17, completion_tokens: 2, total_tokens: 19 },
      arbor: { miner: '5A', uid: 65, model: `0x${'ab'.repeat(32)}`, receipt: 'ab'.repeat(32) },
    })
    expect(response.headers).toMatchObject({
      'x-arbor-miner': '5A',
      'x-arbor-uid': '65',
      'x-arbor-model': `0x${'ab'.repeat(32)}`,
      'x-arbor-receipt': 'ab'.repeat(32),
      'x-request-id': expect.stringMatching(/^req_/),
    })
  })

  test('streams pieces, the end with its mark, the usage for who wants it, and [DONE]', async () => {
    const script = speaking('Hel', 'lo')
    const response = await post(
      { script, miners: [miner('A')] },
      { stream: true, stream_options: { include_usage: true } },
    )
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-arbor-miner': '5A',
    })
    const events = eventsOf(response.payload)
    const head = { object: 'chat.completion.chunk', model: 'arbor-tiny', system_fingerprint: 'fp_abababababab' }
    const piece = (delta: object, finish: string | null = null) => ({
      index: 0,
      delta,
      logprobs: null,
      finish_reason: finish,
    })
    expect(events).toMatchObject([
      { ...head, choices: [piece({ role: 'assistant', content: 'Hel' })], usage: null },
      { ...head, choices: [piece({ content: 'lo' })], usage: null },
      { ...head, choices: [piece({}, 'stop')], usage: null, arbor: { miner: '5A', receipt: 'ab'.repeat(32) } },
      { ...head, choices: [], usage: { prompt_tokens: 17, completion_tokens: 2, total_tokens: 19 } },
      '[DONE]',
    ])
    expect(new Set(events.slice(0, -1).map((event) => (event as { id: string }).id)).size).toBe(1)
  })

  test('streams an answer without a word as one', async () => {
    const events = eventsOf((await post({ script: async () => answered('') }, { stream: true })).payload)
    expect(events).toMatchObject([
      { choices: [{ delta: { role: 'assistant', content: '' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ])
  })

  test('says honestly, in the stream, that an answer broke off', async () => {
    const script: Script = async (_task, _signal, onChunk) => {
      onChunk?.(Buffer.from('Hel'))
      return fault('early-close')
    }
    const events = eventsOf((await post({ script }, { stream: true })).payload)
    expect(events).toMatchObject([
      { choices: [{ delta: { content: 'Hel' } }] },
      { error: { type: 'server_error', code: 'miners_failed', message: expect.stringContaining('early-close') } },
    ])
    expect(events).toHaveLength(2) // and no [DONE]
  })

  test('has a status for a failure before the first text, streamed or not', async () => {
    for (const stream of [true, false]) {
      const response = await post({ script: async () => fault('timeout') }, { stream })
      expect([response.statusCode, response.json().error.code]).toEqual([502, 'miners_failed'])
    }
    const none = await post({ script: speaking('x'), miners: [] })
    expect([none.statusCode, none.headers['retry-after']]).toEqual([503, '10'])
  })

  test('has an answer drawn over by a block that no miner can have known', async () => {
    const log = createLogger({ name: 'test', level: 'silent' })
    const heads: number[] = []
    const traffic = {
      record: ({ head }: { readonly head: number }) => {
        heads.push(head)
        return { id: 'id' }
      },
    }
    await post({ script: speaking('Hello'), record: createRecorder({ traffic, head: () => 7 as never, log }) })
    expect(heads).toEqual([8]) // a miner may know block 8 already; block 9 draws
  })

  test('answers although the record of the answer fails', async () => {
    const log = createLogger({ name: 'test', level: 'silent' })
    const traffic = {
      record: () => {
        throw new Error('disk full')
      },
    }
    const record = createRecorder({ traffic, head: () => 1 as never, log })
    const response = await post({ script: speaking('Hello'), record })
    expect([response.statusCode, response.json().arbor.receipt]).toEqual([200, null])
    expect(response.headers['x-arbor-receipt']).toBe(undefined)
  })
})

test('POST /v1/completions answers and streams texts', async () => {
  const text = { prompt: 'Hello', messages: undefined }
  const whole = await post({ script: speaking('a', 'b') }, text, '/v1/completions')
  expect(whole.json()).toMatchObject({
    id: expect.stringMatching(/^cmpl-/),
    object: 'text_completion',
    choices: [{ index: 0, text: 'ab', logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 4 },
  })
  const streamed = await post({ script: speaking('a', 'b') }, { ...text, stream: true }, '/v1/completions')
  expect(eventsOf(streamed.payload)).toMatchObject([
    { object: 'text_completion', choices: [{ text: 'a', finish_reason: null }] },
    { choices: [{ text: 'b' }] },
    { choices: [{ text: '', finish_reason: 'stop' }], arbor: { receipt: 'ab'.repeat(32) } },
    '[DONE]',
  ])
})

test('GET /v1/models lists the model, and finds it by name', async () => {
  const { app } = gatewayOf({ script: speaking('x'), keys: ringOf() })
  const model = {
    id: 'arbor-tiny',
    object: 'model',
    created: 1_800_000_000,
    owned_by: 'subnet-1',
    arbor: { hash: `0x${'ab'.repeat(32)}` },
  }
  expect((await app.inject({ url: '/v1/models', headers })).json()).toEqual({ object: 'list', data: [model] })
  expect((await app.inject({ url: '/v1/models/arbor-tiny', headers })).json()).toEqual(model)
  const other = await app.inject({ url: '/v1/models/org/gpt', headers })
  expect([other.statusCode, other.json().error.code]).toEqual([404, 'model_not_found'])
})

describe('errors', () => {
  const { app } = gatewayOf({ script: speaking('x'), keys: ringOf() })
  const errorOf = async (request: InjectOptions): Promise<unknown[]> => {
    const response = await app.inject(request)
    const { error } = response.json()
    expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code'])
    return [response.statusCode, error.type, error.param, error.code]
  }
  const chat = { method: 'POST', url: '/v1/chat/completions', headers } as const
  const invalid = 'invalid_request_error'

  test.each([
    ['no key', { ...chat, headers: {}, payload: '{}' }, [401, invalid, null, 'missing_api_key']],
    [
      'a wrong key',
      { ...chat, headers: { authorization: 'Bearer x' }, payload: '{}' },
      [401, invalid, null, 'invalid_api_key'],
    ],
    [
      'another scheme',
      { ...chat, headers: { authorization: 'Basic open-sesame' } },
      [401, invalid, null, 'missing_api_key'],
    ],
    ['no JSON', { ...chat, payload: '{' }, [400, invalid, null, null]],
    ['bytes that are no UTF-8', { ...chat, payload: Buffer.from([0x22, 0xff, 0x22]) }, [400, invalid, null, null]],
    ['an empty body', { ...chat, payload: '' }, [400, invalid, null, null]],
    [
      'another type',
      { ...chat, headers: { ...headers, 'content-type': 'text/plain' }, payload: 'x' },
      [415, invalid, null, 'unsupported_media_type'],
    ],
    [
      'a compressed body',
      { ...chat, headers: { ...headers, 'content-encoding': 'gzip' }, payload: 'x' },
      [415, invalid, null, 'unsupported_content_encoding'],
    ],
    ['too much', { ...chat, payload: 'x'.repeat(200_000) }, [413, invalid, null, 'request_too_large']],
    [
      'an unknown model',
      { ...chat, payload: JSON.stringify({ ...body, model: 'gpt' }) },
      [404, invalid, 'model', 'model_not_found'],
    ],
    ['an unknown address', { method: 'GET', url: '/v1/other' }, [404, invalid, null, 'unknown_url']],
    ['a broken address', { method: 'GET', url: '/v1/models/%ff', headers }, [400, invalid, null, null]],
    ['another method', { method: 'GET', url: '/v1/chat/completions' }, [405, invalid, null, 'method_not_supported']],
  ] as readonly (readonly [string, InjectOptions, readonly unknown[]])[])('%s', async (_, request, due) => {
    expect(await errorOf(request)).toEqual(due)
  })
})

describe('limits', () => {
  test('of a key are told with every answer, and refused with the time to wait', async () => {
    const { app } = gatewayOf({ script: speaking('x'), keys: ringOf({ requestsPerMinute: 1, tokensPerMinute: 1_000 }) })
    const request = { method: 'POST', url: '/v1/chat/completions', headers, payload: JSON.stringify(body) } as const
    const first = await app.inject(request)
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit-requests': '1',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-limit-tokens': '1000',
    })
    const second = await app.inject(request)
    expect([second.statusCode, second.json().error.code]).toEqual([429, 'rate_limit_exceeded'])
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(50)
  })

  test.each([
    ['whole', false, 500 + 8],
    ['as a stream', true, 500],
  ])('count what was asked for %s and cut short', async (_, stream, most) => {
    const begun = Promise.withResolvers<void>()
    const script: Script = (task, signal) => {
      begun.resolve()
      return silent(task, signal)
    }
    const stop = new AbortController() // stands for the caller's: an injected request has no line to hang up
    const { app } = gatewayOf({ script, keys: ringOf({ tokensPerMinute: 1_000 }), stop: stop.signal })
    const messages = [{ role: 'user', content: 'word '.repeat(100) }]
    const payload = JSON.stringify({ ...body, messages, stream })
    const asked = { method: 'POST', url: '/v1/chat/completions', headers, payload } as const
    const cut = app.inject(asked)
    await begun.promise
    stop.abort()
    await cut
    const left = await app.inject({ method: 'GET', url: '/v1/models', headers })
    const taken = 1_000 - Number(left.headers['x-ratelimit-remaining-tokens'])
    expect(taken).toBeGreaterThan(100)
    expect(taken).toBeLessThanOrEqual(most)
  })

  test('of tokens that no waiting meets tell clients not to try again', async () => {
    const response = await post({ script: speaking('x'), keys: ringOf({ tokensPerMinute: 20 }) })
    expect([response.statusCode, response.json().error.type]).toEqual([429, 'tokens'])
    expect([response.headers['x-should-retry'], response.headers['retry-after']]).toEqual(['false', undefined])
  })
})

describe('a gateway without keys', () => {
  const { app } = gatewayOf({ script: speaking('x'), keys: null })
  const statusFor = async (host: string): Promise<number> =>
    (await app.inject({ url: '/v1/models', headers: { host } })).statusCode

  test('answers under names of this machine alone, so that no page in a browser reaches it', async () => {
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:8080', '127.0.0.2', '[::1]:8080'])
      expect(await statusFor(host)).toBe(200)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', '8.8.8.8'])
      expect(await statusFor(host)).toBe(403)
  })
})

describe('operators', () => {
  test('see whether it lives and serves', async () => {
    const { app } = gatewayOf({ script: speaking('x'), keys: ringOf(), ready: false })
    expect((await app.inject({ url: '/livez' })).statusCode).toBe(200)
    expect((await app.inject({ url: '/readyz' })).statusCode).toBe(503)
  })

  test('see counts of everything, in labels that no caller can make up', async () => {
    const { app } = gatewayOf({ script: speaking('a', 'b'), keys: ringOf(), miners: [miner('A')] })
    const request = { method: 'POST', url: '/v1/chat/completions', headers, payload: JSON.stringify(body) } as const
    await app.inject(request)
    await app.inject({ ...request, payload: JSON.stringify({ ...body, model: 'made-up' }) })
    await app.inject({ ...request, url: '/v1/made-up' })
    await app.inject({ ...request, headers: { authorization: 'Bearer made-up' } })
    const text = (await app.inject({ url: '/metrics' })).payload
    for (const line of [
      'arbor_gateway_requests_total{route="/v1/chat/completions",status="200"} 1',
      'arbor_gateway_requests_total{route="/v1/chat/completions",status="404"} 1',
      'arbor_gateway_tokens_total{kind="prompt"} 17',
      'arbor_gateway_tokens_total{kind="completion"} 2',
      'arbor_gateway_keys_refused_total{code="invalid_api_key"} 1',
      'arbor_gateway_miners{state="ready"} 1',
      'arbor_gateway_miner_in_flight{uid="65"} 0',
      'arbor_gateway_in_flight 0',
    ])
      expect(text).toContain(line)
    expect(text).not.toMatch(/made-up|open-sesame|ann/)
  })

  test('need a key to see them on an address that others reach', async () => {
    const { app } = gatewayOf({ script: speaking('x'), keys: ringOf(), isLoopback: false })
    expect((await app.inject({ url: '/metrics' })).statusCode).toBe(401)
    expect((await app.inject({ url: '/metrics', headers })).statusCode).toBe(200)
  })
})

test('a gateway that stops lets nobody in', async () => {
  const response = await post({ script: speaking('x'), isStopping: () => true })
  expect([response.statusCode, response.json().error.code, response.headers['retry-after']]).toEqual([
    503,
    'shutting_down',
    '1',
  ])
})
