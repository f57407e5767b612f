import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { SEAL_BYTES } from './limits.ts'

const ALGORITHM = 'aes-256-gcm'

/** Seals bodies under one key; each (counter, index) seals once. */
export interface Seal {
  /** @returns ciphertext and tag, 16 bytes longer */
  seal(of: { readonly counter: number; readonly index?: number; readonly bytes: Uint8Array }): Buffer
  /** @returns null when it was not sealed so */
  open(of: { readonly counter: number; readonly index?: number; readonly bytes: Uint8Array }): Buffer | null
}

/** Creates a seal of AES-256-GCM without additional data. */
export const createSeal = (key: KeyObject): Seal => ({
  seal: ({ counter, index = 0, bytes }) => {
    const cipher = createCipheriv(ALGORITHM, key, nonceOf(counter, index))
    const sealed = cipher.update(bytes)
    cipher.final()
    return Buffer.concat([sealed, cipher.getAuthTag()])
  },
  open: ({ counter, index = 0, bytes }) => {
    if (bytes.length < SEAL_BYTES) return null
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(counter, index), { authTagLength: SEAL_BYTES })
    decipher.setAuthTag(bytes.subarray(-SEAL_BYTES))
    const opened = decipher.update(bytes.subarray(0, -SEAL_BYTES))
    try {
      decipher.final()
    } catch {
      return null // the tag is another
    }
    return opened
  },
})

/** u64be(counter) ‖ u32be(index). */
const nonceOf = (counter: number, index: number): Buffer => {
  const nonce = Buffer.allocUnsafe(12)
  nonce.writeUInt32BE(Math.floor(counter / 2 ** 32), 0)
  nonce.writeUInt32BE(counter % 2 ** 32, 4)
  nonce.writeUInt32BE(index, 8)
  return nonce
}
