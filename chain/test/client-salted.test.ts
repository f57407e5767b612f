import { blake2b256 } from '@arbor/shared/hashing'
import { fromHex, toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { NetUid, Ss58, Uid } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/chain/commit_reveal.json' with { type: 'json' }
import { commitTimelockedWeights, commitWeights, revealWeights } from '../src/client/calls.ts'
import { encodeCall } from '../src/client/encode.ts'
import { toPlain } from '../src/client/plain.ts'
import { drawSalt, type SaltedRow, saltedHash, saltedRow } from '../src/client/salted.ts'
import { encodeRow, encodeSalt, encodeVersion } from '../src/timelock/payload.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'

const alice = keypairFromUri('//Alice')
const row = [
  [0 as Uid, 65_535],
  [5 as Uid, 9],
] as const
const base: SaltedRow = {
  netuid: 1 as NetUid,
  mechanism: 0,
  hotkey: alice.address,
  row,
  salt: [1, 2, 3, 4, 5, 6, 7, 8],
  version: 10_005_000n,
}

describe('hash of a salted commit', () => {
  it.each(vectors.cases)('is the reference’s for index $netuid_index, version $version_key', (entry) => {
    const found = saltedHash({
      netuid: (entry.netuid_index % 4096) as NetUid,
      mechanism: Math.floor(entry.netuid_index / 4096),
      hotkey: entry.hotkey as Ss58,
      row: entry.uids.map((uid, index) => [uid as Uid, entry.values[index] ?? 0] as const),
      salt: entry.salt,
      // The largest version passes through a double in JSON.
      version: entry.version_key > 2 ** 63 ? 2n ** 64n - 1n : BigInt(entry.version_key),
    })
    expect(found).toBe(entry.commit_hash)
  })

  const rows = fc
    .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 1, max: 65_535 })), {
      selector: ([uid]) => uid,
      minLength: 1,
      maxLength: 64,
    })
    .map((all) => all.map(([uid, value], index) => [uid as Uid, index === 0 ? 65_535 : value] as const))
  const salted = fc.record({
    netuid: fc.integer({ min: 0, max: 4095 }).map((value) => value as NetUid),
    mechanism: fc.integer({ min: 0, max: 15 }),
    hotkey: fc.constant(alice.address),
    row: rows,
    salt: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 8, maxLength: 32 }),
    version: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })

  it.runIf(fixtures.some(({ spec }) => spec === 424))(
    'what is revealed hashes to what was committed, whatever the parameters',
    () => {
      const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
      fc.assert(
        fc.property(salted, (of) => {
          const sealed = saltedRow(of)
          const commit = encodeCall(runtime, commitWeights(sealed))
          const reveal = encodeCall(runtime, revealWeights(sealed))
          // As the chain does it: from the arguments of the reveal, not from our value.
          const args = Object.fromEntries(
            [...reveal.argsEntries].map(([name, value]) => [name, toPlain(value)]),
          ) as Record<string, bigint & bigint[]>
          const index = Number(args.mecid ?? 0n) * 4096 + Number(args.netuid)
          const uids = (args.uids ?? []).map(Number)
          const preimage = Buffer.concat([
            alice.publicKey,
            Uint8Array.of(index & 255, index >> 8),
            encodeRow(uids.map((uid, at) => [uid as Uid, Number(args.values?.[at])] as const)),
            encodeSalt((args.salt ?? []).map(Number)),
            encodeVersion(BigInt(args.version_key ?? 0n)),
          ])
          const hash = toPlain(commit.argsEntries.at(-1)?.[1]) ?? null
          const stated = of.mechanism === 0 ? hash : toPlain(commit.args.find((arg) => arg.toU8a().length === 32))
          expect(toHex(blake2b256(preimage))).toBe(stated)
        }),
        { numRuns: 100, seed: 3 },
      )
    },
  )
})

describe('a row that is to be committed', () => {
  it.each([
    ['its largest value is not 65 535', { row: [[0 as Uid, 40_000]] as const }],
    ['it holds a zero', { row: [...row, [7 as Uid, 0] as const] }],
    ['a uid stands twice', { row: [...row, [0 as Uid, 3] as const] }],
    ['a value is no u16', { row: [[0 as Uid, 65_536]] as const }],
    ['its salt is short', { salt: [1, 2, 3] }],
    ['its version is no u64', { version: 2n ** 64n }],
  ])('is refused before anything is sent when %s', (_, change) => {
    expect(() => saltedRow({ ...base, ...change })).toThrowError(
      expect.objectContaining({ code: 'WEIGHTS_COMMIT_FORM' }),
    )
  })

  it('keeps the caller’s version key in hash and reveal', () => {
    expect(saltedHash({ ...base, version: 1n })).not.toBe(saltedHash({ ...base, version: 2n }))
    expect(revealWeights(base).args.version_key).toBe(10_005_000n)
  })

  it('draws a salt of 128 bits', () => {
    expect(drawSalt((length) => new Uint8Array(length).fill(0xab))).toEqual(Array(8).fill(0xabab))
  })
})

describe.each(fixtures.filter(({ spec }) => spec >= 343))('commit-reveal calls on metadata $spec', ({ spec, file }) => {
  const runtime = runtimeOf(file, spec)
  const bytes = (hex: string): Uint8Array => fromHex(hex)

  it('have the indices and layouts of the reference', () => {
    const hash = saltedHash(base).slice(2)
    const opened = `08${'0000'}${'0500'}08${'ffff'}${'0900'}20${'0100020003000400050006000700'}0800${'08aa980000000000'}`
    expect(encodeCall(runtime, commitWeights(base)).toHex()).toBe(`0x07600100${hash}`)
    expect(encodeCall(runtime, revealWeights(base)).toHex()).toBe(`0x07610100${opened}`)
    const second = { ...base, mechanism: 1 }
    expect(encodeCall(runtime, commitWeights(second)).toHex()).toBe(`0x0773010001${saltedHash(second).slice(2)}`)
    expect(encodeCall(runtime, revealWeights(second)).toHex()).toBe(`0x0774010001${opened}`)
    const sealed = { netuid: base.netuid, sealed: bytes('0xabcd'), round: 1000n, version: 4 }
    expect(encodeCall(runtime, commitTimelockedWeights({ ...sealed, mechanism: 0 })).toHex()).toBe(
      '0x0771010008abcde8030000000000000400',
    )
    expect(encodeCall(runtime, commitTimelockedWeights({ ...sealed, mechanism: 2 })).toHex()).toBe(
      '0x077601000208abcde8030000000000000400',
    )
  })
})
