import { decodeCanonical, encodeCanonical, type Field, isBytes, isUint } from '../protocol/canonical.ts'
import { MAX_HEADER_LENGTH } from '../protocol/limits.ts'
import { MAX_PIECE_BYTES } from './frame.ts'

/** What a miner says of itself when it has dialled. */
export interface Hello {
  /** Its serve certificate, as in the header. */
  readonly certificate: string
  /** The host that it dialled, "host:port". */
  readonly host: string
  /** Its session key's signature over `dialStatement`, 64 bytes. */
  readonly signature: Uint8Array
  /** Questions that it takes at once, and the largest body of one. */
  readonly inFlight: number
  readonly bodyBytes: number
}

/** What a relay grants. */
export interface Welcome {
  /** Bytes of an answer that may be under way before a `window` says that more may be. */
  readonly windowBytes: number
  readonly inFlight: number
  /** Whether everybody may ask through it; false when only the validator that listens does. */
  readonly relays: boolean
}

/** What goes before a question's body. */
export interface DialRequestHead {
  readonly method: string
  readonly path: string
  readonly envelope: string
  readonly certificate: string | null
  /** The address that it came from, as the relay says; only bounds per address rest on it. */
  readonly asker: string
}

/** A question as its asker sent it. */
export interface DialRequest extends DialRequestHead {
  readonly body: Uint8Array
}

/** Status and headers of an answer. */
export interface AnswerHead {
  readonly status: number
  readonly contentType: string
  readonly envelope: string | null
  readonly certificate: string | null
  readonly retryAfterS: number | null
}

/** Longest path and method of a question that a relay forwards. */
export const MAX_PATH_CHARS = 256
const MAX_METHOD_CHARS = 16
/** Room that a question takes besides its body. */
export const REQUEST_HEAD_BYTES = 4_096
const MAX_HOST_CHARS = 300
const MAX_ASKER_CHARS = 64
const MAX_RETRY_S = 3_600

/** `<payload>.<proof>`, base64url: fit for a header. */
const SIGNED = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const CONTENT_TYPE = /^[a-z0-9]+\/[a-z0-9.+-]{1,64}$/

/** Writes CBOR [certificate, host, signature, inFlight, bodyBytes]. */
export const encodeHello = ({ certificate, host, signature, inFlight, bodyBytes }: Hello): Uint8Array =>
  encodeCanonical([certificate, host, signature, inFlight, bodyBytes])

/** Reads a hello; null when it is malformed. */
export const decodeHello = (payload: Uint8Array): Hello | null => {
  const fields = decodeFields(payload, 5)
  if (fields === null) return null
  const [certificate, host, signature, inFlight, bodyBytes] = fields
  if (!isSigned(certificate) || typeof host !== 'string' || host.length > MAX_HOST_CHARS) return null
  if (!isBytes(signature, 64) || !isUint(inFlight) || inFlight < 1 || !isUint(bodyBytes)) return null
  return { certificate, host, signature, inFlight, bodyBytes }
}

/** Writes CBOR [windowBytes, inFlight, relays 0 or 1]. */
export const encodeWelcome = ({ windowBytes, inFlight, relays }: Welcome): Uint8Array =>
  encodeCanonical([windowBytes, inFlight, relays ? 1 : 0])

/** Reads a welcome; null when it is malformed. */
export const decodeWelcome = (payload: Uint8Array): Welcome | null => {
  const [windowBytes, inFlight, relays] = decodeFields(payload, 3) ?? []
  if (!isUint(windowBytes) || windowBytes < MAX_PIECE_BYTES || !isUint(inFlight) || !isUint(relays, 1)) return null
  return { windowBytes, inFlight, relays: relays === 1 }
}

/** Writes u16be length ‖ CBOR [method, path, envelope, certificate or null, asker] of that length; the body follows. */
export const encodeRequestHead = ({ method, path, envelope, certificate, asker }: DialRequestHead): Uint8Array => {
  const head = encodeCanonical([method, path, envelope, certificate, asker])
  const bytes = new Uint8Array(2 + head.length)
  new DataView(bytes.buffer).setUint16(0, head.length)
  bytes.set(head, 2)
  return bytes
}

/** Reads a question, whose body lies in the same memory; null when it is malformed. */
export const decodeRequest = (payload: Uint8Array): DialRequest | null => {
  if (payload.length < 2) return null
  const end = 2 + new DataView(payload.buffer, payload.byteOffset).getUint16(0)
  const fields = end > payload.length ? null : decodeFields(payload.subarray(2, end), 5)
  if (fields === null) return null
  const [method, path, envelope, certificate, asker] = fields
  if (typeof method !== 'string' || method.length > MAX_METHOD_CHARS) return null
  if (typeof path !== 'string' || path.length > MAX_PATH_CHARS || !isSigned(envelope)) return null
  if (certificate !== null && !isSigned(certificate)) return null
  if (typeof asker !== 'string' || asker.length > MAX_ASKER_CHARS) return null
  return { method, path, envelope, certificate, asker, body: payload.subarray(end) }
}

/** Writes CBOR [status, contentType, envelope or null, certificate or null, retryAfterS or null]. */
export const encodeHead = ({ status, contentType, envelope, certificate, retryAfterS }: AnswerHead): Uint8Array =>
  encodeCanonical([status, contentType, envelope, certificate, retryAfterS])

/** Reads the head of an answer; null when a field is not fit for a header. */
export const decodeHead = (payload: Uint8Array): AnswerHead | null => {
  const fields = decodeFields(payload, 5)
  if (fields === null) return null
  const [status, contentType, envelope, certificate, retryAfterS] = fields
  if (!isUint(status, 599) || status < 200 || typeof contentType !== 'string' || !CONTENT_TYPE.test(contentType))
    return null
  if (envelope !== null && !isSigned(envelope)) return null
  if (certificate !== null && !isSigned(certificate)) return null
  if (retryAfterS !== null && !isUint(retryAfterS, MAX_RETRY_S)) return null
  return { status, contentType, envelope, certificate, retryAfterS }
}

const decodeFields = (bytes: Uint8Array, count: number): readonly Field[] | null => {
  const fields = decodeCanonical(bytes)
  return fields?.length === count ? fields : null
}

const isSigned = (field: Field | undefined): field is string =>
  typeof field === 'string' && field.length <= MAX_HEADER_LENGTH && SIGNED.test(field)
