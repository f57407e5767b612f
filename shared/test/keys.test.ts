import { readFileSync } from 'node:fs'
import { cryptoWaitReady, sr25519PairFromSeed, sr25519Sign, sr25519Verify } from '@polkadot/util-crypto'
import { describe, expect, test } from 'vitest'
import { concatBytes, toBytes } from '../src/bytes.ts'
import { SubnetError } from '../src/errors.ts'
import { fromHex, isHex, toHex } from '../src/hex.ts'
import { keypairFromMnemonic, keypairFromSecret, keypairFromSeed, keypairFromUri } from '../src/keys.ts'
import { decodeSs58, encodeSs58, isSs58 } from '../src/ss58.ts'
import { verifySignature } from '../src/verify-signature.ts'

type Row = Readonly<Record<string, string>>

/** Made by bittensor 10.5.0. */
const vectors = (name: string): Record<string, Row[]> =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/wire/${name}.json`, import.meta.url), 'utf8'))
const { uri = [], mnemonic = [], seed = [], invalid_mnemonic = [], invalid_ss58 = [] } = vectors('keys')
const { cases = [] } = vectors('signatures')

const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof SubnetError) return error.code
    throw error
  }
  return 'none'
}

describe('keypair', () => {
  test.each(uri)('equals the reference when made from $uri', (row) => {
    const pair = keypairFromUri(row.uri ?? '')
    expect([toHex(pair.publicKey), pair.address]).toEqual([row.public_key, row.ss58])
  })

  test.each(mnemonic)('equals the reference when made from phrase $mnemonic', (row) => {
    expect(keypairFromMnemonic(row.mnemonic ?? '').address).toBe(row.ss58)
  })

  test.each(seed.filter((row) => row.ss58))('equals the reference when made from seed $seed', (row) => {
    expect(keypairFromSeed(fromHex(row.seed ?? '')).address).toBe(row.ss58)
  })

  test.each(invalid_mnemonic)('is refused for phrase "$mnemonic"', (row) => {
    expect(codeOf(() => keypairFromMnemonic(row.mnemonic ?? ''))).toBe('KEY_INVALID_MNEMONIC')
  })

  test('never repeats a secret when it refuses one', () => {
    const secrets = [
      'bottom drive obey lake curtain smoke basket hold race lonely fit wall',
      '0xdeadbeef//1',
      'pass word///',
    ]
    for (const secret of secrets) {
      expect(() => keypairFromUri(secret)).toThrow(SubnetError)
      expect(() => keypairFromUri(secret)).not.toThrow(/drive|deadbeef|pass word/)
    }
  })

  test('made from its expanded secret signs for the same address, and a wrong secret is refused', async () => {
    await cryptoWaitReady()
    const seed = fromHex(`0x${'07'.repeat(32)}`)
    const { secretKey, publicKey } = sr25519PairFromSeed(seed)
    const pair = keypairFromSecret(secretKey, publicKey)
    expect(pair.address).toBe(keypairFromSeed(seed).address)
    expect(sr25519Verify('text', pair.sign(toBytes('text')), publicKey)).toBe(true)
    expect(codeOf(() => keypairFromSecret(secretKey, keypairFromUri('//Bob').publicKey))).toBe('KEY_INVALID_SECRET')
    expect(codeOf(() => keypairFromSecret(secretKey.slice(1)))).toBe('KEY_INVALID_SECRET')
    expect(codeOf(() => keypairFromSecret(new Uint8Array(64).fill(0xff)))).toBe('KEY_INVALID_SECRET')
  })
})

describe('signature', () => {
  /** The reference also accepts wrapped messages and upper case; the wrapping is the caller's affair. */
  test.each(cases)('is judged as the reference judges it: $note', ({
    note = '',
    message: text = '',
    signature = '',
    address = '',
    expect_valid,
  }) => {
    const wrapped = note.includes('<Bytes>') ? `<Bytes>${text}</Bytes>` : text
    const message = text.startsWith('0x') ? fromHex(text) : toBytes(wrapped)
    const valid = isHex(signature) && verifySignature(decodeSs58(address), message, fromHex(signature))
    expect(valid).toBe(expect_valid)
  })

  test('is interchangeable with the other library, both ways', async () => {
    await cryptoWaitReady()
    const other = sr25519PairFromSeed(fromHex(`0x${'11'.repeat(32)}`))
    const own = keypairFromSeed(fromHex(`0x${'11'.repeat(32)}`))
    for (const size of [0, 1, 31, 64, 1000]) {
      const message = new Uint8Array(size).fill(size)
      expect(verifySignature(own.publicKey, message, sr25519Sign(message, other))).toBe(true)
      expect(sr25519Verify(message, own.sign(message), own.publicKey)).toBe(true)
    }
  })

  test('is false for malformed keys and signatures, and good ones still verify after thousands of them', () => {
    const pair = keypairFromUri('//Alice')
    const message = toBytes('m')
    const good = pair.sign(message)
    const order = fromHex('0xedd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
    const marked = order.with(31, (order[31] ?? 0) | 0x80)
    const bad = [
      new Uint8Array(64),
      new Uint8Array(64).fill(0xff),
      good.slice(1),
      concatBytes(good, Uint8Array.of(0)),
      new Uint8Array(0),
      concatBytes(good.slice(0, 32), marked),
    ]
    for (let round = 0; round < 2_000; round += 1) {
      for (const signature of bad) expect(verifySignature(pair.publicKey, message, signature)).toBe(false)
      if (round % 40 === 0)
        expect(verifySignature(new Uint8Array(32).fill(round === 0 ? 0xff : round | 1), message, good)).toBe(false)
    }
    expect(verifySignature(pair.publicKey, message, good)).toBe(true)
  })
})

describe('address', () => {
  test.each(invalid_ss58)('"$ss58" is refused', ({ ss58: address = '' }) => {
    expect(isSs58(address)).toBe(false)
    expect(codeOf(() => decodeSs58(address))).toBe('SS58_INVALID')
  })

  test('comes back from its key when decoded and encoded', () => {
    for (const { ss58 = '' } of uri) expect(encodeSs58(decodeSs58(ss58))).toBe(ss58)
  })

  test('of another network is refused', () => {
    expect(codeOf(() => decodeSs58('15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5'))).toBe('SS58_INVALID')
  })
})
