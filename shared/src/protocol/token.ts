import { MAX_HEADER_LENGTH } from './limits.ts'

/** A payload and the proof over it, as one header or one line carries them. */
export interface Token {
  readonly payload: Uint8Array
  readonly proof: Uint8Array
}

/** Writes `<payload>.<proof>` in base64url without padding. */
export const writeToken = (payload: Uint8Array, proof: Uint8Array): string =>
  `${base64url(payload)}.${base64url(proof)}`

/** Reads `<payload>.<proof>`; null when it is longer than a header may be or has another spelling. */
export const readToken = (text: string): Token | null => {
  if (text.length > MAX_HEADER_LENGTH) return null
  const dot = text.indexOf('.')
  if (dot < 1) return null
  const payload = fromBase64url(text.slice(0, dot))
  const proof = fromBase64url(text.slice(dot + 1))
  return payload === null || proof === null ? null : { payload, proof }
}

/** Writes bytes as base64url without padding. */
export const base64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')

/** Reads base64url; null for padding, other characters, spare bits or nothing. */
const fromBase64url = (text: string): Uint8Array | null => {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : null
}
