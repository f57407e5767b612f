import { concatBytes, toBytes } from '../bytes.ts'
import { verifySignature } from '../verify-signature.ts'

/** The text that a dendrite's hotkey signs for one request. */
export const signatureText = (of: {
  /** Nanoseconds of Unix time. */
  readonly nonce: bigint
  readonly dendriteHotkey: string
  /** The axon that it is for. */
  readonly axonHotkey: string
  /** Null is written as Python writes None. */
  readonly uuid: string | null
  readonly bodyHash: string
}): string => `${of.nonce}.${of.dendriteHotkey}.${of.axonHotkey}.${of.uuid ?? 'None'}.${of.bodyHash}`

/** Writes 64 bytes of a signature as a header does. */
export const writeSignature = (signature: Uint8Array): string => `0x${Buffer.from(signature).toString('hex')}`

/** Reads a header's signature: 0x and 128 hexadecimal characters in either case; null when it is anything else. */
export const readSignature = (text: string): Uint8Array | null =>
  /^0x[0-9a-fA-F]{128}$/.test(text) ? Uint8Array.from(Buffer.from(text.slice(2), 'hex')) : null

/** Verifies a request's signature over its text, raw or between the tags that browser wallets put around. */
export const verifyText = (publicKey: Uint8Array, text: string, signature: Uint8Array): boolean => {
  const bytes = toBytes(text)
  const wrapped = concatBytes(toBytes('<Bytes>'), bytes, toBytes('</Bytes>'))
  return verifySignature(publicKey, bytes, signature) || verifySignature(publicKey, wrapped, signature)
}
