import { encode } from 'cborg'
import { SubnetError } from '../errors.ts'
import { sha256 } from '../hashing.ts'
import { fromHex, isHex } from '../hex.ts'
import { isSs58 } from '../ss58.ts'
import type { Hex, Ms, NetUid, Ss58, UnixMs } from '../units.ts'
import { type Refusal, refuse } from './refusal.ts'

/** Version of the envelope; another scheme of keys or signatures takes the next one. */
export const WIRE_VERSION = '1'
/** Longest time a request may ask a miner to work, which also bounds how long its nonce is kept. */
export const MAX_TIMEOUT_MS = 60_000
/** How far two honest clocks may differ; NTP keeps machines within a tenth of a second, laptops within seconds. */
export const ALLOWED_SKEW_MS = 5_000

/** What a request's signature covers, beside domain and version. */
export interface RequestFields {
  readonly method: string
  /** Path with query, exactly as in the request line. */
  readonly path: string
  readonly sender: Ss58
  readonly receiver: Ss58
  readonly netuid: NetUid
  readonly timestamp: UnixMs
  readonly timeoutMs: Ms
  /** 16 bytes. */
  readonly nonce: Hex
  /** SHA-256 of the body. */
  readonly bodyHash: Hex
}

/** A request's fields as received, with the signature over them. */
export interface Envelope extends RequestFields {
  readonly signature: Hex
}

/** Encodes what a request's signature covers as deterministic CBOR. @source RFC 8949 §4.2.1 */
export const requestBytes = (fields: RequestFields): Uint8Array =>
  encode([
    `arbor/request/${WIRE_VERSION}`,
    fields.method,
    fields.path,
    fields.sender,
    fields.receiver,
    fields.netuid,
    fields.timestamp,
    fields.timeoutMs,
    fromHex(fields.nonce, 16),
    fromHex(fields.bodyHash, 32),
  ])

/** Names a request: SHA-256 over what its signature covers. */
export const requestHash = (fields: RequestFields): Uint8Array => sha256(requestBytes(fields))

/** Header names by field. */
export const HEADER = {
  version: 'arbor-version',
  sender: 'arbor-sender',
  receiver: 'arbor-receiver',
  netuid: 'arbor-netuid',
  timestamp: 'arbor-timestamp',
  timeout: 'arbor-timeout',
  nonce: 'arbor-nonce',
  bodyHash: 'arbor-body-hash',
  signature: 'arbor-signature',
} as const
const NAMES: readonly string[] = Object.values(HEADER)
/** The longest honest value is the signature: 2 + 2 × 64 characters. */
const MAX_VALUE_LENGTH = 130

/**
 * Reads the envelope from a request's headers. Whatever is absent, empty, repeated, oversized, malformed or unknown under
 * our prefix is refused: a header that no signature covers may decide nothing.
 * @param of.rawHeaders names and values in turn, as the socket brought them
 */
export const readEnvelope = (of: {
  readonly rawHeaders: readonly string[]
  readonly method: string
  readonly path: string
}): { readonly ok: true; readonly envelope: Envelope } | Refusal => {
  const values = collect(of.rawHeaders)
  if (values === null) return refuse('WIRE_HEADERS')
  const at = (name: string): string => values.get(name) ?? ''
  if (at(HEADER.version) !== WIRE_VERSION) return refuse('WIRE_VERSION')
  const sender = at(HEADER.sender)
  const receiver = at(HEADER.receiver)
  const netuid = integer(at(HEADER.netuid), 65_535)
  const timestamp = integer(at(HEADER.timestamp), Number.MAX_SAFE_INTEGER)
  const timeoutMs = integer(at(HEADER.timeout), MAX_TIMEOUT_MS)
  const nonce = hex(at(HEADER.nonce), 16)
  const bodyHash = hex(at(HEADER.bodyHash), 32)
  const signature = hex(at(HEADER.signature), 64)
  if (netuid === null || timestamp === null || timeoutMs === null || timeoutMs === 0) return refuse('WIRE_HEADERS')
  if (nonce === null || bodyHash === null || signature === null) return refuse('WIRE_HEADERS')
  if (!isSs58(sender) || !isSs58(receiver)) return refuse('WIRE_HEADERS')
  const envelope: Envelope = {
    method: of.method,
    path: of.path,
    sender,
    receiver,
    netuid: netuid as NetUid,
    timestamp: timestamp as UnixMs,
    timeoutMs: timeoutMs as Ms,
    nonce,
    bodyHash,
    signature,
  }
  return { ok: true, envelope }
}

/** Collects our headers; null when one is unknown, repeated, oversized or missing. */
const collect = (rawHeaders: readonly string[]): ReadonlyMap<string, string> | null => {
  const values = new Map<string, string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (!name.startsWith('arbor-')) continue
    const value = rawHeaders[index + 1] ?? ''
    if (!NAMES.includes(name) || values.has(name) || value.length > MAX_VALUE_LENGTH) return null
    values.set(name, value)
  }
  return values.size === NAMES.length ? values : null
}

/** Reads a decimal without sign or leading zeros; null for anything else or more than `max`. */
const integer = (text: string, max: number): number | null => {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return null
  const value = Number(text)
  return value <= max ? value : null
}

/** Lower case only, so that one value has one spelling. */
const hex = (text: string, byteLength: number): Hex | null =>
  isHex(text, byteLength) && text === text.toLowerCase() ? text : null

/** Writes an envelope as headers. */
export const envelopeHeaders = (envelope: Envelope): Record<string, string> => ({
  [HEADER.version]: WIRE_VERSION,
  [HEADER.sender]: envelope.sender,
  [HEADER.receiver]: envelope.receiver,
  [HEADER.netuid]: String(envelope.netuid),
  [HEADER.timestamp]: String(envelope.timestamp),
  [HEADER.timeout]: String(envelope.timeoutMs),
  [HEADER.nonce]: envelope.nonce,
  [HEADER.bodyHash]: envelope.bodyHash,
  [HEADER.signature]: envelope.signature,
})

/** Checks the fields that a caller chooses before they are signed. @throws WIRE_FIELD naming it */
export const checkFields = (fields: RequestFields): void => {
  const bad = (field: string, value: string | number): never => {
    throw new SubnetError({
      code: 'WIRE_FIELD',
      message: `Request field ${field} is ${value}, which no receiver accepts; change it`,
    })
  }
  if (!Number.isSafeInteger(fields.timestamp) || fields.timestamp <= 0) bad('timestamp', fields.timestamp)
  const { timeoutMs } = fields
  const nonce: string = fields.nonce
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) bad('timeoutMs', timeoutMs)
  if (!isHex(nonce, 16)) bad('nonce', `${nonce.length / 2 - 1} bytes`)
  if (!fields.path.startsWith('/')) bad('path', fields.path)
}
