import { createPublicKey, verify } from 'node:crypto'
import { verifySignature as verifySr25519 } from '@arbor/shared/verify-signature'

/** A signature with all that its check depends on. */
export interface Signed {
  readonly kind: 'sr25519' | 'ed25519'
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** Verifies a signature in this thread; false for whatever is malformed. */
export const isRight = ({ kind, publicKey, message, signature }: Signed): boolean =>
  kind === 'sr25519' ? verifySr25519(publicKey, message, signature) : verifyEd25519(publicKey, message, signature)

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
