import { SubnetError } from './errors.ts'
import type { Ss58 } from './units.ts'

/** What a hotkey is asked to sign; a signer with a policy decides by it, and by the bytes. */
export type SignPurpose =
  /** A session's certificate: canonical bytes of docs/protocol.md. */
  | { readonly kind: 'certificate' }
  /** A signed extrinsic: `payload` is the whole of it, the message its blake2b-256 hash when it is over 256 bytes. */
  | { readonly kind: 'extrinsic'; readonly payload: Uint8Array }
  /** A request on Bittensor's wire: its dotted text. */
  | { readonly kind: 'synapse' }
  /** The size and root of a validator's log: canonical bytes of docs/receipts.md. */
  | { readonly kind: 'head' }

/** A hotkey that signs: a key of this process, or one that another process holds. Every Keypair is one. */
export interface Signer {
  readonly address: Ss58
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Signs raw bytes with sr25519, context "substrate"; 64 bytes. @throws SIGNER_* when a policy refuses or the holder is away */
  sign(message: Uint8Array, purpose: SignPurpose): Uint8Array | Promise<Uint8Array>
}

/** Tells whether a hotkey's holder refused or was away: nothing was sent, and the same may be tried again later. */
export const isSignerError = (error: unknown): error is SubnetError =>
  error instanceof SubnetError && error.code.startsWith('SIGNER_')
