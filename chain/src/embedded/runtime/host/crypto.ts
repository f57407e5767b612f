import { SubnetError } from '@arbor/shared/errors'
import { secp256k1Recover } from '@polkadot/util-crypto/secp256k1'
import type { Span } from '../memory.ts'
import type { Signed } from '../signature.ts'
import type { HostContext, HostFunctions } from './context.ts'

/** Checks of signatures, and the refusals of a host without a keystore. @source sp_io::crypto */
export const cryptoFunctions = ({ memory, verify }: HostContext): HostFunctions => {
  const verifier =
    (kind: Signed['kind']) =>
    (signature: number, message: Span, key: number): number =>
      Number(
        verify({
          kind,
          publicKey: memory.at(key, 32).slice(),
          message: memory.copy(message),
          signature: memory.at(signature, 64).slice(),
        }),
      )
  const recover =
    (kind: 'compressed' | 'expanded') =>
    (signature: number, hash: number): Span =>
      memory.write(recoverSecp256k1(memory.at(signature, 65).slice(), memory.at(hash, 32).slice(), kind))
  // SCALE None: a host that has no such key signs nothing.
  const noSignature = (): Span => memory.write(Uint8Array.of(0))
  const noKeys = (): Span => memory.write(Uint8Array.of(0)) // an empty Vec
  return {
    ext_crypto_sr25519_verify_version_1: verifier('sr25519'),
    ext_crypto_sr25519_verify_version_2: verifier('sr25519'),
    ext_crypto_ed25519_verify_version_1: verifier('ed25519'),
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
