import { keyExtractSuri } from '@polkadot/util-crypto/key'
import { mnemonicGenerate, mnemonicToMiniSecret, mnemonicValidate } from '@polkadot/util-crypto/mnemonic'
import {
  sr25519_derive_keypair_hard,
  sr25519_derive_keypair_soft,
  sr25519_keypair_from_seed,
  sr25519_pubkey,
  sr25519_sign,
} from '@polkadot-labs/schnorrkel-wasm'
import { concatBytes, equalBytes } from './bytes.ts'
import { SubnetError } from './errors.ts'
import { fromHex, isHex } from './hex.ts'
import type { Keypair } from './keypair.ts'
import { encodeSs58 } from './ss58.ts'

/** Phrase behind //Alice and the other well-known development keys. @source substrate sp_core::crypto::DEV_PHRASE */
const DEV_PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk'
const SECRET_BYTES = 64

/**
 * Makes the key of a 32-byte seed ("mini secret").
 * @throws KEY_INVALID_SEED when it is not 32 bytes
 */
export const keypairFromSeed = (seed: Uint8Array): Keypair => {
  if (seed.length !== 32)
    throw invalid('KEY_INVALID_SEED', `A seed has 32 bytes, this one ${seed.length}; check the value`)
  return fromPair(sr25519_keypair_from_seed(seed))
}

/**
 * Makes the key of a BIP39 phrase, as Substrate does: PBKDF2 over the entropy, not over the words.
 * @throws KEY_INVALID_MNEMONIC without repeating the phrase
 */
export const keypairFromMnemonic = (mnemonic: string, password = ''): Keypair =>
  keypairFromSeed(seedFromMnemonic(mnemonic, password))

/** Derives the 32-byte seed of a BIP39 phrase. @throws KEY_INVALID_MNEMONIC without repeating the phrase */
export const seedFromMnemonic = (mnemonic: string, password = ''): Uint8Array => {
  if (!mnemonicValidate(mnemonic)) {
    throw invalid(
      'KEY_INVALID_MNEMONIC',
      'The phrase is no valid BIP39 mnemonic; check the number, spelling and order of its words',
    )
  }
  return mnemonicToMiniSecret(mnemonic, password)
}

/** Generates a phrase of 12 words (128 bits) or 24 (256 bits). */
export const generateMnemonic = (words: 12 | 24 = 12): string => mnemonicGenerate(words)

/**
 * Makes the key of a Substrate secret URI: `PHRASE//hard/soft///password`, `0xSEED//hard`, or `//Alice`, which
 * derives from the development phrase.
 * @throws KEY_INVALID_URI, KEY_INVALID_MNEMONIC, KEY_INVALID_SEED without repeating the secret
 */
export const keypairFromUri = (uri: string): Keypair => {
  const { phrase, path, password } = splitUri(uri.startsWith('/') ? DEV_PHRASE + uri : uri)
  const seed = isHex(phrase) ? fromHex(phrase) : seedFromMnemonic(phrase, password)
  if (seed.length !== 32)
    throw invalid('KEY_INVALID_SEED', `A seed has 32 bytes, this one ${seed.length}; check the value`)
  const pair = path.reduce(
    (parent, { isHard, chainCode }) =>
      isHard ? sr25519_derive_keypair_hard(parent, chainCode) : sr25519_derive_keypair_soft(parent, chainCode),
    sr25519_keypair_from_seed(seed),
  )
  return fromPair(pair)
}

const splitUri = (
  uri: string,
): { phrase: string; path: ReturnType<typeof keyExtractSuri>['path']; password: string } => {
  try {
    const { phrase, path, password } = keyExtractSuri(uri)
    return { phrase, path, password: password ?? '' }
  } catch {
    throw invalid(
      'KEY_INVALID_URI',
      'The key URI cannot be read; write PHRASE//hard/soft///password, 0xSEED//hard or //Name',
    )
  }
}

/**
 * Makes the key of an expanded secret (32 bytes scalar as ed25519 keeps it, 32 bytes nonce), the `privateKey` of a keyfile.
 * @throws KEY_INVALID_SECRET when it is not 64 bytes of such a secret or does not belong to `publicKey`
 */
export const keypairFromSecret = (secret: Uint8Array, publicKey?: Uint8Array): Keypair => {
  const problem = 'The private key is no 64-byte sr25519 secret of this public key; restore the keyfile from its phrase'
  if (secret.length !== SECRET_BYTES) throw invalid('KEY_INVALID_SECRET', problem)
  // The library traps on other scalars: below 2^255, and a multiple of the cofactor 8.
  if (((secret[31] ?? 0) & 0x80) !== 0 || ((secret[0] ?? 0) & 7) !== 0) throw invalid('KEY_INVALID_SECRET', problem)
  const own = sr25519_pubkey(secret)
  if (publicKey !== undefined && !equalBytes(own, publicKey)) throw invalid('KEY_INVALID_SECRET', problem)
  return fromPair(concatBytes(secret, own))
}

/** @param pair 64 bytes of expanded secret, 32 of public key */
const fromPair = (pair: Uint8Array): Keypair => {
  const secret = pair.slice(0, SECRET_BYTES)
  const publicKey = pair.slice(SECRET_BYTES)
  return { address: encodeSs58(publicKey), publicKey, sign: (message) => sr25519_sign(publicKey, secret, message) }
}

const invalid = (code: string, message: string): SubnetError => new SubnetError({ code, message })
