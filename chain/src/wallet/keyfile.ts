import { createHash } from 'node:crypto'
import { equalBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex, toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromMnemonic, keypairFromSecret, keypairFromSeed, seedFromMnemonic } from '@arbor/shared/keys'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Ss58 } from '@arbor/shared/units'
import { corrupt, otherKeyType } from './errors.ts'

/** cryptoType of sr25519; older files carry none. */
const SR25519 = 1
/** cryptoType of ed25519. */
const ED25519 = 0

/** The public half of a key. */
export interface PublicKey {
  readonly address: Ss58
  readonly publicKey: Uint8Array
}

/** Writes the secret and the public keyfile of a phrase. */
export function keyfilesOf(mnemonic: string): {
  readonly secret: string
  readonly pub: string
  readonly address: Ss58
} {
  const { address, publicKey } = keypairFromMnemonic(mnemonic)
  const seed = seedFromMnemonic(mnemonic)
  const shown = shownOf({ address, publicKey })
  const secret = { ...shown, privateKey: toHex(expandSeed(seed)), secretPhrase: mnemonic, secretSeed: toHex(seed) }
  return { secret: JSON.stringify(secret), pub: JSON.stringify(shown), address }
}

/** Writes the public keyfile of a key. */
export const publicFileOf = (key: PublicKey): string => JSON.stringify(shownOf(key))

const shownOf = ({ address, publicKey }: PublicKey) => ({
  accountId: toHex(publicKey),
  publicKey: toHex(publicKey),
  ss58Address: address,
  cryptoType: SR25519,
})

/**
 * Reads the content of a secret keyfile: by its seed, its private key or its phrase, whichever it has, and checks it
 * against the public key it states.
 * @throws WALLET_CORRUPT, WALLET_KEY_TYPE
 */
export function parseSecret(content: Uint8Array, path: string): Keypair {
  const fields = parse(content, path)
  const stated = publicOf(fields, path)
  const pair = openSecret(fields, stated?.publicKey, path)
  if (pair === null) throw corrupt(path, 'it has neither secretSeed, privateKey nor secretPhrase')
  if (stated && !equalBytes(stated.publicKey, pair.publicKey))
    throw corrupt(path, 'its secret does not belong to its public key')
  return pair
}

/** Reads the content of a public keyfile. @throws WALLET_CORRUPT, WALLET_KEY_TYPE */
export function parsePublic(content: Uint8Array, path: string): PublicKey {
  const found = publicOf(parse(content, path), path)
  if (found === null) throw corrupt(path, 'it has no public key')
  return found
}

type Fields = Readonly<Record<string, unknown>>

const parse = (content: Uint8Array, path: string): Fields => {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw corrupt(path, 'it is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(path, 'it is no JSON object')
  const fields = value as Fields
  const { cryptoType } = fields
  if (cryptoType === ED25519) throw otherKeyType(path, 'an ed25519 key (cryptoType 0)')
  if (cryptoType !== undefined && cryptoType !== SR25519)
    throw otherKeyType(path, 'a key of an unknown kind (its cryptoType is not 1)')
  return fields
}

const publicOf = (fields: Fields, path: string): PublicKey | null => {
  const hex = fields.publicKey ?? fields.accountId
  if (hex === undefined || hex === null) return null
  const publicKey = bytes(hex, 32, path, 'publicKey')
  const address = encodeSs58(publicKey)
  if (fields.ss58Address !== undefined && fields.ss58Address !== address) {
    throw corrupt(path, 'its ss58Address does not belong to its public key')
  }
  return { address, publicKey }
}

const openSecret = (fields: Fields, publicKey: Uint8Array | undefined, path: string): Keypair | null => {
  const { secretSeed, privateKey, secretPhrase } = fields
  if (typeof secretSeed === 'string') return keypairFromSeed(bytes(secretSeed, 32, path, 'secretSeed'))
  try {
    if (typeof privateKey === 'string') return fromPrivateKey(bytes(privateKey, 64, path, 'privateKey'), publicKey)
    return typeof secretPhrase === 'string' ? keypairFromMnemonic(secretPhrase) : null
  } catch (error) {
    if (error instanceof SubnetError && error.code.startsWith('KEY_'))
      throw corrupt(path, 'its secret is no sr25519 secret of its public key')
    throw error
  }
}

const bytes = (value: unknown, length: number, path: string, field: string): Uint8Array => {
  if (typeof value !== 'string' || !isHex(value, length))
    throw corrupt(path, `its ${field} is not ${length} bytes of hexadecimal`)
  return fromHex(value, length)
}

/** Opens a private key as wallets write it (a plain scalar), or as Polkadot's tools do (8 times that, as ed25519 has it). */
const fromPrivateKey = (secret: Uint8Array, publicKey: Uint8Array | undefined): Keypair => {
  const isPlain = (secret[31] ?? 0) < 0x20
  if (isPlain && publicKey !== undefined) {
    try {
      return keypairFromSecret(timesCofactor(secret), publicKey)
    } catch (error) {
      if (!(error instanceof SubnetError)) throw error
    }
  }
  return keypairFromSecret(isPlain && publicKey === undefined ? timesCofactor(secret) : secret, publicKey)
}

/** Cofactor of the curve, as a shift. */
const COFACTOR_BITS = 3n

/** Expands a seed into scalar (little-endian, divided by the cofactor) and nonce. @source schnorrkel MiniSecretKey::expand_ed25519 */
const expandSeed = (seed: Uint8Array): Uint8Array => {
  const hash = createHash('sha512').update(seed).digest()
  hash[0] = (hash[0] ?? 0) & 248
  hash[31] = ((hash[31] ?? 0) & 63) | 64
  return shiftScalar(hash, (scalar) => scalar >> COFACTOR_BITS)
}

const timesCofactor = (secret: Uint8Array): Uint8Array => shiftScalar(secret, (scalar) => scalar << COFACTOR_BITS)

const shiftScalar = (secret: Uint8Array, shift: (scalar: bigint) => bigint): Uint8Array => {
  const scalar = BigInt(`0x${Buffer.from(secret.subarray(0, 32)).reverse().toString('hex')}`)
  const shifted = Buffer.from(shift(scalar).toString(16).padStart(64, '0'), 'hex').reverse()
  return Uint8Array.from([...shifted, ...secret.subarray(32)])
}
