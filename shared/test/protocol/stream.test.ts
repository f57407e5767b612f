import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SubnetError } from '../../src/errors.ts'
import { createStreamReader, createStreamWriter, MAX_OPEN_CHUNK_BYTES, verifyEnd } from '../../src/protocol/stream.ts'
import { alice, askOf, bob, codeOf, flip, NOW, open, pairOf } from './support.ts'

const ask = await open({ signer: alice, purpose: 'ask' })
const serve = await open({ signer: bob, purpose: 'serve' })
const other = await open({ signer: bob, purpose: 'serve' })
const { hash: requestHash } = askOf(ask, serve)
const sealing = { keys: pairOf(serve, ask), counter: 3 }
const opening = { keys: pairOf(ask, serve), counter: 3 }
const good = { status: 200, code: '', answeredAt: NOW }

const write = (
  chunks: readonly Uint8Array[],
  of: { readonly isSealed?: boolean; readonly end?: Parameters<ReturnType<typeof createStreamWriter>['end']>[0] } = {},
): Buffer => {
  const writer = createStreamWriter({ session: serve, requestHash, seal: of.isSealed === false ? null : sealing })
  return Buffer.concat([...chunks.map((chunk) => writer.chunk(chunk)), writer.end(of.end ?? good)])
}
/** Reads in pieces of these sizes, over and over. */
const read = (
  bytes: Uint8Array,
  of: { readonly isSealed?: boolean; readonly sizes?: readonly number[]; readonly maxBytes?: number } = {},
): { readonly chunks: Buffer[]; readonly verdict: string } => {
  const reader = createStreamReader({
    seal: of.isSealed === false ? null : opening,
    maxBytes: of.maxBytes ?? 1_000_000,
  })
  const chunks: Buffer[] = []
  const sizes = of.sizes ?? [bytes.length]
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1)
    const piece = Uint8Array.from(bytes.subarray(at, at + size))
    const pushed = reader.push(piece)
    piece.fill(0) // the socket uses its buffer again
    if (!pushed.ok) return { chunks, verdict: pushed.fault }
    chunks.push(...pushed.chunks.map((chunk) => Buffer.from(chunk)))
    at += size
  }
  const finished = reader.finish()
  if (!finished.ok) return { chunks, verdict: finished.fault }
  return { chunks, verdict: codeOf(verifyEnd(finished.end, { certificate: serve.certificate, requestHash })) }
}

describe('stream', () => {
  test('comes as it was written, sealed or not, however the network cuts it', () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
        (chunks, isSealed, sizes) => {
          const got = read(write(chunks, { isSealed }), { isSealed, sizes })
          expect(got.verdict).toBe('ok')
          expect(got.chunks.map((each) => [...each])).toEqual(chunks.map((each) => [...each]))
        },
      ),
      { seed: 1, numRuns: 150 },
    )
  })

  test('carries chunks of 65 520 bytes, not larger ones', () => {
    const large = new Uint8Array(MAX_OPEN_CHUNK_BYTES).fill(1)
    expect(read(write([large, large]), { sizes: [1_460] }).verdict).toBe('ok')
    expect(() => write([new Uint8Array(MAX_OPEN_CHUNK_BYTES + 1)])).toThrow(SubnetError)
  })

  test('ends once: nothing is written after it', () => {
    const writer = createStreamWriter({ session: serve, requestHash, seal: null })
    writer.end(good)
    expect(() => writer.end(good)).toThrow(expect.objectContaining({ code: 'STREAM_ENDED' }))
    expect(() => writer.chunk(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'STREAM_ENDED' }))
  })

  test('that breaks off says so, signed', () => {
    expect(
      read(write([Buffer.from('Hel')], { end: { status: 504, code: 'MINER_LATE', answeredAt: NOW } })).verdict,
    ).toBe('ok')
    for (const end of [
      { status: 200, code: 'MINER_LATE', answeredAt: NOW },
      { status: 504, code: '', answeredAt: NOW },
    ])
      expect(read(write([], { end })).verdict).toBe('status')
  })

  test('is no answer cut anywhere, and none with bytes after it', () => {
    const bytes = write([Buffer.from('Hel'), Buffer.from('lo')])
    for (let length = 0; length < bytes.length; length += 1) expect(read(bytes.subarray(0, length)).verdict).toBe('cut')
    for (const extra of [Buffer.from([0]), Buffer.from([1, 0, 0, 0, 0]), bytes]) {
      expect(read(Buffer.concat([bytes, extra])).verdict).toBe('trailing')
      expect(read(Buffer.concat([bytes, extra]), { sizes: [1] }).verdict).toBe('trailing')
    }
  })

  test('is no answer with chunks left out, doubled, swapped or of another stream', () => {
    const frames = (() => {
      const writer = createStreamWriter({ session: serve, requestHash, seal: null })
      return [writer.chunk(Buffer.from('a')), writer.chunk(Buffer.from('b')), writer.end(good)] as const
    })()
    const [a, b, end] = frames
    for (const order of [[a, end], [b, a, end], [a, a, b, end], [a, b, b, end], [end]])
      expect(read(Buffer.concat(order), { isSealed: false }).verdict).toBe('body')
    const sealed = createStreamWriter({ session: serve, requestHash, seal: sealing })
    const [first, second] = [sealed.chunk(Buffer.from('a')), sealed.chunk(Buffer.from('b'))]
    expect(read(Buffer.concat([second, first])).verdict).toBe('seal')
    expect(read(a).verdict).toBe('seal') // not sealed, where the question was
  })

  test('has one empty chunk, sealed or not, and is no answer with more', () => {
    for (const isSealed of [true, false]) {
      const [text, mark] = [Buffer.from('a'), Buffer.alloc(0)]
      expect(read(write([text, mark, text], { isSealed }), { isSealed }).verdict).toBe('ok')
      expect(read(write([text, mark, text, mark], { isSealed }), { isSealed }).verdict).toBe('malformed')
    }
  })

  test('is no answer with the same bytes in fewer chunks', () => {
    const writer = createStreamWriter({ session: serve, requestHash, seal: null })
    const parts = [writer.chunk(Buffer.from('a')), writer.chunk(Buffer.from('b'))]
    expect(Buffer.concat(parts).toString('hex')).toBe('010000000161010000000162')
    const joined = Buffer.concat([Buffer.from('01000000026162', 'hex'), writer.end(good)])
    expect(read(joined, { isSealed: false }).verdict).toBe('body')
  })

  test('is no answer to another request, nor by another session', () => {
    const reader = createStreamReader({ seal: opening, maxBytes: 10 })
    reader.push(write([]))
    const finished = reader.finish()
    if (!finished.ok) throw new Error(finished.fault)
    expect(codeOf(verifyEnd(finished.end, { certificate: other.certificate, requestHash }))).toBe('session')
    expect(codeOf(verifyEnd(finished.end, { certificate: serve.certificate, requestHash: new Uint8Array(32) }))).toBe(
      'request',
    )
    const forged = { ...finished.end, signature: other.sign(finished.end.payload) }
    expect(codeOf(verifyEnd(forged, { certificate: serve.certificate, requestHash }))).toBe('signature')
  })

  test('has no bit that its end does not cover', () => {
    const bytes = write([Buffer.from('Hello'), Buffer.from(' you')], { isSealed: false })
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => read(flip(bytes, bit), { isSealed: false }).verdict !== 'ok'),
      { seed: 2, numRuns: 600 },
    )
  })

  test.each([
    ['another kind', '0300000000'],
    ['kind 0', '00'],
    ['a chunk over 65 536 bytes', '0100010001'],
    ['a chunk of 4 GB', '01ffffffff'],
    ['an end over 1 024 bytes', '0200000401'],
    ['an empty end', '0200000000'],
    ['an end that is no token', `0200000003${Buffer.from('A.A').toString('hex')}`],
    ['HTML', Buffer.from('<html>').toString('hex')],
  ])('is malformed with %s, before more of it is held', (_, hex) => {
    expect(read(Buffer.from(hex, 'hex')).verdict).toBe('malformed')
    expect(read(Buffer.from(hex, 'hex'), { sizes: [1] }).verdict).toBe('malformed')
  })

  test('is cut off above the bound of its reader, and stays refused', () => {
    const bytes = write([new Uint8Array(6), new Uint8Array(5)])
    expect(read(bytes, { maxBytes: 11 }).verdict).toBe('ok')
    expect(read(bytes, { maxBytes: 10 }).verdict).toBe('size')
    const reader = createStreamReader({ seal: opening, maxBytes: 10 })
    reader.push(bytes)
    expect([codeOf(reader.push(bytes)), codeOf(reader.push(new Uint8Array(0))), codeOf(reader.finish())]).toEqual([
      'size',
      'size',
      'size',
    ])
  })

  test('never throws for what a miner sends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, hasHead) => {
        const sent = hasHead ? Buffer.concat([write([Buffer.from('a')]).subarray(0, 22), bytes]) : bytes
        return read(sent, { sizes: [7, 1, 90] }).verdict !== 'ok'
      }),
      { seed: 3, numRuns: 1_000 },
    )
  })
})
