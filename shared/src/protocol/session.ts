import { diffieHellman, sign } from 'node:crypto'
import { SubnetError } from '../errors.ts'
import type { Signer } from '../signer.ts'
import { decodeSs58 } from '../ss58.ts'
import type { Block, Ms, NetUid, Ss58, UnixMs } from '../units.ts'
import {
  type Certificate,
  certificateBytes,
  readCertificate,
  type SessionPurpose,
  writeCertificate,
} from './certificate.ts'
import { importSealKey, importSecretKey } from './key-object.ts'
import { DEFAULT_LIFETIME_MS, MAX_LIFETIME_MS } from './limits.ts'

/** A session of this process: its certificate, and its secrets behind two functions. */
export interface Session {
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly purpose: SessionPurpose
  readonly certificate: Certificate
  /** Signs with the session's ed25519 key; 64 bytes. */
  sign(message: Uint8Array): Uint8Array
  /** Agrees on 32 secret bytes with another session's X25519 key; null when that key is of low order. */
  agree(sealKey: Uint8Array): Uint8Array | null
}

/**
 * Opens a session: makes its keys, which stay in this process, and has the hotkey certify them.
 * @param of.audience the only hotkey it is meant for; null for every neuron of the subnet
 * @param of.issuedAt the later of now and one after the last session's of this hotkey
 * @param of.randomBytes fresh secret bytes of the length asked for
 * @throws SESSION_LIFETIME when it would live longer than receivers accept, SIGNER_* when the hotkey does not sign
 */
export const openSession = async (of: {
  readonly signer: Signer
  readonly purpose: SessionPurpose
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  readonly registeredAt: Block
  readonly audience: Ss58 | null
  readonly issuedAt: UnixMs
  readonly lifetimeMs?: Ms
  readonly randomBytes: (length: number) => Uint8Array
}): Promise<Session> => {
  const lifetimeMs = of.lifetimeMs ?? DEFAULT_LIFETIME_MS
  if (!Number.isInteger(lifetimeMs) || lifetimeMs < 1 || lifetimeMs > MAX_LIFETIME_MS)
    throw new SubnetError({
      code: 'SESSION_LIFETIME',
      message: `A session of ${lifetimeMs} ms is not accepted; choose 1 to ${MAX_LIFETIME_MS} ms`,
    })
  const signKey = newKey('ed25519', of.randomBytes)
  const sealKey = newKey('x25519', of.randomBytes)
  const payload = certificateBytes({
    genesisHash: of.genesisHash,
    netuid: of.netuid,
    purpose: of.purpose,
    hotkey: of.signer.publicKey,
    registeredAt: of.registeredAt,
    audience: of.audience === null ? null : decodeSs58(of.audience),
    signKey: signKey.publicBytes,
    sealKey: sealKey.publicBytes,
    issuedAt: of.issuedAt,
    expiresAt: (of.issuedAt + lifetimeMs) as UnixMs,
  })
  const read = readCertificate(writeCertificate(payload, await of.signer.sign(payload, { kind: 'certificate' })))
  if (!read.ok)
    throw new SubnetError({
      code: 'SESSION_FIELDS',
      message: `The session's certificate would be refused (${read.code}); check its genesis hash, block and times`,
    })
  const { certificate } = read
  return {
    id: certificate.id,
    purpose: of.purpose,
    certificate,
    sign: (message) => sign(null, message, signKey.key),
    agree: (theirs) => {
      try {
        return diffieHellman({ privateKey: sealKey.key, publicKey: importSealKey(theirs) })
      } catch {
        return null // OpenSSL refuses to derive the all-zero secret of a key of low order
      }
    },
  }
}

const newKey = (kind: 'ed25519' | 'x25519', randomBytes: (length: number) => Uint8Array) => {
  const raw = randomBytes(32)
  const made = importSecretKey(kind, raw)
  raw.fill(0)
  return made
}
