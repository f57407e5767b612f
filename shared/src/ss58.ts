import { base58Decode, base58Encode } from '@polkadot/util-crypto/base58'
import { concatBytes, equalBytes, toBytes } from './bytes.ts'
import { SubnetError } from './errors.ts'
import { blake2b512 } from './hashing.ts'
import type { Ss58 } from './units.ts'

/** Address format of Bittensor and of generic Substrate. */
const PREFIX = 42
const CHECKSUM_BYTES = 2
const ADDRESS_BYTES = 1 + 32 + CHECKSUM_BYTES
/** 35 bytes with a leading 42 take 47 or 48 characters. */
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{47,48}$/

/**
 * Writes a 32-byte public key as an SS58 address with prefix 42.
 * @throws SS58_INVALID when the key is not 32 bytes
 */
export const encodeSs58 = (publicKey: Uint8Array): Ss58 => {
  if (publicKey.length !== 32) throw invalid(`public key has ${publicKey.length} bytes instead of 32`)
  const payload = concatBytes(Uint8Array.of(PREFIX), publicKey)
  return base58Encode(concatBytes(payload, checksum(payload))) as Ss58
}

/**
 * Reads an SS58 address with prefix 42 as its 32-byte public key.
 * @throws SS58_INVALID naming what is wrong with it
 */
export const decodeSs58 = (address: string): Uint8Array => {
  if (!ADDRESS.test(address)) throw invalid(`address "${address.slice(0, 64)}" is not 47 or 48 base58 characters`)
  const bytes = base58Decode(address)
  if (bytes.length !== ADDRESS_BYTES)
    throw invalid(`address "${address}" holds ${bytes.length} bytes instead of ${ADDRESS_BYTES}`)
  if (bytes[0] !== PREFIX) throw invalid(`address "${address}" has prefix ${bytes[0]} instead of ${PREFIX}`)
  const payload = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!equalBytes(bytes.subarray(-CHECKSUM_BYTES), checksum(payload)))
    throw invalid(`address "${address}" has a wrong checksum`)
  return payload.slice(1)
}

/** Checks an address and brands it. @throws SS58_INVALID */
export const ss58 = (address: string): Ss58 => {
  decodeSs58(address)
  return address as Ss58
}

/** Tells whether text is a valid address with prefix 42. */
export const isSs58 = (address: string): address is Ss58 => {
  try {
    decodeSs58(address)
    return true
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'SS58_INVALID') return false
    throw error
  }
}

const checksum = (payload: Uint8Array): Uint8Array =>
  blake2b512(concatBytes(toBytes('SS58PRE'), payload)).subarray(0, CHECKSUM_BYTES)

const invalid = (what: string): SubnetError =>
  new SubnetError({ code: 'SS58_INVALID', message: `The ${what}; copy the whole address, it begins with 5` })
