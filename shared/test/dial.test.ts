import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame, decodeWindow, encodeFrame, encodeWindow, FRAME } from '../src/dial/frame.ts'
import {
  type DialRequest,
  decodeHead,
  decodeHello,
  decodeRequest,
  decodeWelcome,
  encodeHead,
  encodeHello,
  encodeRequestHead,
  encodeWelcome,
} from '../src/dial/messages.ts'
import { dialStatement, hostOf, probeStatement } from '../src/dial/statement.ts'
import { decodeCanonical, encodeCanonical } from '../src/protocol/canonical.ts'
import type { UnixMs } from '../src/units.ts'

const seed = 20_261_121
const hello = {
  certificate: 'Y2VydA.c2ln',
  host: '192.0.2.1:8095',
  signature: randomBytes(64),
  inFlight: 64,
  bodyBytes: 1_000,
}
const request = {
  method: 'POST',
  path: '/chat',
  envelope: 'cGF5.cHJvb2Y',
  certificate: null,
  asker: '192.0.2.7',
  body: randomBytes(100),
}
const head = {
  status: 200,
  contentType: 'application/arbor-sealed',
  envelope: 'cGF5.c2ln',
  certificate: null,
  retryAfterS: 3,
}
const encodeRequest = (of: DialRequest): Uint8Array => Uint8Array.from(Buffer.concat([encodeRequestHead(of), of.body]))
const welcome = { windowBytes: 262_144, inFlight: 64, relays: true }

describe('frames of a dialled connection', () => {
  test('are read as they were written', () => {
    const frame = { kind: FRAME.body, id: 0xffff_ffff, payload: Uint8Array.from([1, 2, 3]) }
    expect(encodeFrame(frame)).toEqual(Uint8Array.from([6, 255, 255, 255, 255, 1, 2, 3]))
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
    expect(decodeWindow(encodeWindow(65_536))).toBe(65_536)
    expect(decodeHello(encodeHello(hello))).toEqual({ ...hello, signature: Uint8Array.from(hello.signature) })
    expect(decodeWelcome(encodeWelcome(welcome))).toEqual(welcome)
    expect(decodeRequest(encodeRequest(request))).toEqual({ ...request, body: Uint8Array.from(request.body) })
    expect(decodeHead(encodeHead(head))).toEqual(head)
  })

  test('are refused when a field is not fit for its place', () => {
    for (const wrong of [
      { certificate: 'no token' },
      { host: 'x'.repeat(301) },
      { signature: randomBytes(63) },
      { inFlight: 0 },
    ])
      expect(decodeHello(encodeHello({ ...hello, ...wrong }))).toBe(null)
    for (const wrong of [{ windowBytes: 1_000 }])
      expect(decodeWelcome(encodeWelcome({ ...welcome, ...wrong }))).toBe(null)
    for (const wrong of [
      { method: 'X'.repeat(17) },
      { path: `/${'x'.repeat(256)}` },
      { envelope: 'two.dots.here' },
      { certificate: `${'a'.repeat(1_024)}.b` },
      { asker: 'x'.repeat(65) },
    ])
      expect(decodeRequest(encodeRequest({ ...request, ...wrong }))).toBe(null)
    for (const wrong of [
      { status: 199 },
      { status: 600 },
      { contentType: 'text/plain\r\nx: y' },
      { envelope: 'a.b\r\nx: y' },
      { certificate: 'a b.c' },
      { retryAfterS: 3_601 },
    ])
      expect(decodeHead(encodeHead({ ...head, ...wrong }))).toBe(null)
  })

  test('are read or refused, never thrown at, whatever comes', () => {
    const decoders = [decodeFrame, decodeWindow, decodeHello, decodeWelcome, decodeRequest, decodeHead]
    const valid = [encodeHello(hello), encodeWelcome(welcome), encodeRequest(request), encodeHead(head)]
    const changed = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 3 }))
      .map(([bytes, at, value, cut]) => {
        const copy = Uint8Array.from(bytes)
        copy[at % copy.length] = value
        return copy.subarray(0, copy.length - cut)
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), changed), (bytes) => {
        for (const decode of decoders) decode(bytes)
        const read = decodeHead(bytes)
        if (read !== null) expect(encodeHead(read)).toEqual(bytes) // one spelling each
      }),
      { seed, numRuns: 2_000 },
    )
  })

  test('sign the challenge with the host, and the port with its time', () => {
    const challenge = new Uint8Array(32)
    expect(decodeCanonical(dialStatement({ challenge, host: 'a:1' }))).toEqual(['arbor/dial/2', challenge, 'a:1'])
    expect(probeStatement({ host: 'a:1', port: 2, sentAt: 3 as UnixMs })).toEqual(
      encodeCanonical(['arbor/probe/2', 'a:1', 2, 3]),
    )
  })

  test.each([
    ['ws://Relay.Example.org', 'relay.example.org:80'],
    ['wss://relay.example.org', 'relay.example.org:443'],
    ['ws://127.0.0.1:8095/x', '127.0.0.1:8095'],
    ['ws://[2001:DB8::1]:80', '[2001:db8::1]:80'],
  ])('name the host of %s as %s', (url, host) => expect(hostOf(new URL(url))).toBe(host))
})
