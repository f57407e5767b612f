import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { SubnetError } from '../../src/errors.ts'
import { encodeCanonical } from '../../src/protocol/canonical.ts'
import {
  type CertificateFields,
  certificateBytes,
  judgeCertificate,
  readCertificate,
  type SessionPurpose,
  verifyCertificate,
  writeCertificate,
} from '../../src/protocol/certificate.ts'
import { createPairKeyCache, derivePairKeys } from '../../src/protocol/keys.ts'
import { openSession } from '../../src/protocol/session.ts'
import { readToken } from '../../src/protocol/token.ts'
import type { NetUid, UnixMs } from '../../src/units.ts'
import { alice, askOf, bob, charlie, codeOf, flip, GENESIS, NETUID, NOW, open, pairOf, REGISTERED } from './support.ts'

const ask = await open({ signer: alice, purpose: 'ask' })
const serve = await open({ signer: bob, purpose: 'serve' })
const context = {
  now: NOW,
  genesisHash: GENESIS,
  netuid: NETUID,
  purpose: 'ask' as SessionPurpose,
  reader: bob.publicKey,
}
const judge = (change: Partial<CertificateFields>, at: Partial<typeof context> = {}): string =>
  codeOf(judgeCertificate({ ...ask.certificate, ...change }, { ...context, ...at }))

/** Reads certificates of any fields, signed by Alice. */
const signed = (payload: Uint8Array): string => writeCertificate(payload, alice.sign(payload))
const readChanged = (change: Record<string, unknown>): string =>
  codeOf(readCertificate(signed(certificateBytes({ ...ask.certificate, ...change } as CertificateFields))))

describe('certificate', () => {
  test('is read and believed as its hotkey signed it', () => {
    const read = readCertificate(ask.certificate.text)
    if (!read.ok) throw new Error(read.code)
    expect(read.certificate.address).toBe(alice.address)
    expect(verifyCertificate(read.certificate)).toBe(true)
    expect(judge({})).toBe('ok')
  })

  test.each([
    ['another chain', { genesisHash: new Uint8Array(32) }, 'WIRE_CHAIN'],
    ['another subnet', { netuid: 2 as NetUid }, 'WIRE_NETUID'],
    ['another purpose', { purpose: 'serve' as const }, 'WIRE_CERTIFICATE'],
    ['another audience', { audience: charlie.publicKey }, 'WIRE_AUDIENCE'],
    ['a time that is over', { expiresAt: NOW }, 'WIRE_SESSION_EXPIRED'],
    ['a time far in the future', { issuedAt: (NOW + 5_001) as UnixMs }, 'WIRE_SESSION_EXPIRED'],
  ])('is refused with %s', (_, change, code) => {
    expect(judge(change)).toBe(code)
  })

  test('is accepted for its audience, and from a clock that is 5 s ahead', () => {
    expect(judge({ audience: bob.publicKey })).toBe('ok')
    expect(judge({ issuedAt: (NOW + 5_000) as UnixMs })).toBe('ok')
  })

  test.each([
    ['a short genesis hash', { genesisHash: new Uint8Array(31) }],
    ['a netuid over 65535', { netuid: 65_536 }],
    ['another purpose', { purpose: 'relay' }],
    ['a hotkey as text', { hotkey: alice.address }],
    ['a negative block', { registeredAt: -1 }],
    ['a block as text', { registeredAt: '100' }],
    ['a short audience', { audience: new Uint8Array(0) }],
    ['a long signKey', { signKey: new Uint8Array(33) }],
    ['no sealKey', { sealKey: null }],
    ['an end before its beginning', { expiresAt: NOW }],
    ['a life over 24 h', { expiresAt: NOW + 86_400_001 }],
    ['a time of 2^53', { issuedAt: 2 ** 53, expiresAt: 2 ** 53 + 2 }],
  ])('is malformed with %s', (_, change) => {
    expect(readChanged(change)).toBe('WIRE_CERTIFICATE')
  })

  test('is refused by version before its fields are looked at, and as malformed with another domain or count', () => {
    const fields = [GENESIS]
    expect(codeOf(readCertificate(signed(encodeCanonical(['arbor/certificate/3', ...fields]))))).toBe('WIRE_VERSION')
    for (const tag of ['arbor/certificate/2', 'arbor/request/2', 'arbor/certificate', '', 2, null])
      expect(codeOf(readCertificate(signed(encodeCanonical([tag, ...fields]))))).toBe('WIRE_CERTIFICATE')
    expect(codeOf(readCertificate(signed(encodeCanonical([]))))).toBe('WIRE_CERTIFICATE')
  })

  test('is not believed with any bit of payload or signature flipped', () => {
    const token = readToken(ask.certificate.text)
    if (token === null) throw new Error('malformed')
    const bits = (token.payload.length + 64) * 8
    fc.assert(
      fc.property(fc.nat(bits - 1), (bit) => {
        const inPayload = bit < token.payload.length * 8
        const text = inPayload
          ? writeCertificate(flip(token.payload, bit), token.proof)
          : writeCertificate(token.payload, flip(token.proof, bit - token.payload.length * 8))
        const read = readCertificate(text)
        return !read.ok || !verifyCertificate(read.certificate)
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('is not believed with a signature of another hotkey, an empty one, or none', () => {
    const { payload } = ask.certificate
    const read = readCertificate(writeCertificate(payload, bob.sign(payload)))
    expect(read.ok && verifyCertificate(read.certificate)).toBe(false)
    const body = ask.certificate.text.split('.')[0] ?? ''
    for (const text of [body, `${body}.`, `${body}.AA`, `.${body}`, `${body}.${'A'.repeat(86)}`]) {
      const bare = readCertificate(text)
      expect(bare.ok && verifyCertificate(bare.certificate)).toBe(false)
    }
  })

  test.each([
    ['zero', new Uint8Array(32)],
    ['the neutral point', Uint8Array.of(1, ...new Uint8Array(31))],
    ['no point', new Uint8Array(32).fill(0xff)],
  ])('is not believed when its signKey is %s, which would sign anything or nothing', (_, signKey) => {
    const read = readCertificate(signed(certificateBytes({ ...ask.certificate, signKey })))
    if (!read.ok) throw new Error(read.code)
    expect(verifyCertificate(read.certificate)).toBe(false)
    expect(() => read.certificate.verify(new Uint8Array(1), new Uint8Array(64))).not.toThrow()
  })
})

describe('session', () => {
  test('never opens with a life, a time or a chain that readers refuse', async () => {
    for (const bad of [
      { lifetimeMs: 0 },
      { lifetimeMs: 86_400_001 },
      { lifetimeMs: 1.5 },
      { issuedAt: -1 },
      { issuedAt: Number.NaN },
      { genesisHash: new Uint8Array(31) },
    ])
      await expect(open({ signer: alice, purpose: 'ask', ...bad })).rejects.toThrow(SubnetError)
  })

  test('asks its hotkey for one signature, of the certificate, wherever the hotkey is', async () => {
    const asked: unknown[] = []
    const session = await openSession({
      signer: {
        address: alice.address,
        publicKey: alice.publicKey,
        sign: async (message, purpose) => {
          asked.push(purpose)
          return alice.sign(message)
        },
      },
      purpose: 'ask',
      genesisHash: GENESIS,
      netuid: NETUID,
      registeredAt: REGISTERED,
      audience: bob.address,
      issuedAt: NOW,
      randomBytes: (length) => new Uint8Array(length).fill(5),
    })
    session.sign(new Uint8Array(3))
    expect(asked).toEqual([{ kind: 'certificate' }])
    expect(verifyCertificate(session.certificate)).toBe(true)
  })

  test('agrees on nothing with a key of low order', () => {
    for (const sealKey of [
      new Uint8Array(32),
      Uint8Array.of(1, ...new Uint8Array(31)),
      Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'),
    ]) {
      expect(ask.agree(sealKey)).toBeNull()
      expect(derivePairKeys(ask, { id: serve.id, sealKey })).toBeNull()
      expect(createPairKeyCache().get(ask, { id: serve.id, sealKey })).toBeNull()
    }
  })

  test('shows no secret when it, its keys or its requests are printed, logged or thrown', async () => {
    const secrets = [0x51, 0x52].map((byte) => new Uint8Array(32).fill(byte))
    const handed = secrets.map((secret) => Uint8Array.from(secret))
    const left = [...handed]
    const session = await openSession({
      signer: alice,
      purpose: 'ask',
      genesisHash: GENESIS,
      netuid: NETUID,
      registeredAt: REGISTERED,
      audience: null,
      issuedAt: NOW,
      randomBytes: () => left.shift() ?? new Uint8Array(),
    })
    expect(handed.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true) // nothing of them is left behind
    const pair = pairOf(session, serve)
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })
    const seen = [
      session,
      pair,
      pair.request,
      createPairKeyCache(),
      { session, pair, nested: { session, pair } },
      askOf(session, serve),
    ]
    for (const value of seen) {
      log.info({ value }, 'seen')
      log.error(new SubnetError({ code: 'TEST_CODE', message: 'seen', cause: value }))
      lines.push(
        inspect(value, { depth: 20, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null }),
        JSON.stringify(value) ?? '',
        String(value),
      )
      for (const key of Reflect.ownKeys(value))
        lines.push(inspect(Reflect.get(value, key), { depth: 9, showHidden: true }))
    }
    const shared = session.agree(serve.certificate.sealKey) ?? new Uint8Array()
    const derived = Buffer.from(hkdfSync('sha256', shared, Buffer.concat([session.id, serve.id]), 'arbor/keys/2', 96))
    const keys = [0, 32, 64].map((from) => derived.subarray(from, from + 32))
    const output = lines.join('\n')
    for (const secret of [...secrets, shared, ...keys])
      for (const spelling of spellings(secret)) expect(output).not.toContain(spelling)
    expect(output).toContain(session.certificate.text) // what is public is there
  })
})

/** How a secret might be written, whole or its first half. */
const spellings = (secret: Uint8Array): string[] =>
  [secret, secret.subarray(0, 16)].flatMap((bytes) => {
    const buffer = Buffer.from(bytes)
    return [
      buffer.toString('hex'),
      buffer.toString('base64').slice(0, 20),
      buffer.toString('base64url').slice(0, 20),
      [...bytes].join(','),
      [...bytes].join(', '),
      inspect(buffer).slice(8, 50),
    ]
  })

describe('pair of sessions', () => {
  test('has the same keys on both sides, and others than any other pair', async () => {
    const other = await open({ signer: alice, purpose: 'ask' })
    const payload = new Uint8Array(300).fill(1)
    const mac = pairOf(ask, serve).mac(payload)
    expect(pairOf(serve, ask).hasMac(payload, mac)).toBe(true)
    expect(pairOf(serve, other).hasMac(payload, mac)).toBe(false)
    expect(pairOf(serve, ask).hasMac(flip(payload, 7), mac)).toBe(false)
    for (const proof of [new Uint8Array(0), mac.subarray(0, 31), new Uint8Array(32), new Uint8Array([...mac, 0])])
      expect(pairOf(serve, ask).hasMac(payload, proof)).toBe(false)
  })

  test('is HMAC-SHA256 for payloads of any length', () => {
    const secret = ask.agree(serve.certificate.sealKey) ?? new Uint8Array()
    const key = Buffer.from(hkdfSync('sha256', secret, Buffer.concat([ask.id, serve.id]), 'arbor/keys/2', 96)).subarray(
      0,
      32,
    )
    for (const length of [0, 1, 55, 56, 63, 64, 65, 200, 768, 5_000]) {
      const payload = createHash('shake256', { outputLength: length }).update('p').digest()
      expect(Buffer.from(pairOf(ask, serve).mac(payload))).toEqual(createHmac('sha256', key).update(payload).digest())
    }
  })

  test('is derived once and kept, while there are no more than the bound', async () => {
    const cache = createPairKeyCache(2)
    const others = await Promise.all([1, 2, 3].map(() => open({ signer: bob, purpose: 'serve' })))
    const get = (index: number) => cache.get(ask, others[index]?.certificate ?? serve.certificate)
    const first = get(0)
    get(1)
    expect(get(0)).toBe(first) // used again, so the second is the oldest
    get(2)
    expect(cache.size).toBe(2)
    expect(get(0)).toBe(first)
  })
})
