import { hash, type KeyObject } from 'node:crypto'
import { encodeSs58 } from '../ss58.ts'
import type { Block, NetUid, Ss58, UnixMs } from '../units.ts'
import { verifySignature } from '../verify-signature.ts'
import { decodeCanonical, encodeCanonical, type Field, isBytes, isUint, sameBytes } from './canonical.ts'
import { importSignKey, isSignedBy, isSignKey } from './key-object.ts'
import { ALLOWED_SKEW_MS, MAX_LIFETIME_MS, SESSION_ID_BYTES } from './limits.ts'
import { OK, type Refusal, refuse } from './refusal.ts'
import { base64url, readToken, writeToken } from './token.ts'

const TAG = 'arbor/certificate/2'

/** What a session is for: a validator asks, a miner serves. */
export type SessionPurpose = 'ask' | 'serve'

/** What a hotkey certifies about a session. */
export interface CertificateFields {
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  readonly purpose: SessionPurpose
  /** 32 bytes: the public key of the hotkey that certifies. */
  readonly hotkey: Uint8Array
  /** Block in which the hotkey was registered in its slot. */
  readonly registeredAt: Block
  /** The only hotkey it is meant for, 32 bytes; null for every neuron of the subnet. */
  readonly audience: Uint8Array | null
  /** 32 bytes, ed25519. */
  readonly signKey: Uint8Array
  /** 32 bytes, X25519. */
  readonly sealKey: Uint8Array
  readonly issuedAt: UnixMs
  readonly expiresAt: UnixMs
}

/** A well-formed certificate: nothing of it is believed before `verifyCertificate`. */
export interface Certificate extends CertificateFields {
  /** Session id, 16 bytes. */
  readonly id: Uint8Array
  /** Session id as a key of maps. */
  readonly key: string
  readonly address: Ss58
  /** As a header carries it. */
  readonly text: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** Verifies an ed25519 signature by the session's key. */
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/** Writes a session id as a key of maps. */
export const sessionKey = (id: Uint8Array): string => base64url(id)

/** Names a session: the first 16 bytes of SHA-256 of its certificate's payload. */
export const sessionIdOf = (payload: Uint8Array): Uint8Array =>
  hash('sha256', payload, 'buffer').subarray(0, SESSION_ID_BYTES)

/** Encodes what the hotkey signs. */
export const certificateBytes = (of: CertificateFields): Uint8Array =>
  encodeCanonical([
    TAG,
    of.genesisHash,
    of.netuid,
    of.purpose,
    of.hotkey,
    of.registeredAt,
    of.audience,
    of.signKey,
    of.sealKey,
    of.issuedAt,
    of.expiresAt,
  ])

/** Writes a certificate as a header carries it. @param signature 64 bytes, sr25519 by the hotkey over `payload` */
export const writeCertificate = (payload: Uint8Array, signature: Uint8Array): string => writeToken(payload, signature)

/** Reads a certificate's shape; who it is from is not known before `verifyCertificate`. */
export const readCertificate = (
  text: string,
): { readonly ok: true; readonly certificate: Certificate } | Refusal<'WIRE_CERTIFICATE' | 'WIRE_VERSION'> => {
  const token = readToken(text)
  if (token === null || token.proof.length !== 64) return refuse('WIRE_CERTIFICATE')
  const payload = Uint8Array.from(token.payload) // a copy: what is kept for hours holds no larger buffer
  const fields = decodeCanonical(payload)
  if (fields === null) return refuse('WIRE_CERTIFICATE')
  if (fields[0] !== TAG) return refuse(isOtherVersion(fields[0], TAG) ? 'WIRE_VERSION' : 'WIRE_CERTIFICATE')
  const read = readFields(fields)
  if (read === null) return refuse('WIRE_CERTIFICATE')
  return { ok: true, certificate: complete({ fields: read, text, payload, signature: Uint8Array.from(token.proof) }) }
}

/** Tells whether a tag is one of ours with another number. */
export const isOtherVersion = (tag: Field | undefined, own: string): boolean =>
  typeof tag === 'string' && tag !== own && tag.startsWith(own.slice(0, own.lastIndexOf('/') + 1))

const readFields = (fields: readonly Field[]): CertificateFields | null => {
  const [, genesisHash, netuid, purpose, hotkey, registeredAt, audience, signKey, sealKey, issuedAt, expiresAt] = fields
  if (fields.length !== 11 || !isBytes(genesisHash, 32) || !isUint(netuid, 65_535)) return null
  if ((purpose !== 'ask' && purpose !== 'serve') || !isBytes(hotkey, 32) || !isUint(registeredAt)) return null
  if ((audience !== null && !isBytes(audience, 32)) || !isBytes(signKey, 32) || !isBytes(sealKey, 32)) return null
  if (!isUint(issuedAt) || !isUint(expiresAt)) return null
  if (expiresAt <= issuedAt || expiresAt - issuedAt > MAX_LIFETIME_MS) return null
  return {
    genesisHash,
    netuid: netuid as NetUid,
    purpose,
    hotkey,
    registeredAt: registeredAt as Block,
    audience,
    signKey,
    sealKey,
    issuedAt: issuedAt as UnixMs,
    expiresAt: expiresAt as UnixMs,
  }
}

const complete = (of: {
  readonly fields: CertificateFields
  readonly text: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}): Certificate => {
  const id = sessionIdOf(of.payload)
  let key: KeyObject | null = null
  return {
    ...of.fields,
    id,
    key: sessionKey(id),
    address: encodeSs58(of.fields.hotkey),
    text: of.text,
    payload: of.payload,
    signature: of.signature,
    verify: (message, signature) => {
      key ??= importSignKey(of.fields.signKey)
      return isSignedBy(key, message, signature)
    },
  }
}

/** Judges what a certificate says, all but its signature: chain, subnet, purpose, audience and times, in this order. */
export const judgeCertificate = (
  certificate: CertificateFields,
  context: {
    readonly now: UnixMs
    readonly genesisHash: Uint8Array
    readonly netuid: NetUid
    readonly purpose: SessionPurpose
    /** Public key of the hotkey that reads it. */
    readonly reader: Uint8Array
  },
):
  | { readonly ok: true }
  | Refusal<'WIRE_CHAIN' | 'WIRE_NETUID' | 'WIRE_CERTIFICATE' | 'WIRE_AUDIENCE' | 'WIRE_SESSION_EXPIRED'> => {
  if (!sameBytes(certificate.genesisHash, context.genesisHash)) return refuse('WIRE_CHAIN')
  if (certificate.netuid !== context.netuid) return refuse('WIRE_NETUID')
  if (certificate.purpose !== context.purpose) return refuse('WIRE_CERTIFICATE')
  const { audience } = certificate
  if (audience !== null && !sameBytes(audience, context.reader)) return refuse('WIRE_AUDIENCE')
  return isLive(certificate, context.now) ? OK : refuse('WIRE_SESSION_EXPIRED')
}

/** Tells whether a session has begun, as far as clocks agree, and not ended. */
export const isLive = (of: Pick<CertificateFields, 'issuedAt' | 'expiresAt'>, now: UnixMs): boolean =>
  of.issuedAt <= now + ALLOWED_SKEW_MS && now < of.expiresAt

/** Verifies the hotkey's sr25519 signature, and that signKey is one: 0.2 ms and more, so everything cheap comes before. */
export const verifyCertificate = (certificate: Certificate): boolean =>
  isSignKey(certificate.signKey) && verifySignature(certificate.hotkey, certificate.payload, certificate.signature)
