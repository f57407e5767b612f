import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/hex.ts'
import { keypairFromSeed } from '../../src/keys.ts'
import { answerBytes, openAnswer, readAnswer, verifyAnswer } from '../../src/protocol/answer.ts'
import { readCertificate, verifyCertificate } from '../../src/protocol/certificate.ts'
import { judgeProof, openBody } from '../../src/protocol/judge.ts'
import { readRequest, requestBytes, writeRequest } from '../../src/protocol/request.ts'
import { openSession, type Session } from '../../src/protocol/session.ts'
import { createStreamReader, createStreamWriter, endBytes, verifyEnd } from '../../src/protocol/stream.ts'
import { encodeSs58 } from '../../src/ss58.ts'
import type { Hex } from '../../src/units.ts'
import { pairOf } from './support.ts'

type Fields = Readonly<Record<string, never>>
interface Vectors {
  readonly sessions: readonly (Fields &
    Record<'hotkeySeed' | 'signSecret' | 'sealSecret' | 'payload' | 'id' | 'text', Hex>)[]
  readonly pairs: readonly (Fields & { readonly ask: number; readonly serve: number } & Record<'shared', Hex>)[]
  readonly requests: readonly (Fields & Record<'question' | 'body' | 'payload' | 'hash' | 'envelope', Hex>)[]
  readonly answers: readonly (Fields & { readonly request: number; readonly status: number } & Record<
      'answer' | 'body' | 'payload' | 'envelope',
      Hex
    >)[]
  readonly streams: readonly (Fields & { readonly request: number; readonly opened: readonly Hex[] } & Record<
      'body' | 'payload' | 'requestHash',
      Hex
    >)[]
}

/** Made by scripts/protocol-vectors.py with other libraries. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/protocol/v2.json', import.meta.url), 'utf8'),
) as Vectors
const bytes = (hex: Hex): Uint8Array => fromHex(hex)
/** Byte strings of a case as bytes, everything else as it is. */
const fieldsOf = (of: Fields): never =>
  Object.fromEntries(
    Object.entries(of).map(([name, value]) => [
      name,
      typeof value === 'string' && /^0x/.test(value) ? fromHex(value) : value,
    ]),
  ) as never
const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items[index]
  if (item === undefined) throw new Error(`no case ${index}`)
  return item
}

/** Opens the session of a case again, from its secrets; only the hotkey's signature differs. */
const reopen = (index: number): Promise<Session> => {
  const of = at(vectors.sessions, index)
  const fields: {
    purpose: 'ask' | 'serve'
    genesisHash: Uint8Array
    netuid: never
    registeredAt: never
    audience: Uint8Array | null
    issuedAt: number
    expiresAt: number
  } = fieldsOf(of)
  const secrets = [bytes(of.signSecret), bytes(of.sealSecret)]
  return openSession({
    ...fields,
    signer: keypairFromSeed(bytes(of.hotkeySeed)),
    audience: fields.audience === null ? null : encodeSs58(fields.audience),
    issuedAt: fields.issuedAt as never,
    lifetimeMs: (fields.expiresAt - fields.issuedAt) as never,
    randomBytes: () => secrets.shift() ?? new Uint8Array(),
  })
}
const sessions = await Promise.all(vectors.sessions.map((_, index) => reopen(index)))
const pairFor = (index: number) => {
  const { ask, serve } = at(vectors.pairs, index)
  return { ask: at(sessions, ask), serve: at(sessions, serve) }
}

test.each(
  vectors.sessions.map((of, index) => ({ of, index })),
)('session $index has the certificate that another implementation wrote', ({ of, index }) => {
  const session = at(sessions, index)
  expect(toHex(session.certificate.payload)).toBe(of.payload)
  expect(toHex(session.id)).toBe(of.id)
  const read = readCertificate(of.text)
  if (!read.ok) throw new Error(read.code)
  expect(verifyCertificate(read.certificate)).toBe(true)
  expect(read.certificate).toMatchObject({
    ...session.certificate,
    ...{ text: of.text, signature: read.certificate.signature, verify: expect.anything() },
  })
})

test.each(
  vectors.pairs,
)('sessions $ask and $serve agree on the secret of another implementation, from both sides', (of) => {
  const { ask, serve } = pairFor(vectors.pairs.indexOf(of))
  for (const secret of [ask.agree(serve.certificate.sealKey), serve.agree(ask.certificate.sealKey)])
    expect(toHex(secret ?? new Uint8Array())).toBe(of.shared)
})

test.each(
  vectors.requests.map((of, index) => ({ of, index })),
)('request $index is read, proven, opened and written as another implementation wrote it', ({ of, index }) => {
  const fields: {
    pair: number
    with: Uint8Array | null
    contentType: string
    proofKind: 'mac' | 'signature'
    counter: number
  } & Parameters<typeof requestBytes>[0] = fieldsOf(of)
  const { ask, serve } = pairFor(fields.pair)
  const read = readRequest(['arbor-envelope', of.envelope, 'content-length', String(fields.bodyLength)])
  if (!read.ok) throw new Error(read.code)
  expect(toHex(read.request.hash)).toBe(of.hash)
  expect(toHex(requestBytes(read.request.fields))).toBe(of.payload)
  expect(requestBytes(fields)).toEqual(read.request.payload)
  const keys = fields.with === null ? null : pairOf(serve, ask)
  expect(judgeProof(read.request, { certificate: ask.certificate, keys })).toEqual({ ok: true })
  const opened = openBody(read.request, { body: bytes(of.body), keys })
  expect(opened.ok && toHex(opened.body)).toBe(of.question)
  const pair = fields.with === null ? null : { serveId: serve.id, keys: pairOf(ask, serve) }
  const isSealed = fields.contentType === 'application/arbor-sealed'
  const written = writeRequest({
    ...fields,
    session: ask,
    pair,
    isSealed,
    proof: fields.proofKind,
    body: bytes(of.question),
  })
  expect({ ...written, body: toHex(written.body), hash: toHex(written.hash) }, `case ${index}`).toMatchObject({
    envelope: of.envelope,
    body: of.body,
    hash: of.hash,
  })
})

test.each(
  vectors.answers.map((of, index) => ({ of, index })),
)('answer $index is believed and opened as another implementation gave it', ({ of }) => {
  const asked: { pair: number; with: Uint8Array | null; counter: number; hash: Uint8Array; contentType: string } =
    fieldsOf(at(vectors.requests, of.request))
  const { ask, serve } = pairFor(asked.pair)
  const read = readAnswer(of.envelope)
  if (read === null) throw new Error('malformed')
  expect(toHex(answerBytes(read.fields))).toBe(of.payload)
  const body = bytes(of.body)
  const verdict = verifyAnswer(read, {
    certificate: serve.certificate,
    requestHash: asked.hash,
    status: of.status,
    body,
  })
  expect(verdict).toEqual({ ok: true })
  const isSealed = asked.contentType === 'application/arbor-sealed'
  const opened = openAnswer(read, {
    body,
    seal: isSealed ? { keys: pairOf(ask, serve), counter: asked.counter } : null,
  })
  expect(opened.ok && toHex(opened.body)).toBe(of.answer)
})

test.each(
  vectors.streams.map((of, index) => ({ of, index })),
)('stream $index is read and written as another implementation wrote it', ({ of }) => {
  const asked: { pair: number; counter: number; contentType: string; hash: Uint8Array } = fieldsOf(
    at(vectors.requests, of.request),
  )
  const fields: { status: number; code: string; answeredAt: never } = fieldsOf(of)
  const { ask, serve } = pairFor(asked.pair)
  const isSealed = asked.contentType === 'application/arbor-sealed'
  const sealOf = (own: Session, other: Session) =>
    isSealed ? { keys: pairOf(own, other), counter: asked.counter } : null
  const reader = createStreamReader({ seal: sealOf(ask, serve), maxBytes: 100_000 })
  const pushed = reader.push(bytes(of.body))
  expect(pushed.ok && pushed.chunks.map(toHex)).toEqual(of.opened)
  const finished = reader.finish()
  if (!finished.ok) throw new Error(finished.fault)
  expect(toHex(endBytes(finished.end.fields))).toBe(of.payload)
  expect(verifyEnd(finished.end, { certificate: serve.certificate, requestHash: asked.hash })).toEqual({ ok: true })
  const writer = createStreamWriter({ session: serve, requestHash: asked.hash, seal: sealOf(serve, ask) })
  expect(toHex(Buffer.concat([...of.opened.map((chunk) => writer.chunk(bytes(chunk))), writer.end(fields)]))).toBe(
    of.body,
  )
})

test('docs/protocol.md works its example through with the bytes of another implementation', () => {
  const lines = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8').matchAll(
    /^ {4}(\w+)\.(\w+) +(\S+)$/gm,
  )
  const sources: Record<string, Readonly<Record<string, unknown>>> = {
    ask: { ...vectors.sessions[0], certificate: vectors.sessions[0]?.text },
    serve: { ...vectors.sessions[1], certificate: vectors.sessions[1]?.text },
    pair: { ...vectors.pairs[0] },
    request: { ...vectors.requests[1] },
    answer: { ...vectors.answers[0], ...vectors.answers[1] },
    stream: { ...vectors.streams[0], envelope: vectors.requests[3]?.envelope },
  }
  const shown = [...lines].map(([, owner = '', name = '', value]) => ({ owner, name, value }))
  expect(shown.length).toBe(33)
  for (const { owner, name, value } of shown)
    expect(value, `${owner}.${name}`).toBe(String(sources[owner]?.[name]).replace(/^0x/, ''))
})
