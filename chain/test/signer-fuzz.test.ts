import { fromHex } from '@arbor/shared/hex'
import { encodeCanonical, sameBytes } from '@arbor/shared/protocol/canonical'
import { certificateBytes } from '@arbor/shared/protocol/certificate'
import type { Block, NetUid, Uid, UnixMs } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { serveAxon, setCommitment, setWeights } from '../src/client/calls.ts'
import type { Call } from '../src/client/types.ts'
import { createFrameReader, MAX_FRAME_BYTES, writeFrame } from '../src/signer/frames.ts'
import { otherReading } from '../src/signer/judge.ts'
import { askedFields, readAnswered, readAsked, readHello } from '../src/signer/messages.ts'
import { readPayload } from '../src/signer/payload.ts'
import { parsePolicy, policyFor } from '../src/signer/policy.ts'
import { SIGN_KINDS } from '../src/signer/rules.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'
import { alice, GENESIS, judgeBy, NOW, never, payloadOf } from './support/signing.ts'

const SEED = 20_261_121
const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
const netuid = 1 as NetUid
/** Allows everything that a role may, at any rate: what is refused is refused by the bytes. */
const widest = parsePolicy({
  netuids: [1],
  certificates: { purposes: ['ask', 'serve'], maxLifetimeMs: 86_400_000, perMinute: 100_000 },
  extrinsics: {
    calls: [...new Set(['miner', 'validator'] as const)].flatMap(
      (role) => policyFor(role, { netuids: [1], speaksBittensor: true }).extrinsics?.calls ?? [],
    ),
    perMinute: 100_000,
  },
  synapses: { perMinute: 100_000 },
  heads: { perMinute: 100_000 },
})
const judge = judgeBy({ policy: widest, runtime })
const kinds = fc.constantFrom(...SIGN_KINDS)
const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength })
const sign = (kind: (typeof SIGN_KINDS)[number], payload: Uint8Array, by = judge) =>
  by({ kind, hotkey: alice.address, bytes: payload }, never)

const calls: readonly Call[] = [
  setWeights({ netuid, row: [[0 as Uid, 9]], version: 1 }),
  serveAxon({ netuid, axon: { ip: '203.0.113.7', port: 8091, version: 2, protocol: 4 } }),
  setCommitment({ netuid, bytes: new Uint8Array(20) }),
]
const certificate = certificateBytes({
  genesisHash: fromHex(GENESIS),
  netuid,
  purpose: 'serve',
  hotkey: alice.publicKey,
  registeredAt: 12 as Block,
  audience: null,
  signKey: new Uint8Array(32).fill(3),
  sealKey: new Uint8Array(32).fill(4),
  issuedAt: NOW,
  expiresAt: (NOW + 3_600_000) as UnixMs,
})

describe('a signer whose policy is as wide as can be', () => {
  it('signs no arbitrary bytes, whatever they are called', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, bytes(400), async (kind, payload) => {
        expect((await sign(kind, payload)).ok).toBe(false)
      }),
      { seed: SEED, numRuns: 1_500 },
    )
  })

  it('signs no arbitrary bytes behind the number of an allowed call', async () => {
    const prefixes = await Promise.all(calls.map(async (call) => (await payloadOf(runtime, call)).payload.slice(0, 2)))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...prefixes), bytes(400), async (prefix, rest) => {
        expect((await sign('extrinsic', Buffer.concat([prefix, rest]))).ok).toBe(false)
      }),
      { seed: SEED, numRuns: 1_000 },
    )
  })

  it('a payload with a byte changed, cut or added is refused, or says wholly what it now says', async () => {
    const payloads = await Promise.all(calls.map(async (call) => (await payloadOf(runtime, call)).payload))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...payloads),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('change', 'cut', 'add', 'insert'),
        async (payload, where, change, how) => {
          const at = where % payload.length
          const parts = {
            change: [payload.subarray(0, at), Uint8Array.of((payload[at] ?? 0) ^ change), payload.subarray(at + 1)],
            cut: [payload.subarray(0, at)],
            add: [payload, Uint8Array.of(change)],
            insert: [payload.subarray(0, at), Uint8Array.of(change), payload.subarray(at)],
          }[how]
          const mutated = Uint8Array.from(Buffer.concat(parts))
          const judged = await sign('extrinsic', mutated)
          if (!judged.ok) return
          // Signed: then it is another allowed call, in its only spelling, of our subnet, chain and version.
          const read = readPayload(runtime, mutated)
          expect(read.ok && read.read).toMatchObject({
            args: { netuid: 1n },
            specVersion: 424,
            transactionVersion: 1,
            tip: 0n,
            genesisHash: fromHex(GENESIS),
          })
          expect(read.ok && widest.extrinsics?.calls.includes(read.read.call)).toBe(true)
        },
      ),
      { seed: SEED, numRuns: 1_500 },
    )
  })

  it('what it signs by one metadata is refused by each other one', async () => {
    for (const call of calls) {
      const { payload } = await payloadOf(runtime, call)
      for (const { file, spec } of fixtures.filter((each) => each.spec !== 424)) {
        const elsewhere = judgeBy({ policy: widest, runtime: runtimeOf(file, spec) })
        expect((await sign('extrinsic', payload, elsewhere)).ok).toBe(false)
      }
    }
  })

  it('a certificate with a bit changed is signed as what it now says, or refused', async () => {
    expect((await sign('certificate', certificate)).ok).toBe(true)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: certificate.length * 8 - 1 }), async (bit) => {
        const mutated = Uint8Array.from(certificate)
        mutated[bit >> 3] = (mutated[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const judged = await sign('certificate', mutated)
        expect((await sign('extrinsic', mutated)).ok).toBe(false)
        expect((await sign('synapse', mutated)).ok).toBe(false)
        expect((await sign('head', mutated)).ok).toBe(false)
        if (judged.ok) expect(judged.about).toMatchObject({ netuids: [1], hotkey: alice.address })
      }),
      { seed: SEED, numRuns: 1_500 },
    )
  })

  it('CBOR of any fields is no certificate', async () => {
    const field = fc.oneof(fc.nat(), fc.string(), fc.uint8Array({ maxLength: 40 }), fc.constant(null))
    await fc.assert(
      fc.asyncProperty(fc.array(field, { maxLength: 14 }), async (fields) => {
        const payload = encodeCanonical(['arbor/certificate/2', ...fields])
        expect((await sign('certificate', payload)).ok).toBe(false)
      }),
      { seed: SEED, numRuns: 1_000 },
    )
  })

  it('bytes that would convince somebody as something else are told from a payload', async () => {
    expect(otherReading(certificate)).toBe(true)
    const uuid = '5f0e2f0a-c6f1-11f0-8a6e-0242ac110002'
    const text = `${NOW}000000.${alice.address}.${alice.address}.${uuid}.${'ab'.repeat(32)}`
    expect(otherReading(new TextEncoder().encode(text))).toBe(true)
    for (const call of calls) expect(otherReading((await payloadOf(runtime, call)).message)).toBe(false)
  })
})

describe('messages of the socket', () => {
  it('come through in pieces of any size as they were written', () => {
    const field = fc.oneof(fc.nat(), fc.string(), fc.uint8Array({ maxLength: 60 }), fc.constant(null))
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
        (messages, sizes) => {
          const all = Buffer.concat(messages.map((fields) => writeFrame(fields)))
          const reader = createFrameReader()
          const found: unknown[] = []
          for (let at = 0, turn = 0; at < all.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1
            found.push(...(reader.push(all.subarray(at, at + size)) ?? []))
            at += size
          }
          expect([found.length, reader.isPartial]).toEqual([messages.length, false])
          const again = Buffer.concat(found.map((fields) => writeFrame(fields as (string | number)[])))
          expect(sameBytes(again, all)).toBe(true)
        },
      ),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('arbitrary bytes are no request, and no message is longer than it may be', () => {
    fc.assert(
      fc.property(bytes(200), (garbage) => {
        for (const fields of createFrameReader().push(garbage) ?? [])
          expect([readHello(fields), readAsked(fields)]).toEqual([null, null])
      }),
      { seed: SEED, numRuns: 1_000 },
    )
    const long = Buffer.alloc(4)
    long.writeUInt32BE(MAX_FRAME_BYTES + 1)
    expect(createFrameReader().push(long)).toBe(null)
    expect(createFrameReader().push(Buffer.alloc(4))).toBe(null)
  })

  it('a request is read only with all of its fields, and none more', () => {
    const asked = { is: 'sign', id: 1, publicKey: alice.publicKey, kind: 'certificate', bytes: certificate } as const
    const fields = askedFields(asked)
    expect(readAsked(fields)).toEqual(asked)
    for (let length = 0; length < fields.length; length += 1) expect(readAsked(fields.slice(0, length))).toBe(null)
    expect(readAsked([...fields, null])).toBe(null)
    expect(readAsked(['sign', 1, alice.publicKey, 'anything', certificate])).toBe(null)
    expect(readAsked(['sign', 2 ** 32, alice.publicKey, 'certificate', certificate])).toBe(null)
    expect(readAsked(['sign', 1, alice.publicKey, 'certificate', new Uint8Array(65_537)])).toBe(null)
    expect(readAnswered(['refused', 1, 'toString', ''])).toBe(null)
    expect(readAnswered(['signature', 1, new Uint8Array(63)])).toBe(null)
  })
})
