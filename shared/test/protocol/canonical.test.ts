import { decode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/hex.ts'
import { decodeCanonical, encodeCanonical, type Field } from '../../src/protocol/canonical.ts'
import { readToken, writeToken } from '../../src/protocol/token.ts'

const field = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constant(null),
)

describe('canonical array', () => {
  test('comes back as it was encoded, of one spelling', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 30 }), (fields: Field[]) => {
        const bytes = encodeCanonical(fields)
        const back = decodeCanonical(bytes)
        expect(plain(back ?? [])).toEqual(fields)
        expect(encodeCanonical(back ?? [])).toEqual(bytes)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  // [1] and ["a"] and [h'00'], each spelled in every other way that some decoder takes
  test.each([
    ['an integer in two bytes', '811801'],
    ['an integer in three bytes', '81190001'],
    ['an integer in five bytes', '811a00000001'],
    ['an integer in nine bytes', '811b0000000000000001'],
    ['a half float', '81f93c00'],
    ['a single float', '81fa3f800000'],
    ['a double float', '81fb3ff0000000000000'],
    ['a negative integer', '8120'],
    ['minus zero', '81f98000'],
    ['not a number', '81f97e00'],
    ['infinity', '81f97c00'],
    ['an integer of 2^53', '811b0020000000000000'],
    ['an integer of 2^64 − 1', '811bffffffffffffffff'],
    ['a bignum', '81c24101'],
    ['a tag', '81c001'],
    ['a boolean', '81f5'],
    ['undefined', '81f7'],
    ['a simple value', '81e0'],
    ['a reserved simple value', '81f818'],
    ['a nested array', '818101'],
    ['a map in it', '81a0'],
    ['a map', 'a10001'],
    ['an integer alone', '01'],
    ['text alone', '6161'],
    ['an indefinite array', '9f01ff'],
    ['an indefinite text', '817f6161ff'],
    ['an indefinite byte string', '815f4100ff'],
    ['a long array head', '980101'],
    ['a longer array head', '99000101'],
    ['a long text head', '81780161'],
    ['a text head of two bytes', '8179000161'],
    ['a long byte string head', '81580100'],
    ['a trailing byte', '810100'],
    ['two arrays', '81018101'],
    ['a break', 'ff'],
    ['nothing', ''],
    ['an array cut off', '82'],
    ['text cut off', '81626162'.slice(0, 6)],
    ['ill-formed UTF-8', '8161ff'],
    ['an encoded surrogate', '8163eda080'],
    ['an overlong character', '8162c080'],
    ['an array of 2^32 elements', '9affffffff01'],
    ['an array of 2^64 elements', '9bffffffffffffffff01'],
    ['a byte string of 2^32 bytes', '815affffffff00'],
    ['a byte string of 2^64 bytes', '815bffffffffffffffff00'],
    ['text of 2^53 bytes', '817b002000000000000061'],
    ['arrays nested 700 deep', '81'.repeat(700)],
  ])('is refused when it holds %s', (_, hex) => {
    expect(decodeCanonical(fromHex(`0x${hex}`))).toBeNull()
  })

  test('keeps a byte order mark, which is text like other text', () => {
    expect(decodeCanonical(fromHex('0x8163efbbbf'))).toEqual(['\ufeff'])
  })

  test('takes no memory that its bytes do not have', () => {
    const before = process.memoryUsage().arrayBuffers
    for (let run = 0; run < 1_000; run += 1)
      for (const hex of ['815affffffff00', '9affffffff01', '817affffffff61']) decodeCanonical(fromHex(`0x${hex}`))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
  })

  test('never throws, and is taken exactly where a library decodes it and spells it so again', () => {
    const mutated = fc.tuple(fc.array(field, { maxLength: 6 }), fc.nat(), fc.integer({ min: 1, max: 255 }))
    const heads = fc.array(
      fc.constantFrom(
        0x18,
        0x19,
        0x1a,
        0x1b,
        0x40,
        0x41,
        0x58,
        0x60,
        0x61,
        0x78,
        0x80,
        0x81,
        0x98,
        0xf6,
        0xf8,
        0,
        1,
        23,
        24,
      ),
      { maxLength: 8 },
    )
    let taken = 0
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated, heads), (input) => {
        const bytes =
          input instanceof Uint8Array
            ? input
            : Array.isArray(input[0])
              ? spoil(encodeCanonical(input[0]), Number(input[1]), Number(input[2]))
              : Uint8Array.of(0x80 + (input.length % 3), ...(input as number[]))
        const read = decodeCanonical(bytes)
        expect(read === null ? null : plain(read)).toEqual(reference(bytes))
        taken += read === null ? 0 : 1
      }),
      { seed: 2, numRuns: 10_000 },
    )
    expect(taken).toBeGreaterThan(1_000)
  })
})

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
} as const

/** What cborg reads, where that is a flat array of our types and cborg writes the same bytes for it; else null. */
const reference = (bytes: Uint8Array): readonly Field[] | null => {
  try {
    const value: unknown = decode(bytes, STRICT)
    if (!Array.isArray(value) || !value.every(isField)) return null
    return toHex(encodeCanonical(value)) === toHex(bytes) ? plain(value) : null
  } catch {
    return null
  }
}
const isField = (value: unknown): value is Field =>
  value === null ||
  typeof value === 'string' ||
  value instanceof Uint8Array ||
  (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
const plain = (fields: readonly Field[]): readonly Field[] =>
  fields.map((each) => (each instanceof Uint8Array ? Uint8Array.from(each) : each))

const spoil = (bytes: Uint8Array, position: number, xor: number): Uint8Array =>
  bytes.with(position % bytes.length, (bytes[position % bytes.length] ?? 0) ^ xor)

describe('token', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        (payload, proof) => {
          const token = readToken(writeToken(payload, proof))
          expect(token && [Uint8Array.from(token.payload), Uint8Array.from(token.proof)]).toEqual([payload, proof])
        },
      ),
      { seed: 3, numRuns: 200 },
    )
  })

  test.each([
    ['empty', ''],
    ['a full stop', '.'],
    ['without payload', '.AA'],
    ['without proof', 'AA.'],
    ['without full stop', 'AAAA'],
    ['of three parts', 'AA.AA.AA'],
    ['padded', 'AA==.AA'],
    ['of the other alphabet', '+/8.AA'],
    ['of spare bits', 'AB.AA'],
    ['of spare bits in its proof', 'AA.AB'],
    ['of one character too many', 'AAAAA.AA'],
    ['with a space', 'A A.AA'],
    ['with a line break', 'AA.AA\n'],
    ['of other text', 'AÄ.AA'],
    ['too long', `${'AAAA'.repeat(256)}.AA`],
  ])('is refused when it is %s', (_, text) => {
    expect(readToken(text)).toBeNull()
  })
})
