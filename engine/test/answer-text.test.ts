import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createAnswerText, readAnswerText } from '../src/answer-text.ts'
import { listFiles, readSpeech } from '../src/folder.ts'
import { openTokenizer, type Tokenizer } from '../src/tokenizer.ts'
import { TINY } from './support/models.ts'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = openTokenizer((await readSpeech({ folder: TINY, names: await listFiles(TINY) })).tokenizer)
})

/** Streams a text token by token. */
const stream = (text: string, stop: readonly string[]) => {
  const tokens = tokenizer.encode(text)
  const answer = createAnswerText({ tokenizer, stop })
  const pieces: string[] = []
  for (const [index, token] of tokens.entries()) {
    const pushed = answer.push(token, index === tokens.length - 1)
    pieces.push(pushed.text)
    if (pushed.stopped) return { pieces, used: index + 1, of: tokens.length, stopped: true }
  }
  return { pieces, used: tokens.length, of: tokens.length, stopped: false }
}

describe('answer text', () => {
  test.each([
    ['a stop text within one word', 'let x = borrowed value', ['rrow'], 'let x = bo'],
    ['a stop text over many tokens', 'one two three four five six', ['three four f'], 'one two '],
    ['the first of several stop texts', 'alpha beta gamma', ['gamma', 'beta'], 'alpha '],
    ['a stop text at the very start', 'alpha beta', ['al'], ''],
    ['a stop text beyond ASCII', 'héllo wörld — ça va', ['ö'], 'héllo w'],
    ['a line break', 'first line\nsecond line', ['\n'], 'first line'],
  ])('nothing of it is shown when there is %s', (_, text, stop, shown) => {
    const { pieces, stopped } = stream(text, stop)
    expect(stopped).toBe(true)
    expect(pieces.join('')).toBe(shown)
    const beginnings = stop.flatMap((each) => Array.from({ length: each.length }, (_, end) => each.slice(0, end + 1)))
    for (let count = 1; count <= pieces.length; count++) {
      const sofar = pieces.slice(0, count).join('')
      expect(shown.startsWith(sofar)).toBe(true)
      if (!shown.endsWith(sofar)) continue
      expect(beginnings.some((each) => sofar.endsWith(each) && !shown.includes(each))).toBe(false)
    }
  })

  test('the whole text comes out when what was held back becomes no stop text', () => {
    const { pieces, stopped } = stream('a table of tabs', ['tabular', 'tabs!'])
    expect(stopped).toBe(false)
    expect(pieces.join('')).toBe('a table of tabs')
  })

  test('an answer ends with the token that completes the stop text, and the reader agrees', () => {
    const text = 'one two three four five six'
    const tokens = tokenizer.encode(text)
    const { used } = stream(text, ['three f'])
    const given = { tokenizer, tokens, stop: ['three f'], maxTokens: 100, ends: [0] }
    expect(readAnswerText(given)).toEqual({ text: 'one two ', endedAt: used - 1 })
    expect(readAnswerText({ ...given, stop: [] })).toEqual({ text, endedAt: null })
    expect(readAnswerText({ ...given, stop: [], tokens: [...tokens, 0] })).toEqual({ text, endedAt: tokens.length })
  })

  test('streamed pieces join to what the reader reads when the text is long', () => {
    const text = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8').slice(0, 6_000)
    const { pieces, used, of } = stream(text, ['\u0007'])
    expect(used).toBe(of)
    expect(pieces.join('')).toBe(text)
  })
})
