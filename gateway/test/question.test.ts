import { sha256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { loadSpec } from '@arbor/subnet-spec/load'
import { describe, expect, test } from 'vitest'
import { readWish } from '../src/openai/read.ts'
import { openQuestions } from '../src/question.ts'
import { questions, spec } from './support/gateway.ts'

const fresh = (): Uint8Array => new Uint8Array(32).fill(7)
const ask = (route: 'chat' | 'completions', more: object) => {
  const said = route === 'chat' ? { messages: [{ role: 'user', content: 'Hello' }] } : { prompt: 'Hello' }
  const wish = readWish(route, { model: 'm', ...said, ...more })
  if (!wish.ok) throw new Error(wish.error.message)
  return questions.ask(wish.value, fresh)
}
const refusal = (asked: ReturnType<typeof ask>): string | null =>
  asked.ok ? null : `${asked.error.status} ${asked.error.param} ${asked.error.code}`

describe('a question', () => {
  test('is what the task’s schema takes, with OpenAI’s defaults and as many tokens as there may be', () => {
    const asked = ask('completions', {})
    expect(asked).toMatchObject({ ok: true, value: { request: { prompt: 'Hello', temperature: 1, maxTokens: 256 } } })
    if (asked.ok) expect(questions.definition.request.safeParse(asked.value.request).success).toBe(true)
  })

  test('counts its prompt as the model sees it', () => {
    // by the tokenizers package of Python: H, ell, o, after the start token; and the rendered template
    expect(ask('completions', {})).toMatchObject({ value: { promptTokens: 4 } })
    expect(ask('chat', {})).toMatchObject({ value: { promptTokens: 17 } })
  })

  test('has the caller’s seed, or fresh chance', () => {
    const seedOf = (more: object): unknown => {
      const asked = ask('chat', more)
      return asked.ok ? asked.value.request.seed : null
    }
    expect(seedOf({})).toBe(toHex(fresh()))
    expect(seedOf({ seed: 42 })).toBe(toHex(sha256(Buffer.from('arbor/gateway/seed/42'))))
    expect(seedOf({ seed: 42 })).not.toBe(seedOf({ seed: 43 }))
  })

  test('gets fewer tokens when the prompt leaves room for no more', () => {
    const prompt = 'the '.repeat(300) // tokens of the words and of the spaces
    const asked = ask('completions', { prompt })
    if (!asked.ok) throw new Error(asked.error.message)
    const { promptTokens, maxTokens } = asked.value
    expect(promptTokens + maxTokens).toBe(512)
    expect(refusal(ask('completions', { prompt, max_tokens: maxTokens }))).toBe(null)
    expect(refusal(ask('completions', { prompt, max_tokens: maxTokens + 1 }))).toBe(
      '400 prompt context_length_exceeded',
    )
  })

  test.each([
    ['chat', { max_tokens: 257 }, '400 max_tokens integer_above_max_value'],
    ['chat', { max_completion_tokens: 257 }, '400 max_completion_tokens integer_above_max_value'],
    ['chat', { temperature: 2.5 }, '400 temperature decimal_above_max_value'],
    ['chat', { temperature: -1 }, '400 temperature decimal_below_min_value'],
    ['chat', { temperature: 1e-9 }, '400 temperature null'],
    ['chat', { top_p: 0 }, '400 top_p decimal_below_min_value'],
    ['chat', { top_p: 1.5 }, '400 top_p decimal_above_max_value'],
    ['chat', { top_k: -5 }, '400 top_k decimal_below_min_value'],
    ['chat', { stop: ['a', 'b', 'c', 'd', 'e'] }, '400 stop array_above_max_length'],
    ['chat', { stop: ['x'.repeat(65)] }, '400 stop[0] string_above_max_length'],
    [
      'chat',
      { messages: Array.from({ length: 65 }, () => ({ role: 'user', content: 'x' })) },
      '400 messages array_above_max_length',
    ],
    [
      'chat',
      { messages: [{ role: 'user', content: 'x'.repeat(2_049) }] },
      '400 messages[0].content string_above_max_length',
    ],
    ['completions', { prompt: 'x'.repeat(2_049) }, '400 prompt string_above_max_length'],
    ['completions', { prompt: 'x1'.repeat(1_024) }, '400 prompt context_length_exceeded'],
  ] as const)('by %s with %j is refused', (route, more, due) => {
    expect(refusal(ask(route, more))).toBe(due)
  })
})

test('a subnet without a task for prompts is refused', async () => {
  const meter = { context: 64, measure: () => ({ ok: true, promptTokens: 1 }) as const }
  expect(() => openQuestions({ spec, task: 'other', meter })).toThrow(expect.objectContaining({ code: 'GATEWAY_SPEC' }))
  const echo = await loadSpec(new URL('../../test/e2e/support/echo-spec.ts', import.meta.url).href)
  const [task = ''] = Object.keys(echo.tasks)
  expect(() => openQuestions({ spec: echo, task, meter })).toThrow(expect.objectContaining({ code: 'GATEWAY_SPEC' }))
})
