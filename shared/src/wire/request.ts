import { sha256 } from '../hashing.ts'
import { fromHex, toHex } from '../hex.ts'
import type { Keypair } from '../keypair.ts'
import { decodeSs58 } from '../ss58.ts'
import type { Ms, NetUid, Ss58, UnixMs } from '../units.ts'
import { verifySignature } from '../verify-signature.ts'
import { ALLOWED_SKEW_MS, checkFields, type Envelope, envelopeHeaders, readEnvelope, requestBytes } from './envelope.ts'
import { type Refusal, refuse } from './refusal.ts'

/** A request ready to be sent. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 over what the signature covers; the response's signature names it. */
  readonly hash: Uint8Array
}

/**
 * Signs a request with the sender's hotkey.
 * @param of.path path with query, exactly as it goes into the request line
 * @param of.nonce 16 bytes that this sender never used before
 * @throws WIRE_FIELD when a field has a value that no receiver accepts
 */
export const signRequest = (of: {
  readonly signer: Keypair
  readonly receiver: Ss58
  readonly netuid: NetUid
  readonly method: string
  readonly path: string
  readonly timestamp: UnixMs
  readonly timeoutMs: Ms
  readonly nonce: Uint8Array
  readonly body: Uint8Array
}): SignedRequest => {
  const fields = {
    method: of.method,
    path: of.path,
    sender: of.signer.address,
    receiver: of.receiver,
    netuid: of.netuid,
    timestamp: of.timestamp,
    timeoutMs: of.timeoutMs,
    nonce: toHex(of.nonce),
    bodyHash: toHex(sha256(of.body)),
  }
  checkFields(fields)
  const bytes = requestBytes(fields)
  return { headers: envelopeHeaders({ ...fields, signature: toHex(of.signer.sign(bytes)) }), hash: sha256(bytes) }
}

/** Who receives, and when. */
export interface ReceiverContext {
  readonly now: UnixMs
  readonly receiver: Ss58
  readonly netuid: NetUid
}

/**
 * Judges a request's head, the cheap checks first: headers, window, receiver, netuid, signature.
 * What is left for the caller, in this order: replay (`ReplayStore`), `checkLength`, and `checkBody` before parsing.
 */
export const verifyHead = (of: {
  readonly rawHeaders: readonly string[]
  readonly method: string
  readonly path: string
  readonly context: ReceiverContext
}): { readonly ok: true; readonly envelope: Envelope } | Refusal => {
  const read = readEnvelope(of)
  if (!read.ok) return read
  const { envelope } = read
  const { now, receiver, netuid } = of.context
  if (envelope.timestamp > now + ALLOWED_SKEW_MS || expiresAt(envelope) <= now) return refuse('WIRE_EXPIRED')
  if (envelope.receiver !== receiver) return refuse('WIRE_RECEIVER')
  if (envelope.netuid !== netuid) return refuse('WIRE_NETUID')
  const signed = verifySignature(decodeSs58(envelope.sender), requestBytes(envelope), fromHex(envelope.signature, 64))
  return signed ? read : refuse('WIRE_SIGNATURE')
}

/** The moment from which a request is refused as expired, and its nonce may be forgotten. */
export const expiresAt = (envelope: Envelope): UnixMs =>
  (envelope.timestamp + envelope.timeoutMs + ALLOWED_SKEW_MS) as UnixMs

/**
 * Judges the announced length before a byte of the body is read; chunked bodies announce none and are refused.
 * @param of.limit bytes
 */
export const checkLength = (of: {
  readonly contentLength: string | undefined
  readonly limit: number
}): { readonly ok: true; readonly length: number } | Refusal => {
  if (of.contentLength === undefined || !/^\d{1,15}$/.test(of.contentLength)) return refuse('WIRE_LENGTH')
  const length = Number(of.contentLength)
  return length <= of.limit ? { ok: true, length } : refuse('WIRE_TOO_LARGE')
}

/** Compares the body with the signed hash, before anything parses it. */
export const checkBody = (envelope: Envelope, body: Uint8Array): { readonly ok: true } | Refusal =>
  toHex(sha256(body)) === envelope.bodyHash ? { ok: true } : refuse('WIRE_BODY_HASH')
