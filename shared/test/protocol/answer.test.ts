import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnswerFields,
  answerBytes,
  openAnswer,
  readAnswer,
  verifyAnswer,
  writeAnswer,
} from '../../src/protocol/answer.ts'
import { encodeCanonical, type Field } from '../../src/protocol/canonical.ts'
import { refusalBody } from '../../src/protocol/refusal.ts'
import { readToken, writeToken } from '../../src/protocol/token.ts'
import { alice, askOf, bob, codeOf, flip, NOW, open, pairOf } from './support.ts'

const ask = await open({ signer: alice, purpose: 'ask' })
const serve = await open({ signer: bob, purpose: 'serve' })
const other = await open({ signer: bob, purpose: 'serve' })
const { hash: requestHash } = askOf(ask, serve)
const body = Buffer.from('{"text":"b"}')
const base = {
  session: serve,
  requestHash,
  status: 200,
  contentType: 'application/json',
  body,
  answeredAt: NOW,
  seal: null,
}
const sealed = { keys: pairOf(serve, ask), counter: 1 }
const opening = { keys: pairOf(ask, serve), counter: 1 }

const judge = (
  written: { readonly envelope: string; readonly body: Uint8Array },
  of: Partial<Parameters<typeof verifyAnswer>[1]> = {},
): string => {
  const read = readAnswer(written.envelope)
  if (read === null) return 'malformed'
  return codeOf(
    verifyAnswer(read, { certificate: serve.certificate, requestHash, status: 200, body: written.body, ...of }),
  )
}

describe('answer', () => {
  test.each([
    ['open', null],
    ['sealed', sealed],
  ])('is believed and opened as the miner gave it, %s', (_, seal) => {
    const written = writeAnswer({ ...base, seal })
    expect(judge(written)).toBe('ok')
    const read = readAnswer(written.envelope)
    if (read === null) throw new Error('malformed')
    const opened = openAnswer(read, { body: written.body, seal: seal === null ? null : opening })
    expect(opened.ok && Buffer.from(opened.body)).toEqual(body)
  })

  test.each([
    ['another request', { requestHash: new Uint8Array(32) }, 'request'],
    ['another status', { status: 201 }, 'status'],
    ['another body', { body: Buffer.from('{"text":"c"}') }, 'body'],
    ['a body cut off', { body: body.subarray(1) }, 'body'],
    ['another session', { certificate: other.certificate }, 'session'],
  ])('is not believed for %s', (_, of, fault) => {
    expect(judge(writeAnswer(base), of)).toBe(fault)
  })

  test('is not believed when another session signed it in its name', () => {
    const fields: AnswerFields = {
      session: serve.id,
      requestHash,
      status: 200,
      contentType: 'application/json',
      bodyLength: body.length,
      bodyHash: createHash('sha256').update(body).digest(),
      answeredAt: NOW,
    }
    const payload = answerBytes(fields)
    for (const proof of [other.sign(payload), ask.sign(payload), new Uint8Array(64)])
      expect(judge({ envelope: writeToken(payload, proof), body })).toBe('signature')
    for (const proof of [new Uint8Array(63), pairOf(ask, serve).mac(payload)])
      expect(judge({ envelope: writeToken(payload, proof), body })).toBe('malformed')
  })

  test('is malformed with another domain, count or type', () => {
    const token = readToken(writeAnswer(base).envelope)
    if (token === null) throw new Error('malformed')
    const good: readonly Field[] = [
      'arbor/answer/2',
      serve.id,
      requestHash,
      200,
      'application/json',
      12,
      new Uint8Array(32),
      NOW,
    ]
    const cases = [
      [0, 'arbor/answer/1'],
      [0, 'arbor/end/2'],
      [1, new Uint8Array(15)],
      [2, null],
      [3, 600],
      [3, '200'],
      [4, null],
      [5, '12'],
      [6, new Uint8Array(31)],
      [7, null],
    ] as const
    for (const [index, value] of cases) {
      const payload = encodeCanonical(good.with(index, value))
      expect(readAnswer(writeToken(payload, token.proof)), String(index)).toBeNull()
    }
    expect(readAnswer(writeToken(encodeCanonical([...good, 1]), token.proof))).toBeNull()
    for (const text of ['', '.', 'x', `${writeAnswer(base).envelope}A`]) expect(readAnswer(text)).toBeNull()
  })

  test('has no bit that its signature does not cover', () => {
    const written = writeAnswer({ ...base, seal: sealed })
    const token = readToken(written.envelope)
    if (token === null) throw new Error('malformed')
    const { payload, proof } = token
    const bits = (payload.length + 64 + written.body.length) * 8
    fc.assert(
      fc.property(fc.nat(bits - 1), (bit) => {
        const inProof = bit - payload.length * 8
        const inBody = inProof - 64 * 8
        if (inBody >= 0) return judge({ ...written, body: flip(written.body, inBody) }) === 'body'
        const envelope =
          inProof >= 0 ? writeToken(payload, flip(proof, inProof)) : writeToken(flip(payload, bit), proof)
        return judge({ ...written, envelope }) !== 'ok'
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('must be sealed when the question was, but for refusals', () => {
    const plain = readAnswer(writeAnswer(base).envelope)
    const busy = refusalBody('MINER_BUSY')
    const refusal = readAnswer(writeAnswer({ ...base, status: 503, body: busy }).envelope)
    if (plain === null || refusal === null) throw new Error('malformed')
    expect(codeOf(openAnswer(plain, { body, seal: opening }))).toBe('seal')
    expect(codeOf(openAnswer(refusal, { body: busy, seal: opening }))).toBe('ok')
  })

  test('does not open with other keys, another counter or none', () => {
    const written = writeAnswer({ ...base, seal: sealed })
    const read = readAnswer(written.envelope)
    if (read === null) throw new Error('malformed')
    for (const seal of [null, { ...opening, counter: 2 }, { keys: pairOf(ask, other), counter: 1 }])
      expect(codeOf(openAnswer(read, { body: written.body, seal }))).toBe('seal')
  })
})
