import type { CheckShare, GenerateRequest, Generation, ProofKind } from '@arbor/shared/inference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenedForge, openForge } from '../src/attacks/forge.ts'
import { check } from '../src/check.ts'
import { type OpenedModel, openModel } from '../src/open.ts'
import { prepareRequest } from '../src/request.ts'
import { findThresholds } from '../src/thresholds.ts'
import { request as requestOf, seedOf, TINY, TINY_INT8 } from './support/models.ts'

let honest: OpenedForge
let cheap: OpenedForge
let model: OpenedModel

beforeAll(async () => {
  honest = await openForge({ folder: TINY })
  model = await openModel({ folder: TINY })
  cheap = await openForge({ folder: TINY_INT8, claims: honest.model })
})
afterAll(async () => {
  await Promise.all([honest, cheap].map((each) => each.close()))
  await model.release()
})

const BINDING = seedOf(0xb1)
const request = (change: Partial<GenerateRequest> = {}): GenerateRequest => requestOf({ binding: BINDING, ...change })
const reasonOf = async (asked: GenerateRequest, answer: unknown, share?: CheckShare): Promise<string> =>
  (await honest.check(asked, answer as Generation, share)).reason
/** Checks with a decoder whose outputs are changed on the way. */
const checkOver = (asked: GenerateRequest, answer: Generation, change: (logits: Float32Array) => void) => {
  const prepared = prepareRequest({ request: asked, ...model })
  const about = { profile: 'fp32', provider: 'cpu', proof: prepared.proof } as const
  const thresholds = findThresholds(model.folder.card.thresholds, about)
  if (thresholds === undefined) return expect.unreachable('the tiny model is calibrated')
  const decoder: typeof model.decoder = {
    ...model.decoder,
    prefill: async (tokens, rows) => {
      const outputs = await model.decoder.prefill(tokens, rows)
      change(outputs.logits)
      return outputs
    },
  }
  return check({ ...model, decoder, model: honest.model, thresholds }, prepared, answer)
}

describe('check', () => {
  test.each<[string, Partial<GenerateRequest>]>([
    ['drawn from all tokens', {}],
    ['drawn under top-k', { topK: 12 }],
    ['drawn under top-p', { topP: 0.7, temperature: 1.4 }],
    ['greedy', { temperature: 0 }],
    ['proved by toploc', { proof: 'toploc' }],
    ['greedy and without a proof', { temperature: 0, proof: 'none' }],
    ['of one token', { maxTokens: 1 }],
    ['longer than a prefill', { maxTokens: 480 }],
  ])('an honest answer is believed when it is %s', async (_, change) => {
    const asked = request(change)
    expect(await reasonOf(asked, await honest.generate(asked))).toBe('ok')
  })

  test('tokens of the int8 copy are caught in one answer although the honest model proved them', async () => {
    for (let byte = 0; byte < 12; byte++) {
      const asked = request({ seed: seedOf(byte), maxTokens: 48 })
      const answer = await cheap.generate(asked)
      const fingerprint = await honest.prove(asked, answer.tokens)
      const { reason, residueError, mismatches } = await honest.check(asked, { ...answer, fingerprint })
      expect({ byte, reason, residueError }).toEqual({ byte, reason: 'sampling', residueError: 0 })
      expect(mismatches).toBeGreaterThan(4)
    }
  })

  test.each<[string, Partial<GenerateRequest>]>([
    ['another binding', { binding: seedOf(0xb2) }],
    ['no binding', { binding: undefined }],
    ['another seed', { seed: seedOf(9) }],
  ])('an answer is caught when it was made under %s', async (_, change) => {
    for (const proof of ['residue', 'toploc'] as const) {
      const answer = await honest.generate(request({ ...change, proof }))
      expect(await reasonOf(request({ proof }), answer)).not.toBe('ok')
    }
  })

  test.each<[string, (proofs: readonly string[]) => string[]]>([
    ['zeros', (proofs) => proofs.map((proof) => Buffer.alloc(Buffer.from(proof, 'base64').length).toString('base64'))],
    [
      'the proof of another chunk',
      ([first = '', second = '']) => [
        Buffer.concat([Buffer.from(second, 'base64'), Buffer.from(second, 'base64')]).toString('base64'),
        second === first ? '' : second,
      ],
    ],
    [
      'a proof with every byte moved by one',
      (proofs) =>
        proofs.map((proof) => Buffer.from(Buffer.from(proof, 'base64').map((byte) => byte + 1)).toString('base64')),
    ],
  ])('an answer is caught when its proof is %s', async (_, forge) => {
    const answer = await honest.generate(request())
    expect(await reasonOf(request(), { ...answer, fingerprint: forge(answer.fingerprint) })).toBe('fingerprint')
  })

  test.each<[ProofKind, ProofKind]>([
    ['residue', 'toploc'],
    ['toploc', 'residue'],
    ['none', 'residue'],
    ['residue', 'none'],
  ])('an answer with proofs of kind %s is malformed when %s is due', async (given, due) => {
    const answer = await honest.generate(request({ temperature: 0, proof: given }))
    expect(await reasonOf(request({ temperature: 0, proof: due }), answer)).toBe('malformed')
  })

  test('temperature without a proof is refused', async () => {
    await expect(honest.generate(request({ proof: 'none' }))).rejects.toMatchObject({ code: 'ENGINE_REQUEST_INVALID' })
  })

  test("this side's broken model is an error of this side, and no verdict", async () => {
    const answer = await honest.generate(request())
    const breaking = checkOver(request(), answer, (logits) => logits.fill(Number.NaN))
    await expect(breaking).rejects.toMatchObject({ code: 'ENGINE_BAD_LOGITS' })
  })

  test('rounding noise of another machine is tolerated, and that of other weights is not', async () => {
    const asked = request({ maxTokens: 200 })
    const answer = await honest.generate(asked)
    const noisy = (size: number) =>
      checkOver(asked, answer, (logits) => {
        for (const [index, logit] of logits.entries()) logits[index] = logit + size * Math.sin(index * 12.9898)
      })
    expect((await noisy(1e-5))?.reason).toBe('ok')
    expect((await noisy(1e-4))?.reason).toBe('ok')
    expect((await noisy(0.03))?.reason).toBe('sampling')
  })
})

describe('an answer without a proof', () => {
  const asked = request({ temperature: 0, proof: 'none', maxTokens: 40 })
  const pieces = (tokens: readonly number[], at: number): readonly number[] => {
    const { encode, decode } = model.tokenizer
    return [...decode(tokens.slice(at, at + 1))].flatMap((character) => encode(character))
  }

  test('is believed when its text has other tokens than the model draws', async () => {
    const free = await honest.generate(asked)
    const here = { ...asked, stop: [free.text.slice(-6, -3)] } // shorter than maxTokens, so that more tokens still fit
    const answer = await honest.generate(here)
    const places = answer.tokens.slice(0, -3).flatMap((_, at) => (pieces(answer.tokens, at).length === 2 ? [at] : []))
    expect(places.length).toBeGreaterThan(0)
    for (const at of places.slice(0, 3)) {
      const tokens = [...answer.tokens.slice(0, at), ...pieces(answer.tokens, at), ...answer.tokens.slice(at + 1)]
      const { reason, marginMax } = await honest.check(here, { ...answer, tokens })
      expect({ at, reason, marginMax }).toEqual({ at, reason: 'ok', marginMax: 0 })
      const proved = await honest.check(
        { ...here, proof: 'residue' },
        { ...answer, tokens, fingerprint: await honest.prove({ ...here, proof: 'residue' }, tokens) },
      )
      expect(proved.reason).toBe('sampling') // where ids are at hand they have to be the drawn ones
    }
  })

  test('is believed when other tokens than the model draws lie outside the part that is looked at', async () => {
    const { tokens: drawn } = await honest.generate({ ...asked, maxTokens: 39 })
    const at = drawn.findIndex((_, place) => place >= 32 && pieces(drawn, place).length === 2)
    expect(at).toBeGreaterThanOrEqual(32)
    const own = [...drawn.slice(0, at), ...pieces(drawn, at), ...drawn.slice(at + 1)] // 40 tokens, of which the text makes 39
    const prepared = prepareRequest({ request: asked, ...model })
    const { length } = prepared.prompt
    const prefill: typeof model.decoder.prefill = async (tokens, rows = []) => {
      const outputs = await model.decoder.prefill(tokens, rows)
      for (const [index, row] of rows.entries()) {
        const seen = tokens.slice(length, row + 1)
        const isOwn = seen.every((token, place) => token === own[place])
        outputs.logits[index * outputs.vocabulary + ((isOwn ? own : drawn)[seen.length] ?? 0)] = 1e3
      }
      return outputs
    }
    const limits = findThresholds(model.folder.card.thresholds, { profile: 'fp32', provider: 'cpu', proof: 'none' })
    if (limits === undefined) return expect.unreachable('the tiny model is calibrated')
    const deps = { ...model, decoder: { ...model.decoder, prefill }, model: honest.model, thresholds: limits }
    const answer = { text: model.tokenizer.decode(drawn), tokens: drawn, finish: 'length', fingerprint: [] }
    const reasons = async (share?: CheckShare) => (await check(deps, prepared, answer, share)).reason
    expect(await reasons()).toBe('ok')
    for (let draw = 0; draw < 4; draw++) expect(await reasons({ draw: seedOf(draw), chunks: 1 })).toBe('ok')
  })

  test('is caught when a word was replaced, and truncated when its last words are missing', async () => {
    const answer = await honest.generate(asked)
    const tokens = answer.tokens.map((token, position) => (position === 20 ? 2 + ((token + 17) % 900) : token))
    expect(await reasonOf(asked, honest.assemble(asked, { ...answer, tokens }))).toBe('sampling')
    const short = answer.tokens.slice(0, 38)
    expect(await reasonOf(asked, { ...answer, tokens: short, text: model.tokenizer.decode(short) })).toBe('truncated')
    const shorter = answer.tokens.slice(0, 20)
    expect(await reasonOf(asked, { ...answer, tokens: shorter, text: model.tokenizer.decode(shorter) })).toBe(
      'truncated',
    )
  })
})

describe('stop texts', () => {
  const open = { maxTokens: 60, seed: seedOf(21) }
  let stop = ''
  let free: Generation
  beforeAll(async () => {
    free = await honest.generate(request(open))
    stop = free.text.slice(30, 33)
  })

  test('an honest answer is believed when a stop text ended it, and shows none of it', async () => {
    const asked = request({ ...open, stop: [stop] })
    const answer = await honest.generate(asked)
    expect(answer).toMatchObject({ finish: 'stop' })
    expect(answer.tokens.length).toBeLessThan(60)
    expect(answer.text).not.toContain(stop)
    expect(await reasonOf(asked, answer)).toBe('ok')
  })

  test('an answer is caught when it goes on after a stop text, ends before it, or shows it', async () => {
    const asked = request({ ...open, stop: [stop] })
    const answer = await honest.generate(asked)
    expect(await reasonOf(asked, free)).toBe('malformed')
    const tokens = answer.tokens.slice(0, -1)
    const short = honest.assemble(asked, { ...answer, tokens, fingerprint: await honest.prove(asked, tokens) })
    expect(await reasonOf(asked, short)).toBe('truncated')
    expect(await reasonOf(asked, { ...answer, text: answer.text + stop })).toBe('text')
    expect(await reasonOf(asked, { ...answer, finish: 'length' })).toBe('malformed')
  })
})

describe('share of an answer', () => {
  const asked = requestOf({ binding: BINDING, maxTokens: 200, seed: seedOf(4) })
  let answer: Generation
  let spoilt: Generation // honest until token 120, then the cheap copy's, with the honest model's proof
  beforeAll(async () => {
    answer = await honest.generate(asked)
    const tokens = answer.tokens.map((token, position) => (position < 120 ? token : 2 + ((token + 7 * position) % 900)))
    spoilt = honest.assemble(asked, { ...answer, tokens, fingerprint: await honest.prove(asked, tokens) })
  })
  const draws = Array.from({ length: 24 }, (_, byte) => seedOf(byte))

  test('the prefill is as long as the last chosen chunk wants, and honest answers pass every draw', async () => {
    const whole = (await honest.check(asked, answer)).prefilled
    const shares = await Promise.all(
      draws.map((draw) => honest.check(asked, answer, { draw, chunks: 1, positions: 8 })),
    )
    expect(shares.every(({ reason }) => reason === 'ok')).toBe(true)
    expect(Math.max(...shares.map(({ prefilled }) => prefilled))).toBe(whole)
    expect(Math.min(...shares.map(({ prefilled }) => prefilled))).toBe(whole - 168)
  })

  test('a cheat in the second half is found by draws that reach it, and only by those', async () => {
    const whole = (await honest.check(asked, spoilt)).prefilled
    for (const draw of draws) {
      const { reason, prefilled } = await honest.check(asked, spoilt, { draw, chunks: 1 })
      expect(reason).toBe(prefilled > whole - 200 + 128 ? 'sampling' : prefilled > whole - 200 + 96 ? reason : 'ok')
    }
    expect((await honest.check(asked, spoilt)).reason).toBe('sampling')
  })

  test('an explanation has the same verdict, each chunk and each position, and what was due', async () => {
    const share = { draw: seedOf(3), chunks: 2, positions: 12 }
    const told = await honest.explain(asked, answer, share)
    expect(told.check).toEqual(await honest.check(asked, answer, share))
    expect(told.positions.length).toBeGreaterThanOrEqual(12)
    expect(told.positions.every(({ token, drawn, margin }) => token === drawn && margin === 0)).toBe(true)
    expect(told.chunks.map(({ chunk }) => chunk)).toEqual(told.chunks.map((_, index) => index))
    const wrong = await honest.explain(asked, spoilt)
    expect(wrong.positions.filter(({ token, drawn }) => token !== drawn)[0]?.position).toBe(120)
    expect((await honest.explain(asked, { ...answer, tokens: [] })).check.reason).toBe('truncated')
  })
})
