import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { SubnetError } from '../../src/errors.ts'
import { encodeCanonical, type Field } from '../../src/protocol/canonical.ts'
import { readRefusal, refusalBody, WIRE_STATUS } from '../../src/protocol/refusal.ts'
import { readRequest, requestBytes } from '../../src/protocol/request.ts'
import { readToken, writeToken } from '../../src/protocol/token.ts'
import {
  alice,
  askOf,
  BODY,
  bob,
  charlie,
  codeOf,
  createReceiver,
  flip,
  LIMIT,
  NOW,
  open,
  pairOf,
  type Receiver,
  rawHeaders,
} from './support.ts'

const ask = await open({ signer: alice, purpose: 'ask' })
const serve = await open({ signer: bob, purpose: 'serve' })
let miner: Receiver
let counter = 0
beforeEach(() => {
  miner = createReceiver({ serve })
  counter = 0
})
/** Asks with the next counter, as the session's first request where `certificate` says so. */
const written = (of: Parameters<typeof askOf>[2] = {}) => askOf(ask, serve, { counter: ++counter, ...of })
const raw = (of: ReturnType<typeof written>) => rawHeaders(of, ask.certificate.text)
const send = (
  of: Parameters<typeof askOf>[2] = {},
  at: { method?: string; path?: string; now?: number; body?: Uint8Array } = {},
): string => {
  const request = written(of)
  return codeOf(miner.receive({ raw: raw(request), body: request.body, ...at }))
}

describe('request', () => {
  test.each([
    ['sealed, with a MAC', {}],
    ['sealed, with a signature', { proof: 'signature' }],
    ['open, with a MAC', { isSealed: false }],
    ['open, with a signature and no keys', { withKeys: false }],
    ['empty', { body: new Uint8Array(0) }],
    ['of the largest size', { body: new Uint8Array(LIMIT) }],
  ] as const)('is accepted %s, and its question read', (_, of) => {
    const request = written(of)
    const verdict = miner.receive({ raw: raw(request), body: request.body })
    expect(verdict.ok && Buffer.from(verdict.body)).toEqual(Buffer.from('body' in of ? of.body : BODY))
  })

  test('needs its certificate once, in any order and case of headers, beside headers of others', () => {
    const bare = written()
    expect(codeOf(miner.receive({ raw: rawHeaders(bare), body: bare.body }))).toBe('WIRE_SESSION')
    const first = written()
    const shuffled = [
      'x-arbor-envelope',
      'y',
      'ARBOR-Certificate',
      ask.certificate.text,
      'Arbor-Envelope',
      first.envelope,
      'CONTENT-LENGTH',
      String(first.body.length),
      'content-type',
      'text/html',
    ]
    expect(codeOf(miner.receive({ raw: shuffled, body: first.body }))).toBe('ok')
    const next = written()
    expect(codeOf(miner.receive({ raw: rawHeaders(next), body: next.body }))).toBe('ok')
    expect(miner.verified()).toBe(1)
  })

  test.each([
    ['for another receiver', { receiver: charlie.publicKey }, {}, 'WIRE_RECEIVER'],
    ['for another subnet', { netuid: 2 }, {}, 'WIRE_NETUID'],
    ['from 5 s ahead and more', { sentAt: NOW + 5_001 }, {}, 'WIRE_EXPIRED'],
    ['after its time', { sentAt: NOW - 15_000 }, {}, 'WIRE_EXPIRED'],
    ['to another path', {}, { path: '/chat?x=1' }, 'WIRE_TARGET'],
    ['by another method', {}, { method: 'PUT' }, 'WIRE_TARGET'],
    ['with a counter far ahead', { counter: 1_000_001 }, {}, 'WIRE_COUNTER'],
    ['too large', { body: new Uint8Array(LIMIT + 1) }, {}, 'WIRE_TOO_LARGE'],
    ['with another body', {}, { body: new Uint8Array(30) }, 'WIRE_BODY_HASH'],
    ['with a body cut off', {}, { body: new Uint8Array(0) }, 'WIRE_BODY_HASH'],
  ])('is refused %s', (_, of, at, code) => {
    expect(send(of, at)).toBe(code)
  })

  test('is accepted to the millisecond of its window', () => {
    expect(send({ sentAt: NOW + 5_000 })).toBe('ok')
    expect(send({ sentAt: NOW - 14_999 })).toBe('ok')
  })

  test('is refused when its counter was used, whatever else is new', () => {
    expect(send()).toBe('ok')
    expect(send({ counter: 1, body: Buffer.from('{}') })).toBe('WIRE_REPLAY')
  })

  test('is refused when it names a session that the miner does not have', async () => {
    const other = await open({ signer: bob, purpose: 'serve' })
    const request = askOf(ask, other, { counter: 1 })
    expect(codeOf(miner.receive({ raw: raw(request), body: request.body }))).toBe('WIRE_KEYS')
  })

  test('is refused when its seal is of other keys, another counter, or none', async () => {
    const other = await open({ signer: bob, purpose: 'serve' })
    for (const body of [
      pairOf(ask, other).request.seal({ counter: 1, bytes: BODY }),
      pairOf(ask, serve).request.seal({ counter: 99, bytes: BODY }),
      pairOf(ask, serve).answer.seal({ counter: 1, bytes: BODY }),
      Buffer.alloc(15),
      Buffer.alloc(0),
    ]) {
      const { fields } = written({ isSealed: true })
      const payload = requestBytes({
        ...fields,
        bodyLength: body.length,
        bodyHash: createHash('sha256').update(body).digest(),
      })
      const request = { envelope: writeToken(payload, pairOf(ask, serve).mac(payload)), body }
      expect(codeOf(miner.receive({ raw: rawHeaders(request, ask.certificate.text), body }))).toBe('WIRE_SEAL')
    }
  })

  test.each([
    undefined,
    '',
    '0',
    '029',
    '29 ',
    '+30',
    '30.0',
    '1e1',
    '0x1e',
    '31',
    '29',
    '9'.repeat(30),
  ])('is refused when content-length is %s', (length) => {
    const request = written({ isSealed: true })
    const headers = ['arbor-envelope', request.envelope, 'arbor-certificate', ask.certificate.text]
    expect(request.body.length).toBe(30)
    const announced = length === undefined ? headers : [...headers, 'content-length', length]
    expect(codeOf(miner.receive({ raw: announced, body: request.body }))).toBe('WIRE_LENGTH')
  })

  test('is refused when its length is announced twice, or its body chunked', () => {
    for (const extra of [
      ['content-length', '30'],
      ['transfer-encoding', 'chunked'],
    ]) {
      const request = written({ isSealed: true })
      expect(codeOf(miner.receive({ raw: [...raw(request), ...extra], body: request.body }))).toBe('WIRE_LENGTH')
    }
  })

  test('is refused when its body has the proven hash and not the proven length', () => {
    const { fields } = written({ isSealed: false })
    const payload = requestBytes({ ...fields, bodyLength: BODY.length - 1 })
    const envelope = writeToken(payload, pairOf(ask, serve).mac(payload))
    const headers = ['arbor-envelope', envelope, 'arbor-certificate', ask.certificate.text, 'content-length', '13']
    expect(codeOf(miner.receive({ raw: headers, body: BODY }))).toBe('WIRE_BODY_HASH')
  })

  test('is refused for an empty header of ours before its session is looked up', () => {
    expect(send()).toBe('ok')
    const request = written()
    for (const certificate of ['', 'x'.repeat(1_025)])
      expect(codeOf(miner.receive({ raw: rawHeaders(request, certificate), body: request.body }))).toBe('WIRE_HEADERS')
  })

  test('is not written with a value that no receiver accepts', () => {
    for (const bad of [
      { timeoutMs: 60_001 },
      { timeoutMs: 0 },
      { timeoutMs: 1.5 },
      { sentAt: 1.5 },
      { sentAt: -1 },
      { counter: 0 },
      { counter: 2 ** 53 },
      { path: 'chat' },
      { path: `/${'x'.repeat(900)}` },
      { receiver: new Uint8Array(31) },
      { withKeys: false, isSealed: true },
      { withKeys: false, proof: 'mac' as const },
    ])
      expect(() => written(bad)).toThrow(SubnetError)
  })
})

describe('envelope', () => {
  const request = askOf(ask, serve)
  const token = readToken(request.envelope)
  if (token === null) throw new Error('malformed')
  const proof = token.proof

  test.each([
    'arbor-envelope',
    'arbor-certificate',
  ])('is refused when %s is absent, empty, padded, repeated, over-long or not ASCII', (name) => {
    const headers = rawHeaders(request, ask.certificate.text)
    const at = headers.indexOf(name) + 1
    const value = headers[at] ?? ''
    for (const bad of [
      '',
      ' ',
      ` ${value}`,
      `${value} `,
      `${value}=`,
      `${value}.${value}`,
      `${value}\u00e9`,
      `\u0430${value}`,
      'x'.repeat(1_025),
      'null',
      value.toUpperCase(),
      value.split('.')[0] ?? '',
      `${value.split('.')[0]}.`,
    ])
      expect(codeOf(miner.receive({ raw: headers.with(at, bad), body: request.body })), bad.slice(0, 20)).toMatch(
        /^WIRE_(HEADERS|CERTIFICATE|PROOF)$/,
      )
    expect(codeOf(miner.receive({ raw: [...headers, name, value], body: request.body }))).toBe('WIRE_HEADERS')
    expect(codeOf(miner.receive({ raw: headers.toSpliced(at - 1, 2), body: request.body }))).toBe(
      name === 'arbor-envelope' ? 'WIRE_HEADERS' : 'WIRE_SESSION',
    )
    expect(miner.table.size).toBe(0)
  })

  test('is refused beside an unknown header under our prefix', () => {
    for (const name of ['arbor-version', 'Arbor-Sender', 'ARBOR-X', 'arbor-'])
      expect(
        codeOf(miner.receive({ raw: [...rawHeaders(request, ask.certificate.text), name, '1'], body: request.body })),
      ).toBe('WIRE_HEADERS')
  })

  test('is refused by version, and as malformed with another domain', () => {
    const tagged = (tag: Field) => codeOf(readRequest(['arbor-envelope', writeToken(encodeCanonical([tag, 1]), proof)]))
    expect(tagged('arbor/request/1')).toBe('WIRE_VERSION')
    for (const tag of ['arbor/request/2', 'arbor/certificate/2', 'arbor/answer/2', 2, null])
      expect(tagged(tag)).toBe('WIRE_HEADERS')
  })

  test.each([
    ['a short session', { session: new Uint8Array(15) }],
    ['a session as text', { session: 'x'.repeat(16) }],
    ['a short with', { with: new Uint8Array(15) }],
    ['counter 0', { counter: 0 }],
    ['a short receiver', { receiver: new Uint8Array(31) }],
    ['a netuid over 65535', { netuid: 65_536 }],
    ['a method of bytes', { method: new Uint8Array(4) }],
    ['no path', { path: null }],
    ['another content type', { contentType: 'text/html' }],
    ['a seal without keys', { with: null, contentType: 'application/arbor-sealed' }],
    ['another accept', { accept: '' }],
    ['a time as text', { sentAt: '1' }],
    ['timeout 0', { timeoutMs: 0 }],
    ['timeout 60001', { timeoutMs: 60_001 }],
    ['no length', { bodyLength: null }],
    ['a short hash', { bodyHash: new Uint8Array(31) }],
  ])('is malformed with %s', (_, change) => {
    const payload = requestBytes({ ...request.fields, ...change } as never)
    expect(codeOf(readRequest(['arbor-envelope', writeToken(payload, proof)]))).toBe('WIRE_HEADERS')
  })

  test('C-25: is refused when signature, MAC or hotkey is empty, all zero, short or long', () => {
    const headers = (envelope: string, certificate: string) => [
      'content-length',
      String(request.body.length),
      'arbor-envelope',
      envelope,
      'arbor-certificate',
      certificate,
    ]
    const body = request.envelope.split('.')[0] ?? ''
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 96]) {
      const envelope = length === 0 ? `${body}.` : writeToken(token.payload, new Uint8Array(length))
      expect(codeOf(miner.receive({ raw: headers(envelope, ask.certificate.text), body: request.body }))).toBe(
        length === 32 || length === 64 ? 'WIRE_PROOF' : 'WIRE_HEADERS',
      )
    }
    const bare = ask.certificate.text.split('.')[0] ?? ''
    for (const certificate of [
      bare,
      `${bare}.`,
      writeToken(ask.certificate.payload, new Uint8Array(64)),
      writeToken(ask.certificate.payload, new Uint8Array(63)),
    ])
      expect(codeOf(miner.receive({ raw: headers(request.envelope, certificate), body: request.body }))).toBe(
        'WIRE_CERTIFICATE',
      )
    expect(miner.table.size).toBe(0)
  })

  test('C-26: has no field that the proof does not cover, in either proof, nor has its certificate', () => {
    expect(send({ counter: 1 })).toBe('ok') // the session is known from here on
    const others: Record<keyof typeof request.fields, readonly unknown[]> = {
      session: [new Uint8Array(16)],
      with: [new Uint8Array(16), null],
      counter: [4, 999_999],
      receiver: [charlie.publicKey],
      netuid: [0, 2],
      method: ['GET', 'post', ''],
      path: ['/', '/chat?', '/chat/'],
      contentType: ['application/json'],
      accept: ['stream'],
      sentAt: [NOW - 1, NOW + 1, NOW + 4_000],
      timeoutMs: [9_999, 10_001, 60_000],
      bodyLength: [0, 29],
      bodyHash: [new Uint8Array(32)],
    }
    for (const kind of ['mac', 'signature'] as const) {
      const good = askOf(ask, serve, { counter: 3, proof: kind })
      const own = readToken(good.envelope)?.proof ?? new Uint8Array()
      for (const [field, values] of Object.entries(others))
        for (const value of values) {
          const changed = requestBytes({ ...good.fields, [field]: value } as never)
          const incoming = {
            raw: rawHeaders({ envelope: writeToken(changed, own), body: good.body }),
            body: good.body,
            ...(field === 'method' || field === 'path' ? { [field]: String(value) } : {}),
          }
          expect(codeOf(miner.receive(incoming)), `${kind} ${field}`).toMatch(
            {
              session: /^WIRE_SESSION$/,
              with: /^WIRE_(KEYS|PROOF|HEADERS)$/,
              receiver: /^WIRE_RECEIVER$/,
              netuid: /^WIRE_NETUID$/,
            }[field] ?? /^WIRE_PROOF$/,
          )
        }
    }
    // and the header beside it that nothing covers is the session's own, or refused
    const next = askOf(ask, serve, { counter: 5 })
    const other = ask.certificate.text.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
    expect(codeOf(miner.receive({ raw: rawHeaders(next, other), body: next.body }))).toBe('WIRE_CERTIFICATE')
    expect(codeOf(miner.receive({ raw: rawHeaders(next), body: next.body }))).toBe('ok')
  })

  test('is refused with any bit of payload or proof flipped, before anything else is believed', () => {
    expect(send({ counter: 1 })).toBe('ok')
    for (const kind of ['mac', 'signature'] as const) {
      const good = askOf(ask, serve, { counter: 2, proof: kind })
      const own = readToken(good.envelope)
      if (own === null) throw new Error('malformed')
      const bits = (own.payload.length + own.proof.length) * 8
      fc.assert(
        fc.property(fc.nat(bits - 1), (bit) => {
          const envelope =
            bit < own.payload.length * 8
              ? writeToken(flip(own.payload, bit), own.proof)
              : writeToken(own.payload, flip(own.proof, bit - own.payload.length * 8))
          return codeOf(miner.receive({ raw: rawHeaders({ envelope, body: good.body }), body: good.body })).startsWith(
            'WIRE_',
          )
        }),
        { seed: 3, numRuns: 500 },
      )
      expect(codeOf(miner.receive({ raw: rawHeaders(good), body: good.body }))).toBe(
        kind === 'mac' ? 'ok' : 'WIRE_REPLAY',
      )
    }
  })
})

describe('refusal', () => {
  test('is 64 bytes whatever its code, and read back', () => {
    for (const code of Object.keys(WIRE_STATUS)) {
      expect(refusalBody(code)).toHaveLength(64)
      expect(readRefusal(refusalBody(code))).toBe(code)
    }
  })

  test('is not read from other bodies', () => {
    for (const text of [
      '',
      '{}',
      '{"code":"wire"}',
      '{"code":"WIRE_X"}',
      `{"code":"A\\u0000"}`.padEnd(64),
      `{"code":"WIRE_X","b":1}`.padEnd(64),
      ' '.repeat(64),
      `${refusalBody('WIRE_X')} `,
    ])
      expect(readRefusal(Buffer.from(text))).toBeNull()
  })
})
