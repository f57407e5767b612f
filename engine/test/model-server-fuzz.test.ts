import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logprobs, plain, tokenIds } from '../src/backends/openai/completions.ts'
import type { Dialect } from '../src/backends/openai/dialect.ts'
import { readEvents } from '../src/backends/openai/events.ts'
import { withGap } from '../src/backends/openai/gap.ts'
import { llamaCpp, sglang, tgi } from '../src/backends/openai/native.ts'
import { openRetokeniser } from '../src/backends/openai/retokenise.ts'
import { refusal } from '../src/backends/openai/wire-errors.ts'
import { readModelFolder } from '../src/folder.ts'
import { openTokenizer } from '../src/tokenizer.ts'
import { TINY } from './support/models.ts'

const runs = (numRuns: number) => ({ seed: 20_261_121, numRuns })
const { tokenizer: files } = await readModelFolder({ folder: TINY })
const tokenizer = openTokenizer(files)

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield bytes.subarray(start, start + size)
    start += size
  }
}

const all = async (bytes: Uint8Array, sizes: readonly number[], most = 10_000): Promise<(string | null)[]> => {
  const events: (string | null)[] = []
  for await (const event of readEvents(inPieces(bytes, sizes), most)) events.push(event)
  return events
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
const lines = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => JSON.stringify({ text })))

describe('events', () => {
  test('are the same however their bytes are split, and whatever ends their lines', async () => {
    const ends = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(lines, sizes, ends, fc.boolean(), async (sent, split, end, whole) => {
        const text = sent.map((line) => `: ping${end}data: ${line}${end}${end}`).join('')
        const bytes = Buffer.from(whole ? text : text.trimEnd())
        expect(await all(bytes, split)).toEqual(sent)
      }),
      runs(100),
    )
  })

  test('of any bytes never fail, and stay within their bound', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(`data: ${text}\n\n`)),
    )
    await fc.assert(
      fc.asyncProperty(noise, sizes, async (bytes, split) => {
        const events = await all(bytes, split, 100)
        expect(events.every((event) => event === null || event.length <= 700)).toBe(true)
      }),
      runs(80),
    )
  })
})

const DIALECTS: readonly Dialect[] = [
  tokenIds,
  logprobs,
  llamaCpp,
  sglang,
  tgi,
  plain({ prompt: 'text', strict: true }),
]

test.each(
  DIALECTS.map((dialect) => [dialect.name, dialect] as const),
)('an event of any fields in the way of %s means something well-formed, or nothing', (_name, { open }) => {
  const any = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('stop', 'length', [], {}, 0, -1, 1e300))
  const choice = fc.record(
    {
      text: any,
      token_ids: any,
      finish_reason: any,
      logprobs: fc.oneof(any, fc.record({ tokens: any, content: any })),
      stop_reason: any,
    },
    { requiredKeys: [] },
  )
  const event = fc.record(
    {
      choices: fc.oneof(any, fc.array(choice, { maxLength: 2 })),
      usage: any,
      content: any,
      tokens: any,
      stop: fc.oneof(any, fc.boolean()),
      tokens_predicted: any,
      text: any,
      output_ids: any,
      meta_info: fc.oneof(any, fc.record({ completion_tokens: fc.nat(), finish_reason: any })),
      token: any,
      details: any,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), (events) => {
      const read = open()
      for (const each of events) {
        const piece = read(each)
        if (piece === null) continue
        expect(typeof piece.text).toBe('string')
        expect([null, 'stop', 'length']).toContain(piece.finish)
        expect(piece.tokens === null || Array.isArray(piece.tokens)).toBe(true)
        for (const count of [piece.promptTokens, piece.total, piece.stopToken]) {
          expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true)
        }
        expect(Array.isArray(withGap(tokenizer, piece, 0))).toBe(true)
      }
    }),
    runs(200),
  )
})

test('text in pieces becomes the tokens of the whole', () => {
  const words = fc.oneof(
    fc.constantFrom('the', 'borrow', 'checker', ' ', '  ', '\n', '`String`', 'a', '—', 'naïve', "don't"),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 40 }), fc.boolean(), (parts, spaced) => {
      const text = parts.join(spaced ? ' ' : '')
      const retokeniser = openRetokeniser(tokenizer)
      const tokens = parts.flatMap((part, index) => retokeniser.push(index > 0 && spaced ? ` ${part}` : part))
      expect([...tokens, ...retokeniser.end()]).toEqual(tokenizer.encode(text))
    }),
    runs(200),
  )
})

test('a refusal shows no six characters of the key in a row, and none that a terminal obeys', () => {
  const key = 'sk-proj-4f9A0bQzT7Lm'
  const server = { url: new URL('http://127.0.0.1/v1/'), key } as Parameters<typeof refusal>[0]
  const part = fc
    .tuple(fc.nat({ max: key.length }), fc.nat({ max: key.length }))
    .map(([from, to]) => key.slice(from, to))
  const said = fc
    .tuple(fc.string({ unit: 'binary' }), part, fc.string({ unit: 'binary' }))
    .map((parts) => parts.join(''))
  const bodies = fc.oneof(
    said,
    said.map((message) => JSON.stringify({ error: { message } })),
    said.map((detail) => JSON.stringify({ detail: [{ msg: detail }] })),
    fc.json(),
  )
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), bodies, (status, body) => {
      const { message, details } = refusal(server, status, body)
      expect(message).not.toMatch(/\p{Cc}/u)
      expect(message.length).toBeLessThan(500)
      for (let start = 0; start + 6 <= key.length; start++) {
        expect(`${message}${JSON.stringify(details)}`).not.toContain(key.slice(start, start + 6))
      }
    }),
    runs(300),
  )
})
