import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import type { Generation } from '@arbor/shared/inference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenedForge, openForge } from '../src/attacks/forge.ts'
import { type OpenedEngine, openEngine, openModel } from '../src/open.ts'
import { request, seedOf, TINY, TINY_INT8 } from './support/models.ts'

let engine: OpenedEngine
let other: OpenedEngine
let forge: OpenedForge
let int8: OpenedEngine
let honest: Generation

beforeAll(async () => {
  engine = await openEngine({ folder: TINY })
  other = await openEngine({ folder: TINY })
  forge = await openForge({ folder: TINY })
  int8 = await openEngine({ folder: TINY_INT8 })
  honest = await engine.generate(request())
})
afterAll(() => Promise.all([engine, other, forge, int8].map((each) => each.close())))

describe('generation', () => {
  test('two engines give the same answer when the request is the same', async () => {
    expect(await other.generate(request())).toEqual(honest)
  })

  test('another process gives the same answer when the request is the same', async () => {
    const script = new URL('./support/generate.ts', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, [script, TINY, JSON.stringify(request())])
    expect(JSON.parse(stdout)).toEqual(honest)
  })

  test('an answer has the demanded length and one proof for each 32 tokens, of a byte a token and 16 at least', async () => {
    expect(honest.tokens).toHaveLength(40)
    expect(honest.finish).toBe('length')
    expect(honest.fingerprint.map((proof) => Buffer.from(proof, 'base64').length)).toEqual([32, 16])
    const toploc = await engine.generate(request({ proof: 'toploc' }))
    expect(toploc.fingerprint.map((proof) => Buffer.from(proof, 'base64').length)).toEqual([258, 258])
    expect({ ...toploc, fingerprint: honest.fingerprint }).toEqual(honest)
  })

  test('answers differ when the seed differs', async () => {
    expect((await engine.generate(request({ seed: seedOf(8) }))).tokens).not.toEqual(honest.tokens)
  })

  test.each([
    0, 1, 2, 3, 4, 5,
  ])('streamed pieces join to the text when the temperature is high and the seed %i', async (byte) => {
    const tokens: number[] = []
    const pieces: string[] = []
    const asked = request({ temperature: 3, seed: seedOf(byte), maxTokens: 120 }) // hot enough to draw stray bytes
    const answer = await engine.generate(asked, {
      onToken: (token, text) => {
        tokens.push(token)
        pieces.push(text)
      },
    })
    expect(tokens).toEqual(answer.tokens)
    expect(pieces.join('')).toBe(answer.text)
    expect((await engine.check(asked, answer)).reason).toBe('ok')
  })

  test('generation stops at the token boundary when the signal aborts', async () => {
    const controller = new AbortController()
    let count = 0
    const onToken = (): void => {
      if (++count === 5) controller.abort()
    }
    await expect(engine.generate(request(), { signal: controller.signal, onToken })).rejects.toMatchObject({
      code: 'ENGINE_ABORTED',
      details: { position: 5 },
    })
    expect(count).toBe(5)
  })

  test('an abort from a message reaches a running generation', async () => {
    const controller = new AbortController()
    const { port1, port2 } = new MessageChannel()
    port1.once('message', () => controller.abort())
    const running = engine.generate(request({ maxTokens: 400 }), { signal: controller.signal })
    port2.postMessage('stop')
    await expect(running).rejects.toMatchObject({ code: 'ENGINE_ABORTED' })
    port1.close()
  })

  test.each([
    [{ maxTokens: 512 }, 'ENGINE_PROMPT_TOO_LONG'],
    [{ prompt: 'a '.repeat(600) }, 'ENGINE_PROMPT_TOO_LONG'],
    [{ prompt: 'a'.repeat(10_000_000) }, 'ENGINE_PROMPT_TOO_LONG'],
    [{ maxTokens: 0 }, 'ENGINE_REQUEST_INVALID'],
    [{ maxTokens: 1.5 }, 'ENGINE_REQUEST_INVALID'],
    [{ temperature: Number.NaN }, 'ENGINE_REQUEST_INVALID'],
    [{ temperature: -1 }, 'ENGINE_REQUEST_INVALID'],
    [{ seed: '0x00' as const }, 'ENGINE_REQUEST_INVALID'],
  ])('a request is refused when it is out of bounds (case %#)', async (change, code) => {
    await expect(engine.generate(request(change))).rejects.toMatchObject({ code })
  })

  test('an empty prompt is answered and checked when it is asked', async () => {
    const asked = request({ prompt: '', maxTokens: 8 })
    expect((await other.check(asked, await engine.generate(asked))).reason).toBe('ok')
  })

  test('an engine refuses when it was closed', async () => {
    const closing = await openEngine({ folder: TINY })
    await closing.close()
    await closing.close()
    await expect(closing.generate(request())).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })
})

describe('check', () => {
  test('an honest answer is believed when another engine checks it', async () => {
    expect(await other.check(request(), honest)).toMatchObject({
      reason: 'ok',
      residueError: 0,
      exponentMismatches: null,
      mantissaError: null,
      marginMean: 0,
      marginMax: 0,
      mismatches: 0,
    })
  })

  test.each([
    1, 2, 3, 31, 32, 33, 64,
  ])('an honest greedy answer is believed when it has %i tokens', async (maxTokens) => {
    const asked = request({ maxTokens, temperature: 0 })
    expect((await other.check(asked, await engine.generate(asked))).reason).toBe('ok')
  })

  test.each([32, 48, 64])('the int8 copy is caught by its fingerprint when it answers %i tokens', async (maxTokens) => {
    for (let byte = 0; byte < 4; byte++) {
      const asked = request({ maxTokens, seed: seedOf(byte) })
      expect((await engine.check(asked, await int8.generate(asked))).reason).toBe('fingerprint')
    }
  })

  test.each([
    ['another seed', { seed: seedOf(8) }, 'sampling'],
    ['greedy choice', { temperature: 0 }, 'sampling'],
    ['a higher temperature', { temperature: 1 }, 'sampling'],
    ['another prompt', { prompt: 'The borrow checker ensures tha' }, 'fingerprint'],
  ])('an answer is caught when it was made with %s', async (_, change, reason) => {
    expect((await engine.check(request(), await engine.generate(request(change)))).reason).toBe(reason)
  })

  test('an answer is caught when one token and its text were replaced', async () => {
    const tokens = honest.tokens.map((token, index) => (index === 20 ? (token === 100 ? 101 : 100) : token))
    const textOnly = await engine.check(request(), { ...honest, tokens })
    expect(textOnly.reason).toBe('text')
    const text = await textOf(tokens)
    expect((await engine.check(request(), { ...honest, tokens, text })).reason).toBe('fingerprint')
  })

  test('an answer is refused as truncated when it is short without an end token', async () => {
    const short = await engine.generate(request({ maxTokens: 20 }))
    expect((await engine.check(request(), short)).reason).toBe('truncated')
    expect((await engine.check(request(), { ...short, finish: 'stop' })).reason).toBe('truncated')
    expect((await engine.check(request(), { ...honest, tokens: [], text: '', fingerprint: [] })).reason).toBe(
      'truncated',
    )
  })

  test('an answer is caught when it ends early with an end token that was not drawn', async () => {
    const cut = await engine.generate(request({ maxTokens: 20 }))
    const tokens = [...cut.tokens.slice(0, 19), 0]
    const text = await textOf(tokens)
    const forged = { ...cut, tokens, text, finish: 'stop' } as const
    expect((await engine.check(request(), forged)).reason).toBe('fingerprint') // the proof is of other tokens
    const fingerprint = await forge.prove(request(), tokens)
    expect((await engine.check(request(), { ...forged, fingerprint })).reason).toBe('sampling')
  })

  test('an honest answer that stops is believed when the end token was drawn', async () => {
    for (let byte = 0; byte < 256; byte++) {
      const asked = request({ prompt: 'License: MIT', temperature: 2.5, seed: seedOf(byte), maxTokens: 80 })
      const answer = await engine.generate(asked)
      if (answer.finish !== 'stop') continue
      expect(answer.tokens.at(-1)).toBe(0)
      expect((await other.check(asked, answer)).reason).toBe('ok')
      return
    }
    expect.unreachable('no seed draws the end token')
  })

  test('an answer is refused as malformed and nothing is thrown when a miner sends anything else', async () => {
    const proofs = honest.fingerprint
    const hostile: unknown[] = [
      null,
      undefined,
      7,
      'answer',
      [],
      {},
      { ...honest, text: 7 },
      { ...honest, finish: 'done' },
      { ...honest, tokens: 'tokens' },
      { ...honest, tokens: honest.tokens.map(String) },
      { ...honest, tokens: [...honest.tokens.slice(0, 39), Number.NaN] },
      { ...honest, tokens: [...honest.tokens.slice(0, 39), 1_024] },
      { ...honest, tokens: [...honest.tokens.slice(0, 39), -1] },
      { ...honest, tokens: [...honest.tokens.slice(0, 39), 1.5] },
      { ...honest, tokens: new Array(40) },
      { ...honest, tokens: new Array(50_000_000) },
      { ...honest, tokens: [0, ...honest.tokens.slice(1)] },
      { ...honest, tokens: [...honest.tokens, 5] },
      { ...honest, fingerprint: 'proof' },
      { ...honest, fingerprint: [] },
      { ...honest, fingerprint: [proofs[0]] },
      { ...honest, fingerprint: [...proofs, ...proofs] },
      { ...honest, fingerprint: new Array(2) },
      { ...honest, fingerprint: [proofs[0], 7] },
      { ...honest, fingerprint: [proofs[0], '!'.repeat(344)] },
      { ...honest, fingerprint: [proofs[0], `${proofs[1]} `] },
      { ...honest, fingerprint: [proofs[0], proofs[1]?.slice(4)] },
      { ...honest, fingerprint: [proofs[1], proofs[0]] },
      { ...honest, fingerprint: [proofs[0], proofs[0]] },
      { ...honest, fingerprint: [proofs[0], 'A'.repeat(50_000_000)] },
      JSON.parse('{"__proto__":null,"tokens":{"length":40}}'),
    ]
    for (const [index, answer] of hostile.entries()) {
      const { reason } = await engine.check(request(), answer as Generation)
      expect({ index, reason }).toEqual({ index, reason: 'malformed' })
    }
    expect((await engine.check(request(), { ...honest, text: `${honest.text} ` })).reason).toBe('text')
  })

  test('checking is refused when the card has no thresholds', async () => {
    await expect(int8.check(request(), honest)).rejects.toMatchObject({ code: 'ENGINE_NOT_CALIBRATED' })
  })
})

/** Decodes tokens with the model's own tokenizer. */
const textOf = async (tokens: readonly number[]): Promise<string> => {
  const model = await openModel({ folder: TINY })
  const text = model.tokenizer.decode(tokens)
  await model.release()
  return text
}
