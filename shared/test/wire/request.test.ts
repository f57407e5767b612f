import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBytes } from '../../src/bytes.ts'
import { SubnetError } from '../../src/errors.ts'
import { fromHex } from '../../src/hex.ts'
import { keypairFromUri } from '../../src/keys.ts'
import type { Ms, NetUid, UnixMs } from '../../src/units.ts'
import { HEADER } from '../../src/wire/envelope.ts'
import { checkBody, checkLength, expiresAt, signRequest, verifyHead } from '../../src/wire/request.ts'
import { signResponse, verifyResponse } from '../../src/wire/response.ts'

const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const charlie = keypairFromUri('//Charlie')
const now = 1_800_000_000_000 as UnixMs
const netuid = 1 as NetUid
const body = toBytes('{"prompt":"a"}')
const fields = {
  signer: alice,
  receiver: bob.address,
  netuid,
  method: 'POST',
  path: '/chat',
  timestamp: now,
  timeoutMs: 10_000 as Ms,
  nonce: fromHex(`0x${'01'.repeat(16)}`),
  body,
}
const signed = signRequest(fields)
const context = { now, receiver: bob.address, netuid }

const raw = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat()
const judge = (
  of: {
    rawHeaders?: readonly string[]
    method?: string
    path?: string
    at?: number
    netuid?: number
    receiver?: string
  } = {},
): string => {
  const verdict = verifyHead({
    rawHeaders: of.rawHeaders ?? raw(signed.headers),
    method: of.method ?? 'POST',
    path: of.path ?? '/chat',
    context: {
      ...context,
      ...(of.at ? { now: of.at as UnixMs } : {}),
      ...(of.netuid ? { netuid: of.netuid as NetUid } : {}),
      ...(of.receiver ? { receiver: of.receiver as never } : {}),
    },
  })
  return verdict.ok ? 'ok' : verdict.code
}
const names = Object.values(HEADER)

describe('request', () => {
  test('is accepted as it was signed, in any order and case of headers, beside headers of others', () => {
    expect(judge()).toBe('ok')
    const reversed = Object.entries(signed.headers)
      .reverse()
      .flatMap(([name, value]) => [name.toUpperCase(), value])
    expect(judge({ rawHeaders: ['Host', 'x', ...reversed, 'x-arbor-sender', 'y'] })).toBe('ok')
  })

  test.each(names)('is refused when %s is absent, empty, padded or repeated', (name) => {
    const { [name]: value = '', ...rest } = signed.headers
    for (const bad of [
      undefined,
      '',
      ' ',
      `${value} `,
      `0${value}`,
      `${value}${value}`,
      'x'.repeat(131),
      'null',
      '-1',
      '1e3',
      '0x',
    ]) {
      expect(judge({ rawHeaders: raw(bad === undefined ? rest : { ...rest, [name]: bad }) })).toMatch(
        /^WIRE_(HEADERS|VERSION|NETUID)$/,
      )
    }
    expect(judge({ rawHeaders: [...raw(signed.headers), name, value] })).toBe('WIRE_HEADERS')
  })

  test('is refused when a header under our prefix is unknown', () => {
    expect(judge({ rawHeaders: [...raw(signed.headers), 'Arbor-Task', 'chat'] })).toBe('WIRE_HEADERS')
  })

  test.each([
    ['sender', { [HEADER.sender]: charlie.address }],
    ['timestamp', { [HEADER.timestamp]: String(now + 1) }],
    ['timeout', { [HEADER.timeout]: '10001' }],
    ['nonce', { [HEADER.nonce]: `0x${'02'.repeat(16)}` }],
    ['body hash', { [HEADER.bodyHash]: `0x${'02'.repeat(32)}` }],
  ])('is refused when the signed %s is another', (_, change) => {
    expect(judge({ rawHeaders: raw({ ...signed.headers, ...change }) })).toBe('WIRE_SIGNATURE')
  })

  test('is refused when method, path, netuid or receiver are others than signed, even where the receiver is those', () => {
    expect(judge({ method: 'PUT' })).toBe('WIRE_SIGNATURE')
    expect(judge({ path: '/chat?x=1' })).toBe('WIRE_SIGNATURE')
    expect(judge({ rawHeaders: raw({ ...signed.headers, [HEADER.netuid]: '2' }), netuid: 2 })).toBe('WIRE_SIGNATURE')
    expect(
      judge({ rawHeaders: raw({ ...signed.headers, [HEADER.receiver]: charlie.address }), receiver: charlie.address }),
    ).toBe('WIRE_SIGNATURE')
  })

  test('is refused for another receiver or subnet before its signature is looked at', () => {
    expect(judge({ receiver: charlie.address })).toBe('WIRE_RECEIVER')
    expect(judge({ netuid: 2 })).toBe('WIRE_NETUID')
  })

  test('is accepted within its window and refused outside', () => {
    expect(judge({ at: now - 5_000 })).toBe('ok')
    expect(judge({ at: now - 5_001 })).toBe('WIRE_EXPIRED')
    expect(judge({ at: now + 14_999 })).toBe('ok')
    expect(judge({ at: now + 15_000 })).toBe('WIRE_EXPIRED')
  })

  test('is refused when a single bit of its signature is another', () => {
    const signature = fromHex(signed.headers[HEADER.signature] ?? '')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
        const flipped = Buffer.from(signature.with(bit >> 3, (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7)))).toString(
          'hex',
        )
        return (
          judge({ rawHeaders: raw({ ...signed.headers, [HEADER.signature]: `0x${flipped}` }) }) === 'WIRE_SIGNATURE'
        )
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  test('never throws, and is never accepted, with any one header value replaced by other text', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 140 }),
      fc.string({ unit: 'binary', maxLength: 140 }),
      fc.constantFrom('1', '65535', '65536', '9007199254740993'),
    )
    fc.assert(
      fc.property(fc.constantFrom(...names), text, (name, value) => {
        fc.pre(value !== signed.headers[name])
        return judge({ rawHeaders: raw({ ...signed.headers, [name]: value }) }) !== 'ok'
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('is not signed with a field that no receiver accepts', () => {
    for (const bad of [
      { timeoutMs: 60_001 as Ms },
      { timeoutMs: 0 as Ms },
      { timestamp: 1.5 as UnixMs },
      { nonce: new Uint8Array(15) },
      { path: 'chat' },
    ]) {
      expect(() => signRequest({ ...fields, ...bad })).toThrow(SubnetError)
    }
  })
})

describe('body', () => {
  test('is refused unless its length is announced and within the limit', () => {
    const judgeLength = (contentLength: string | undefined) => {
      const verdict = checkLength({ contentLength, limit: 100 })
      return verdict.ok ? verdict.length : verdict.code
    }
    expect(['100', '0', '101', undefined, '', '-1', '1e2', '0x10', '9'.repeat(30)].map(judgeLength)).toEqual([
      100,
      0,
      'WIRE_TOO_LARGE',
      'WIRE_LENGTH',
      'WIRE_LENGTH',
      'WIRE_LENGTH',
      'WIRE_LENGTH',
      'WIRE_LENGTH',
      'WIRE_LENGTH',
    ])
  })

  test('is refused when a byte of it is another', () => {
    const read = verifyHead({ rawHeaders: raw(signed.headers), method: 'POST', path: '/chat', context })
    if (!read.ok) throw new Error(read.code)
    expect(checkBody(read.envelope, body).ok).toBe(true)
    for (const other of [body.slice(1), toBytes('{"prompt":"b"}'), new Uint8Array(0)])
      expect(checkBody(read.envelope, other).ok).toBe(false)
    expect(expiresAt(read.envelope)).toBe(now + 15_000)
  })
})

describe('response', () => {
  const answer = { requestHash: signed.hash, status: 200, body: toBytes('{}'), receiver: alice.address }
  const headers = signResponse({ signer: bob, ...answer })
  const parties = { ...answer, sender: bob.address }

  test('is believed as the miner signed it', () => {
    expect(verifyResponse({ headers, ...parties })).toEqual({ ok: true })
  })

  test.each([
    ['request', { requestHash: new Uint8Array(32) }],
    ['status', { status: 201 }],
    ['body', { body: toBytes('[]') }],
    ['sender', { sender: charlie.address }],
    ['receiver', { receiver: charlie.address }],
  ])('is not believed with another %s', (_, change) => {
    expect(verifyResponse({ headers, ...parties, ...change }).ok).toBe(false)
  })

  test('is not believed when a header is absent, repeated or malformed', () => {
    const signature = headers[HEADER.signature] ?? ''
    for (const change of [
      { [HEADER.signature]: undefined },
      { [HEADER.signature]: [signature, signature] },
      { [HEADER.signature]: `${signature}00` },
      { [HEADER.signature]: '' },
      { [HEADER.version]: undefined },
      { [HEADER.version]: '2' },
    ]) {
      expect(verifyResponse({ ...parties, headers: { ...headers, ...change } }).ok).toBe(false)
    }
  })
})
