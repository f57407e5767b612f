import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import type { GenerateRequest, Generation } from '@arbor/shared/inference'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashModelFolder, readModelFolder } from '../src/folder.ts'
import { readIo } from '../src/graph/io.ts'
import { readGraph } from '../src/graph/onnx.ts'
import { prepareGraph } from '../src/graph/prepare.ts'
import { profileOf } from '../src/graph/profile.ts'
import { bufferSource } from '../src/graph/source.ts'
import { type OpenedEngine, openEngine } from '../src/open.ts'
import { openTokenizer } from '../src/tokenizer.ts'
import { request, seedOf, TINY } from './support/models.ts'

const SEED = 20_261_121
const runs = (numRuns: number) => ({ seed: SEED, numRuns })

let engine: OpenedEngine
beforeAll(async () => {
  engine = await openEngine({ folder: TINY })
})
afterAll(() => engine.close())

/** Anything that JSON can carry, and what only a caller in the same process could pass. */
const anything = fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true, withTypedArray: true })

const REASONS = ['malformed', 'truncated', 'fingerprint', 'sampling', 'text']

describe('check', () => {
  test('refuses anything in place of an answer, and never throws', async () => {
    const fields = fc.record(
      { text: anything, tokens: anything, finish: anything, fingerprint: anything },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, fields), async (answer) => {
        const { reason, prefilled } = await engine.check(request(), answer as Generation)
        expect(['malformed', 'truncated', 'text']).toContain(reason)
        expect(prefilled).toBe(0) // nothing was computed for it
      }),
      runs(300),
    )
  })

  test('refuses an answer of the right form with tokens and proofs of chance', async () => {
    const { config, tokenizer: files } = await readModelFolder({ folder: TINY })
    const tokenizer = openTokenizer(files)
    const ids = fc.integer({ min: 0, max: config.vocabulary - 1 }).filter((id) => !config.ends.includes(id))
    const answers = fc.record({
      tokens: fc.array(ids, { minLength: 40, maxLength: 40 }),
      proofs: fc.tuple(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
      ),
    })
    await fc.assert(
      fc.asyncProperty(answers, async ({ tokens, proofs }) => {
        const fingerprint = proofs.map((bytes) => Buffer.from(bytes).toString('base64'))
        const answer: Generation = { text: tokenizer.decode(tokens), tokens, finish: 'length', fingerprint }
        expect(REASONS).toContain((await engine.check(request(), answer)).reason)
      }),
      runs(40),
    )
  })

  test('refuses an honest answer with one thing changed', async () => {
    const honest = await engine.generate(request())
    expect((await engine.check(request(), honest)).reason).toBe('ok')
    const place = fc.nat({ max: honest.tokens.length - 1 })
    const change = fc.oneof(
      fc.tuple(place, fc.nat({ max: 1_023 })).map(([index, id]) => ({ tokens: honest.tokens.with(index, id) })),
      place.map((length) => ({ tokens: honest.tokens.slice(0, length) })),
      fc.string({ unit: 'binary' }).map((text) => ({ text })),
      fc
        .tuple(fc.nat({ max: 1 }), fc.string())
        .map(([index, proof]) => ({ fingerprint: honest.fingerprint.with(index, proof) })),
      fc.array(fc.base64String()).map((fingerprint) => ({ fingerprint })),
      fc.constantFrom({ finish: 'stop' as const }, { fingerprint: honest.fingerprint.toReversed() }),
    )
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        const answer = { ...honest, ...changed }
        fc.pre(JSON.stringify(answer) !== JSON.stringify(honest))
        expect(REASONS).toContain((await engine.check(request(), answer)).reason)
      }),
      runs(80),
    )
  })

  test('measures a share that anyone may draw, and refuses none for it', async () => {
    const honest = await engine.generate(request())
    const shares = fc.record(
      {
        draw: fc.nat({ max: 255 }).map(seedOf),
        chunks: fc.integer({ min: 1, max: 9 }),
        positions: fc.integer({ min: 1, max: 99 }),
      },
      { requiredKeys: ['draw'] },
    )
    await fc.assert(
      fc.asyncProperty(shares, async (share) => {
        expect((await engine.check(request(), honest, share)).reason).toBe('ok')
      }),
      runs(40),
    )
  })
})

test('a request of any fields is answered, or refused by its code, by generate and by check alike', async () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1, Number.NaN, 1e308, -1))
  const message = fc.record({
    role: fc.constantFrom('user', 'system', 'assistant', 'x'),
    content: fc.string({ unit: 'binary' }),
  })
  const requests = fc.record(
    {
      prompt: fc.oneof(fc.string({ unit: 'binary' }), fc.array(message, { maxLength: 4 }), anything),
      maxTokens: fc.oneof(fc.integer({ min: 1, max: 3 }), number),
      temperature: fc.oneof(fc.constantFrom(0, 0.8), number, anything),
      topK: fc.oneof(fc.constant(undefined), number),
      topP: fc.oneof(fc.constant(undefined), fc.constantFrom(0.5, 1), number),
      stop: fc.oneof(fc.constant(undefined), fc.array(fc.string(), { maxLength: 3 }), anything),
      seed: fc.oneof(fc.constant(seedOf(1)), fc.string(), anything),
      binding: fc.oneof(fc.constantFrom(undefined, seedOf(2)), fc.string()),
      proof: fc.oneof(fc.constantFrom(undefined, 'residue', 'toploc', 'none'), fc.string()),
    },
    { requiredKeys: [] },
  )
  const plain = { temperature: 0.8, prompt: 'fn', seed: seedOf(1), maxTokens: 2 }
  const fields = ['prompt', 'maxTokens', 'temperature', 'topK', 'topP', 'stop', 'seed', 'binding', 'proof'] as const
  const near = fc
    .tuple(requests, fc.subarray([...fields], { maxLength: 3 }))
    .map(([odd, changed]) => ({ ...plain, ...Object.fromEntries(changed.map((key) => [key, odd[key]])) }))
  let answered = 0
  await fc.assert(
    fc.asyncProperty(near, async (odd) => {
      fc.pre(!(Number.isSafeInteger(odd.maxTokens) && (odd.maxTokens ?? 0) > 3)) // long answers cost time and tell no more
      const asked = odd as unknown as GenerateRequest
      try {
        const answer = await engine.generate(asked)
        answered += 1
        expect((await engine.check(asked, answer)).reason).toBe('ok')
      } catch (error) {
        expect(error).toBeInstanceOf(SubnetError)
        const { code } = error as SubnetError
        expect(code).toMatch(/^ENGINE_(REQUEST_INVALID|PROMPT_TOO_LONG|NO_CHAT|CHAT_REFUSED)$/)
        await expect(engine.check(asked, {} as Generation)).rejects.toMatchObject({ code })
      }
    }),
    runs(250),
  )
  expect(answered).toBeGreaterThan(10)
})

describe('a model folder whose card lists what is in it', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'arbor-fuzz-'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const changed = async (name: string, content: string | Uint8Array): Promise<string> => {
    const folder = join(root, 'model')
    rmSync(folder, { recursive: true, force: true })
    cpSync(TINY, folder, { recursive: true })
    writeFileSync(join(folder, name), content)
    if (name === 'card.json') return folder
    const path = join(folder, 'card.json')
    const hash = (await hashModelFolder(folder)).slice(2)
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), hash }))
    return folder
  }

  const NAMES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'card.json'] as const
  const value = fc.jsonValue({ maxDepth: 2 })

  test('and in one of its JSON files another value is read, or refused by its code', async () => {
    const edits = fc.record({ name: fc.constantFrom(...NAMES), depth: fc.nat({ max: 2 }), which: fc.nat(), value })
    await fc.assert(
      fc.asyncProperty(edits, async ({ name, ...edit }) => {
        const json: unknown = JSON.parse(readFileSync(join(TINY, name), 'utf8'))
        const folder = await changed(name, JSON.stringify(edited(json, edit)))
        await readOrRefuse(async () => {
          const read = await readModelFolder({ folder })
          const tokenizer = openTokenizer(read.tokenizer)
          tokenizer.decode(tokenizer.encode('fn main() {}'))
          if (tokenizer.chats) tokenizer.encodeChat([{ role: 'user', content: 'hello' }])
        })
      }),
      runs(40),
    )
  })

  test('and one of its files is noise, which is refused by its code', async () => {
    const noise = fc.record({ name: fc.constantFrom(...NAMES, 'model.onnx'), bytes: fc.uint8Array({ maxLength: 400 }) })
    await fc.assert(
      fc.asyncProperty(noise, async ({ name, bytes }) => {
        const folder = await changed(name, bytes)
        await expect(readModelFolder({ folder })).rejects.toBeInstanceOf(SubnetError)
      }),
      runs(20),
    )
  })
})

test('a graph with bytes changed, lost or repeated is read, or refused by its code', () => {
  const whole = readFileSync(join(TINY, 'model.onnx'))
  const start = 0.02 * whole.length // names, types and shapes lie at both ends, weights between
  const place = fc.oneof(
    fc.nat({ max: Math.floor(start) }),
    fc.nat({ max: Math.floor(start) }).map((from) => whole.length - 1 - from),
  )
  const edit = fc.record({ place, byte: fc.nat({ max: 255 }), kind: fc.constantFrom('set', 'cut', 'drop', 'repeat') })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes = whole
      for (const { place: at, byte, kind } of edits) {
        if (kind === 'set') bytes = Buffer.from(bytes.with(at % bytes.length, byte))
        else if (kind === 'cut') bytes = bytes.subarray(0, Math.max(1, at))
        else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (byte % 9))])
        else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - byte))])
      }
      expectCoded(() => {
        const graph = readGraph(bufferSource(bytes))
        readIo(graph)
        profileOf(graph)
        prepareGraph(graph)
      })
    }),
    runs(120),
  )
})

interface Edit {
  readonly depth: number
  readonly which: number
  readonly value: unknown
}

/** Replaces one value of a JSON document, some levels down. */
const edited = (json: unknown, { depth, which, value }: Edit): unknown => {
  if (typeof json !== 'object' || json === null) return value
  const keys = Object.keys(json)
  const key = keys[which % Math.max(1, keys.length)]
  if (key === undefined) return value
  const inner = depth === 0 ? value : edited(Reflect.get(json, key), { depth: depth - 1, which, value })
  return Array.isArray(json) ? json.with(Number(key), inner) : { ...json, [key]: inner }
}

const isCoded = (error: unknown): void => {
  if (!(error instanceof SubnetError)) throw error
  expect(error.code).toMatch(/^(MODEL|ENGINE)_/)
}

const readOrRefuse = async (read: () => Promise<void>): Promise<void> => {
  try {
    await read()
  } catch (error) {
    isCoded(error)
  }
}

const expectCoded = (read: () => void): void => {
  try {
    read()
  } catch (error) {
    isCoded(error)
  }
}
