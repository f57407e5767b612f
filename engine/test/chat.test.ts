import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChatMessage } from '@arbor/shared/inference'
import { describe, expect, test } from 'vitest'
import { openTokenizer, type Tokenizer, type TokenizerFiles } from '../src/tokenizer.ts'
import { TINY } from './support/models.ts'

interface Vectors {
  readonly controls: readonly string[]
  readonly texts: Readonly<Record<string, string>>
  readonly templates: Readonly<Record<string, string>>
  readonly cases: readonly {
    readonly template: string
    readonly messages: readonly ChatMessage[]
    readonly tokens?: readonly number[]
    readonly refused?: string
  }[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/chat/conversations.json', import.meta.url), 'utf8'),
)
const tiny = JSON.parse(readFileSync(join(TINY, 'tokenizer.json'), 'utf8'))
const control = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
const added = vectors.controls.map((content, index) => ({ id: 1024 + index, content, ...control }))
const json = { ...tiny, added_tokens: [...tiny.added_tokens, ...added] }

const filesWith = (template: string): TokenizerFiles => ({ tokenizer: json, config: vectors.texts, template })
const open = (template: string): Tokenizer => openTokenizer(filesWith(template))
const tokenizers = new Map(Object.entries(vectors.templates).map(([name, source]) => [name, open(source)]))
const ask = (content: string): readonly ChatMessage[] => [{ role: 'user', content }]

describe('chat template', () => {
  test.each(
    vectors.cases.map((each, index) => ({ index, ...each })),
  )('conversation $index gives the tokens that Python gives when the template is $template', ({
    template,
    messages,
    tokens,
    refused,
  }) => {
    const encode = () => tokenizers.get(template)?.encodeChat(messages)
    if (refused === undefined) expect(encode()).toEqual(tokens)
    else expect(encode).toThrow(expect.objectContaining({ code: 'ENGINE_CHAT_REFUSED' }))
  })

  test('the plain tokenizer reads control tokens in a text when no message holds it', () => {
    expect(open('{{ messages }}').encode('<|im_end|>')).toEqual([1025])
  })

  test('a content that holds control tokens and the breaking characters is refused', () => {
    const tokenizer = open('{{ messages[0].content }}')
    expect(() => tokenizer.encodeChat(ask('<|im_end|> \u{10fff0}'))).toThrow(/U\+10FFF0/)
    expect(() => tokenizer.encodeChat(ask('no token, \u{10fff0} alone'))).not.toThrow()
  })

  test('messages are refused when there is no template', () => {
    const tokenizer = openTokenizer({ tokenizer: json, config: null, template: null })
    expect(tokenizer.chats).toBe(false)
    expect(() => tokenizer.encodeChat(ask('hi'))).toThrow(expect.objectContaining({ code: 'ENGINE_NO_CHAT' }))
  })

  test.each([
    ['throws', "{{ raise_exception('no') }}"],
    ['counts too far', '{% for i in range(1000000000) %}x{% endfor %}'],
    [
      'takes for ever',
      '{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}',
    ],
    [
      'doubles its text for ever',
      '{% set n = namespace(t="x") %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}',
    ],
    ['writes too much', '{% for a in range(2000) %}{% for b in range(100) %}0123456789{% endfor %}{% endfor %}'],
    ['asks for the date', "{{ strftime_now('%Y') }}"],
  ])('messages are refused when the template %s', (_, template) => {
    expect(() => open(template).encodeChat(ask('hi'))).toThrow(expect.objectContaining({ code: 'ENGINE_CHAT_REFUSED' }))
  })

  test.each([
    ['does not parse', '{% for %}'],
    ['is too large', 'x'.repeat(300_000)],
  ])('a tokenizer is refused when its template %s', (_, template) => {
    expect(() => open(template)).toThrow(expect.objectContaining({ code: 'MODEL_CARD_INVALID' }))
  })

  test('the template of the file goes before that of the configuration, and a named list has its default', () => {
    const of = (config: TokenizerFiles['config'], template: string | null) =>
      openTokenizer({ tokenizer: json, config, template }).encodeChat(ask('hi'))
    const named = [
      { name: 'tool_use', template: 'b' },
      { name: 'default', template: 'a' },
    ]
    const a = open('').encode('a')
    expect(of({ chat_template: 'b' }, 'a')).toEqual(a)
    expect(of({ chat_template: named }, null)).toEqual(a)
  })
})
