import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeAnswer } from '../../src/protocol/answer.ts'
import { readCertificate } from '../../src/protocol/certificate.ts'
import { createPairKeyCache } from '../../src/protocol/keys.ts'
import { WIRE_STATUS } from '../../src/protocol/refusal.ts'
import { readRequest } from '../../src/protocol/request.ts'
import { createMemorySessionStore } from '../../src/protocol/session-store.ts'
import { readToken, writeToken } from '../../src/protocol/token.ts'
import {
  alice,
  askOf,
  bob,
  charlie,
  codeOf,
  createReceiver,
  flip,
  NOW,
  open,
  pairOf,
  type Receiver,
  rawHeaders,
} from './support.ts'

const ask = await open({ signer: alice, purpose: 'ask' })
const thief = await open({ signer: charlie, purpose: 'ask' })
const serve = await open({ signer: bob, purpose: 'serve' })
const neighbour = await open({ signer: charlie, purpose: 'serve' })
const codes = new Set(['ok', ...Object.keys(WIRE_STATUS)])
const good = askOf(ask, serve)
const token = readToken(good.envelope) ?? { payload: new Uint8Array(), proof: new Uint8Array() }
const receive = (miner: Receiver, raw: readonly string[], of: { body?: Uint8Array; now?: number } = {}): string =>
  codeOf(miner.receive({ raw, body: of.body ?? good.body, ...(of.now === undefined ? {} : { now: of.now }) }))
const runs = (seed: number, numRuns: number) => ({ seed, numRuns })

/** What a hostile caller writes into a header. */
const value = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '.',
    '..',
    'null',
    '0',
    good.envelope,
    ask.certificate.text,
    thief.certificate.text,
    serve.certificate.text,
  ),
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{43}$/),
  fc.nat(2_000).map((length) => 'A'.repeat(length)),
  fc.nat(good.envelope.length).map((length) => good.envelope.slice(0, length)),
  fc
    .tuple(fc.nat(), fc.string({ minLength: 1, maxLength: 1 }))
    .map(([at, char]) => good.envelope.replace(good.envelope[at % good.envelope.length] ?? '', char)),
)
const name = fc.oneof(
  fc.constantFrom('arbor-envelope', 'arbor-certificate', 'content-length', 'transfer-encoding', 'content-type', 'host'),
  fc.constantFrom(
    'Arbor-Envelope',
    'ARBOR-CERTIFICATE',
    'arbor_envelope',
    'arbor-envelope ',
    'arbor-',
    'arbor-version',
    'Arbor-Sender',
    '\u0430rbor-envelope',
  ),
  fc.string({ maxLength: 20 }),
)

describe('a hostile caller', () => {
  test('gets a documented refusal for any headers at all, and nothing is remembered for them', () => {
    const miner = createReceiver({ serve })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (headers) => {
        const code = receive(miner, headers.flat())
        expect(codes.has(code)).toBe(true)
        return code !== 'ok' || headers.flat().includes(good.envelope)
      }),
      runs(1, 2_000),
    )
    expect(miner.table.size).toBeLessThanOrEqual(1)
  })

  test('gets nothing for a good request with one header more, less, mis-cased or changed', () => {
    const raw = rawHeaders(good, ask.certificate.text)
    fc.assert(
      fc.property(
        fc.nat(raw.length / 2 - 1),
        fc.constantFrom('drop', 'twice', 'empty', 'long', 'case', 'char', 'accent'),
        fc.nat(),
        (header, how, at) => {
          const index = header * 2
          const [key = '', old = ''] = [raw[index], raw[index + 1]]
          const ours = key.toLowerCase().startsWith('arbor-') || key.toLowerCase() === 'content-length'
          const position = at % old.length
          const changed = {
            drop: raw.toSpliced(index, 2),
            twice: [...raw, key, old],
            empty: raw.with(index + 1, ''),
            long: raw.with(index + 1, old + 'A'.repeat(1_025)),
            case: raw.with(index, key.toUpperCase()),
            char: raw.with(
              index + 1,
              `${old.slice(0, position)}${old[position] === '1' ? '2' : '1'}${old.slice(position + 1)}`,
            ),
            accent: raw.with(index + 1, `${old.slice(0, position)}\u00e9${old.slice(position + 1)}`),
          }[how]
          const code = receive(createReceiver({ serve }), changed)
          return !ours || how === 'case' ? code === 'ok' : code.startsWith('WIRE_')
        },
      ),
      runs(2, 400),
    )
  })

  test('gets nothing for a request with any bit flipped, in envelope, certificate or body', () => {
    const { payload, signature } = ask.certificate
    const parts = [token.payload, token.proof, payload, signature, good.body]
    const bits = parts.reduce((sum, part) => sum + part.length * 8, 0)
    fc.assert(
      fc.property(fc.nat(bits - 1), (bit) => {
        let left = bit
        const [envelope, proof, certificate, signed, body] = parts.map((part) => {
          const own = left >= 0 && left < part.length * 8 ? flip(part, left) : part
          left -= part.length * 8
          return own
        })
        if (!envelope || !proof || !certificate || !signed || !body) throw new Error('five parts')
        const raw = rawHeaders(
          { envelope: writeToken(envelope, proof), body: good.body },
          writeToken(certificate, signed),
        )
        return receive(createReceiver({ serve }), raw, { body }).startsWith('WIRE_')
      }),
      runs(3, 400),
    )
  })

  test('gets nothing with a certificate that is not its own', async () => {
    const miner = createReceiver({ serve })
    // it knows Alice's certificate, not her session's secrets: it proves with its own
    const own = pairOf(thief, serve)
    const { payload } = token
    const proofs = {
      mac: own.mac(payload),
      signature: thief.sign(payload),
      empty: new Uint8Array(32),
      zero: new Uint8Array(64),
    }
    for (const [kind, proof] of Object.entries(proofs))
      expect(
        receive(miner, rawHeaders({ envelope: writeToken(payload, proof), body: good.body }, ask.certificate.text)),
        kind,
      ).toBe('WIRE_PROOF')
    // its own request under her certificate
    expect(receive(miner, rawHeaders(askOf(thief, serve), ask.certificate.text))).toBe('WIRE_CERTIFICATE')
    // her session, certified by itself
    const stolen = readCertificate(writeToken(ask.certificate.payload, charlie.sign(ask.certificate.payload)))
    expect(stolen.ok && receive(miner, rawHeaders(good, stolen.certificate.text))).toBe('WIRE_CERTIFICATE')
    expect(miner.table.size).toBe(0)
  })

  test.each([
    ['of another chain', { genesisHash: new Uint8Array(32) }, 'WIRE_CHAIN'],
    ['of another subnet', { netuid: 2 }, 'WIRE_NETUID'],
    ['of another purpose', { purpose: 'serve' as const }, 'WIRE_CERTIFICATE'],
    ['for another miner', { audience: charlie.address }, 'WIRE_AUDIENCE'],
    ['of another registration', { registeredAt: 99 }, 'WIRE_REGISTRATION'],
    ['that is over', { issuedAt: NOW - 3_600_000 }, 'WIRE_SESSION_EXPIRED'],
    ['from the far future', { issuedAt: NOW + 3_600_000 }, 'WIRE_SESSION_EXPIRED'],
    ['from 6 s ahead', { issuedAt: NOW + 6_000 }, 'WIRE_SESSION_EXPIRED'],
  ])('gets nothing with a session %s, and no signature of it is verified', async (_, of, code) => {
    const miner = createReceiver({ serve })
    const session = await open({ signer: alice, purpose: 'ask', ...of })
    const asker = { ...session, purpose: 'ask' as const }
    expect(receive(miner, rawHeaders(askOf(asker, serve), session.certificate.text))).toBe(code)
    expect([miner.verified(), miner.table.size]).toEqual([0, 0])
  })

  test('gets nothing by sending a request again: at once, after a restart, to another miner, or later', async () => {
    const store = createMemorySessionStore()
    const miner = createReceiver({ serve, store })
    const raw = rawHeaders(good, ask.certificate.text)
    expect(receive(miner, raw)).toBe('ok')
    expect(receive(miner, raw)).toBe('WIRE_REPLAY')
    expect(receive(miner, raw, { now: NOW + 15_000 })).toBe('WIRE_EXPIRED')
    expect(receive(createReceiver({ serve: neighbour }), raw)).toBe('WIRE_RECEIVER')
    // the process starts again: a new session of the miner's, and the store
    const again = await open({ signer: bob, purpose: 'serve' })
    expect(receive(createReceiver({ serve: again, store }), raw)).toBe('WIRE_SESSION_OLD')
    expect(receive(createReceiver({ serve, store }), raw)).toBe('WIRE_SESSION_OLD') // even with the old one
    const bare = askOf(ask, serve, { withKeys: false, counter: 9 })
    expect(
      receive(createReceiver({ serve: again, store }), rawHeaders(bare, ask.certificate.text), { body: bare.body }),
    ).toBe('WIRE_SESSION_OLD')
    const renewed = await open({ signer: alice, purpose: 'ask', issuedAt: NOW + 1 })
    const fresh = askOf(renewed, again)
    expect(
      receive(createReceiver({ serve: again, store }), rawHeaders(fresh, renewed.certificate.text), {
        body: fresh.body,
      }),
    ).toBe('ok')
  })

  test('locks nobody out with counters, times and sessions from the far future', async () => {
    const store = createMemorySessionStore()
    const miner = createReceiver({ serve, store })
    expect(receive(miner, rawHeaders(good, ask.certificate.text))).toBe('ok')
    for (const of of [
      { counter: 2 ** 53 - 1 },
      { counter: 1_000_002 },
      { sentAt: NOW + 3_600_000, counter: 2 },
      { sentAt: 2 ** 53 - 1, counter: 3 },
    ]) {
      const mad = askOf(ask, serve, of)
      expect(receive(miner, rawHeaders(mad), { body: mad.body })).toMatch(/^WIRE_(COUNTER|EXPIRED)$/)
    }
    for (const issuedAt of [NOW + 5_001, NOW + 86_400_000, 2 ** 53 - 1 - 3_600_000]) {
      const future = await open({ signer: alice, purpose: 'ask', issuedAt })
      const request = askOf(future, serve)
      expect(receive(miner, rawHeaders(request, future.certificate.text), { body: request.body })).toBe(
        'WIRE_SESSION_EXPIRED',
      )
    }
    const next = askOf(ask, serve, { counter: 2 })
    expect(receive(miner, rawHeaders(next), { body: next.body })).toBe('ok')
    expect(receive(createReceiver({ serve, store }), rawHeaders(good, ask.certificate.text))).toBe('WIRE_SESSION_OLD')
    const other = await open({ signer: alice, purpose: 'ask', issuedAt: NOW + 1 })
    const first = askOf(other, serve)
    expect(
      receive(createReceiver({ serve, store }), rawHeaders(first, other.certificate.text), { body: first.body }),
    ).toBe('ok')
  })

  test('whose clock is up to an hour off gets in only within 5 s ahead and its own timeout behind', async () => {
    const skew = fc.integer({ min: -3_600_000, max: 3_600_000 })
    const edge = fc.constantFrom(-15_001, -15_000, -14_999, -5_000, 0, 5_000, 5_001)
    const miner = createReceiver({ serve })
    const day = await open({ signer: alice, purpose: 'ask', issuedAt: NOW - 7_200_000, lifetimeMs: 86_400_000 })
    let counter = 0
    fc.assert(
      fc.property(fc.oneof(skew, edge), (off) => {
        const request = askOf(day, serve, { sentAt: NOW + off, counter: ++counter })
        const code = receive(miner, rawHeaders(request, day.certificate.text), { body: request.body })
        return code === (off <= 5_000 && off > -15_000 ? 'ok' : 'WIRE_EXPIRED')
      }),
      runs(4, 300),
    )
  })

  test('takes no more memory than a table has, however many sessions it names', () => {
    const miner = createReceiver({ serve })
    const cache = createPairKeyCache(4)
    for (let run = 0; run < 3_000; run += 1) {
      const id = Buffer.alloc(16)
      id.writeUInt32BE(run)
      const read = readRequest(rawHeaders(good))
      if (!read.ok) throw new Error(read.code)
      expect(miner.table.find(id.toString('base64url'), NOW)).toEqual({ ok: true, session: null })
      if (run < 20) cache.get(serve, { id, sealKey: ask.certificate.sealKey })
    }
    expect([miner.table.size, miner.table.hotkeys, cache.size]).toEqual([0, 0, 4])
  })
})

describe('a hostile miner', () => {
  test('cannot answer with what it or another miner answered before', () => {
    const before = askOf(ask, serve, { counter: 7 })
    const body = Buffer.from('{"text":"b"}')
    const written = writeAnswer({
      session: serve,
      requestHash: before.hash,
      status: 200,
      contentType: 'application/json',
      body,
      answeredAt: NOW,
      seal: { keys: pairOf(serve, ask), counter: 7 },
    })
    expect(good.hash).not.toEqual(before.hash)
    expect(pairOf(ask, serve).answer.open({ counter: 1, bytes: written.body })).toBeNull()
    expect(pairOf(ask, neighbour).answer.open({ counter: 7, bytes: written.body })).toBeNull()
    expect(pairOf(ask, serve).request.open({ counter: 7, bytes: written.body })).toBeNull()
  })
})
