import { hash } from 'node:crypto'
import { SubnetError } from '../errors.ts'
import type { Ms, NetUid, UnixMs } from '../units.ts'
import { decodeCanonical, encodeCanonical, type Field, isBytes, isUint } from './canonical.ts'
import { isOtherVersion, sessionKey } from './certificate.ts'
import { readOwnHeaders } from './headers.ts'
import type { PairKeys } from './keys.ts'
import { JSON_TYPE, MAX_HEADER_LENGTH, MAX_TIMEOUT_MS, SEALED_TYPE } from './limits.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Session } from './session.ts'
import { readToken, writeToken } from './token.ts'

const TAG = 'arbor/request/2'

/** What a request's proof covers. */
export interface RequestFields {
  /** The asker's session, 16 bytes. */
  readonly session: Uint8Array
  /** The miner's session whose keys are used, 16 bytes; null: signed and not sealed. */
  readonly with: Uint8Array | null
  /** Counts up from 1 per session and receiver. */
  readonly counter: number
  /** Public key of the miner's hotkey, 32 bytes. */
  readonly receiver: Uint8Array
  readonly netuid: NetUid
  readonly method: string
  /** Request target as sent, with its query. */
  readonly path: string
  readonly contentType: typeof JSON_TYPE | typeof SEALED_TYPE
  readonly accept: 'whole' | 'stream'
  readonly sentAt: UnixMs
  readonly timeoutMs: Ms
  /** Bytes of the body as sent. */
  readonly bodyLength: number
  /** SHA-256 of the body as sent, 32 bytes. */
  readonly bodyHash: Uint8Array
}

/** A request ready to be sent. */
export interface WrittenRequest {
  /** Value of `arbor-envelope`. */
  readonly envelope: string
  /** 32 bytes; the answer names it. */
  readonly hash: Uint8Array
  /** Body as sent: sealed, or the bytes given. */
  readonly body: Uint8Array
  readonly contentType: string
  readonly fields: RequestFields
}

/** A request's head as received; nothing of it is believed before `judgeProof` says so. */
export interface ReadRequest {
  readonly fields: RequestFields
  /** The asker's session as a key of maps. */
  readonly sessionKey: string
  /** The miner's session as a key of maps. */
  readonly withKey: string | null
  readonly payload: Uint8Array
  readonly proof: Uint8Array
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** Value of `arbor-certificate`. */
  readonly certificate: string | null
  /** Value of `content-length`. */
  readonly contentLength: string | null
}

/** Encodes what a request's proof covers. */
export const requestBytes = (of: RequestFields): Uint8Array =>
  encodeCanonical([
    TAG,
    of.session,
    of.with,
    of.counter,
    of.receiver,
    of.netuid,
    of.method,
    of.path,
    of.contentType,
    of.accept,
    of.sentAt,
    of.timeoutMs,
    of.bodyLength,
    of.bodyHash,
  ])

/**
 * Writes a request: seals its body, hashes it, and proves both.
 * @param of.pair the miner's session and what is shared with it; null signs with the session's key, and seals nothing
 * @param of.isSealed whether the body is sealed; needs `pair`
 * @param of.proof `mac` needs `pair`; `signature` also convinces third parties
 * @throws WIRE_FIELD when a field has a value that no receiver accepts
 */
export const writeRequest = (of: {
  readonly session: Session
  readonly pair: { readonly serveId: Uint8Array; readonly keys: PairKeys } | null
  readonly isSealed: boolean
  readonly proof: 'mac' | 'signature'
  readonly counter: number
  readonly receiver: Uint8Array
  readonly netuid: NetUid
  readonly method: string
  readonly path: string
  readonly accept: 'whole' | 'stream'
  readonly sentAt: UnixMs
  readonly timeoutMs: Ms
  readonly body: Uint8Array
}): WrittenRequest => {
  const { pair, counter } = of
  if (pair === null && (of.isSealed || of.proof === 'mac')) throw badField('pair', 'null, but seals and MACs need one')
  const body = pair !== null && of.isSealed ? pair.keys.request.seal({ counter, bytes: of.body }) : of.body
  const fields: RequestFields = {
    session: of.session.id,
    with: pair === null ? null : pair.serveId,
    counter,
    receiver: of.receiver,
    netuid: of.netuid,
    method: of.method,
    path: of.path,
    contentType: of.isSealed ? SEALED_TYPE : JSON_TYPE,
    accept: of.accept,
    sentAt: of.sentAt,
    timeoutMs: of.timeoutMs,
    bodyLength: body.length,
    bodyHash: hash('sha256', body, 'buffer'),
  }
  checkFields(fields)
  const payload = requestBytes(fields)
  const proof = pair !== null && of.proof === 'mac' ? pair.keys.mac(payload) : of.session.sign(payload)
  const envelope = writeToken(payload, proof)
  if (envelope.length > MAX_HEADER_LENGTH) throw badField('path', `${of.path.length} characters long`)
  return { envelope, hash: hash('sha256', payload, 'buffer'), body, contentType: fields.contentType, fields }
}

/** Checks what the asker chooses. */
const checkFields = (fields: RequestFields): void => {
  const { counter, sentAt, timeoutMs, path, receiver } = fields
  if (!Number.isSafeInteger(counter) || counter < 1) throw badField('counter', counter)
  if (!Number.isSafeInteger(sentAt) || sentAt < 0) throw badField('sentAt', sentAt)
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS)
    throw badField('timeoutMs', timeoutMs)
  if (!path.startsWith('/')) throw badField('path', path)
  if (receiver.length !== 32) throw badField('receiver', `${receiver.length} bytes`)
}

const badField = (field: string, value: string | number): SubnetError =>
  new SubnetError({
    code: 'WIRE_FIELD',
    message: `Request field ${field} is ${value}, which no receiver accepts; change it`,
  })

/**
 * Reads the envelope from a request's headers. Whatever is absent, empty, repeated, oversized, malformed or unknown under
 * our prefix is refused.
 * @param rawHeaders names and values in turn, as the socket brought them
 */
export const readRequest = (
  rawHeaders: readonly string[],
): { readonly ok: true; readonly request: ReadRequest } | Refusal<'WIRE_HEADERS' | 'WIRE_VERSION'> => {
  const headers = readOwnHeaders(rawHeaders)
  if (headers === null || headers.envelope === null) return refuse('WIRE_HEADERS')
  const token = readToken(headers.envelope)
  if (token === null || (token.proof.length !== 32 && token.proof.length !== 64)) return refuse('WIRE_HEADERS')
  const values = decodeCanonical(token.payload)
  if (values === null) return refuse('WIRE_HEADERS')
  if (values[0] !== TAG) return refuse(isOtherVersion(values[0], TAG) ? 'WIRE_VERSION' : 'WIRE_HEADERS')
  const fields = readFields(values)
  if (fields === null) return refuse('WIRE_HEADERS')
  const request: ReadRequest = {
    fields,
    sessionKey: sessionKey(fields.session),
    withKey: fields.with === null ? null : sessionKey(fields.with),
    payload: token.payload,
    proof: token.proof,
    hash: hash('sha256', token.payload, 'buffer'),
    certificate: headers.certificate,
    contentLength: headers.contentLength,
  }
  return { ok: true, request }
}

const readFields = (values: readonly Field[]): RequestFields | null => {
  const [, session, serve, counter, receiver, netuid, method, path, contentType, accept, ...rest] = values
  const [sentAt, timeoutMs, bodyLength, bodyHash] = rest
  if (values.length !== 14 || !isBytes(session, 16) || (serve !== null && !isBytes(serve, 16))) return null
  if (!isUint(counter) || counter < 1 || !isBytes(receiver, 32) || !isUint(netuid, 65_535)) return null
  if (typeof method !== 'string' || typeof path !== 'string') return null
  if (contentType !== JSON_TYPE && (contentType !== SEALED_TYPE || serve === null)) return null
  if ((accept !== 'whole' && accept !== 'stream') || !isUint(sentAt)) return null
  if (!isUint(timeoutMs, MAX_TIMEOUT_MS) || timeoutMs < 1 || !isUint(bodyLength) || !isBytes(bodyHash, 32)) return null
  return {
    session,
    with: serve,
    counter,
    receiver,
    netuid: netuid as NetUid,
    method,
    path,
    contentType,
    accept,
    sentAt: sentAt as UnixMs,
    timeoutMs: timeoutMs as Ms,
    bodyLength,
    bodyHash,
  }
}
