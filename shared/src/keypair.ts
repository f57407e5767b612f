import type { Ss58 } from './units.ts'

/** An sr25519 key that signs; hotkeys sign work, coldkeys own funds. */
export interface Keypair {
  readonly address: Ss58
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Signs raw bytes with context "substrate"; 64 bytes. */
  sign(message: Uint8Array): Uint8Array
}
