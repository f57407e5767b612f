import { createPublicKey, verify } from 'node:crypto'
import { SubnetError } from '@arbor/shared/errors'
import { secp256k1Recover } from '@polkadot/util-crypto/secp256k1'
import type { Span } from '../memory.ts'
import type { HostContext, HostFunctions } from './context.ts'

/** Checks of signatures, and the refusals of a host without a keystore. @source sp_io::crypto */
export const cryptoFunctions = ({ memory, verifySr25519 }: HostContext): HostFunctions => {
  const sr25519 = (signature: number, message: Span, key: number): number =>
    Number(verifySr25519(memory.at(key, 32).slice(), memory.copy(message), memory.at(signature, 64).slice()))
  const ed25519 = (signature: number, message: Span, key: number): number =>
    Number(verifyEd25519(memory.at(key, 32), memory.view(message), memory.at(signature, 64)))
  const recover =
    (kind: 'compressed' | 'expanded') =>
    (signature: number, hash: number): Span =>
      memory.write(recoverSecp256k1(memory.at(signature, 65).slice(), memory.at(hash, 32).slice(), kind))
  // SCALE None: a host that has no such key signs nothing.
  const noSignature = (): Span => memory.write(Uint8Array.of(0))
  const noKeys = (): Span => memory.write(Uint8Array.of(0)) // an empty Vec
  return {
    ext_crypto_sr25519_verify_version_1: sr25519,
    ext_crypto_sr25519_verify_version_2: sr25519,
    ext_crypto_ed25519_verify_version_1: ed25519,
    ext_crypto_secp256k1_ecdsa_recover_version_2: recover('expanded'),
    ext_crypto_secp256k1_ecdsa_recover_compressed_version_2: recover('compressed'),
    ext_crypto_sr25519_sign_version_1: noSignature,
    ext_crypto_ed25519_sign_version_1: noSignature,
    ext_crypto_ecdsa_sign_version_1: noSignature,
    ext_crypto_sr25519_public_keys_version_1: noKeys,
    ext_crypto_ed25519_public_keys_version_1: noKeys,
    ext_crypto_ecdsa_public_keys_version_1: noKeys,
    ext_crypto_sr25519_generate_version_1: refuseKeystore,
    ext_crypto_ed25519_generate_version_1: refuseKeystore,
    ext_crypto_ecdsa_generate_version_1: refuseKeystore,
  }
}

const refuseKeystore = (): never => {
  throw new SubnetError({
    code: 'CHAIN_HOST_REFUSED',
    message: 'The runtime asks its host for a new session key; the embedded chain keeps none, make it with the wallet',
  })
}

/** Begin of an ed25519 public key in SPKI. @source RFC 8410 §4 */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')

const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  } catch {
    return false // a malformed key verifies nothing
  }
}

/** @returns SCALE Result of the public key (64 bytes, or 33 compressed) or an EcdsaVerifyError */
const recoverSecp256k1 = (signature: Uint8Array, hash: Uint8Array, kind: 'compressed' | 'expanded'): Uint8Array => {
  const recovery = signature[64] ?? 0
  const id = recovery > 26 ? recovery - 27 : recovery
  if (id > 3) return Uint8Array.of(1, BAD_V)
  try {
    // The library names the form of the key by the hash that goes with it: blake2 compressed, keccak expanded.
    const form = kind === 'compressed' ? 'blake2' : 'keccak'
    return Uint8Array.of(0, ...secp256k1Recover(hash, signature.subarray(0, 64), id, form))
  } catch {
    return Uint8Array.of(1, BAD_SIGNATURE)
  }
}

/** @source sp_io::EcdsaVerifyError: BadRS, BadV, BadSignature */
const BAD_V = 1
const BAD_SIGNATURE = 2
