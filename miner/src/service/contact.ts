import {
  type Certificate,
  judgeCertificate,
  readCertificate,
  verifyCertificate,
} from '@arbor/shared/protocol/certificate'
import { judgeProof, judgeReceiver } from '@arbor/shared/protocol/judge'
import type { PairKeyCache, PairKeys } from '@arbor/shared/protocol/keys'
import { type ReadRequest, readRequest } from '@arbor/shared/protocol/request'
import type { Session } from '@arbor/shared/protocol/session'
import type { SessionTable } from '@arbor/shared/protocol/sessions'
import type { NetUid, UnixMs } from '@arbor/shared/units'
import type { Admission } from '../admission/admission.ts'
import type { RefusalCode } from '../refusal.ts'
import type { ServeSessions } from '../sessions.ts'
import type { RequestHead } from './types.ts'

export interface ContactDeps {
  /** Public key of the miner's hotkey, 32 bytes. */
  readonly receiver: Uint8Array
  readonly netuid: NetUid
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly table: SessionTable
  readonly pairs: PairKeyCache
  readonly sessions: ServeSessions
  readonly admission: Admission
}

/** Who asks: proven, and not yet judged. */
export interface Contact {
  readonly ok: true
  readonly request: ReadRequest
  /** The asker's, verified. */
  readonly certificate: Certificate
  readonly serve: Session
  readonly keys: PairKeys | null
}

type Unproven = { readonly ok: false; readonly code: RefusalCode; readonly retryAfterS?: number }
const refused = (code: RefusalCode): Unproven => ({ ok: false, code })

/**
 * Finds out who asks, cheap checks first: shape, receiver, session or certificate, proof. A certificate's sr25519 signature is
 * verified only for hotkeys that may ask, and only so often for one socket address.
 */
export const contact = (deps: ContactDeps, head: RequestHead, now: UnixMs): Contact | Unproven => {
  const read = readRequest(head.rawHeaders)
  if (!read.ok) return read
  const { request } = read
  const meant = judgeReceiver(request, deps)
  if (!meant.ok) return meant
  const asker = findAsker(deps, { request, remote: head.remote, now })
  if (!asker.ok) return asker
  const { certificate } = asker
  const serve = request.withKey === null ? deps.sessions.current() : deps.sessions.find(request.withKey)
  if (serve === null) return refused(request.withKey === null ? 'MINER_NOT_READY' : 'WIRE_KEYS')
  const keys = request.withKey === null ? null : deps.pairs.get(serve, certificate)
  const proof = judgeProof(request, { certificate, keys })
  return proof.ok ? { ok: true, request, certificate, serve, keys } : proof
}

/** Finds the asker's session, or verifies the certificate that came along. */
const findAsker = (
  deps: ContactDeps,
  of: { readonly request: ReadRequest; readonly remote: string; readonly now: UnixMs },
): { readonly ok: true; readonly certificate: Certificate } | Unproven => {
  const { request, now } = of
  const found = deps.table.find(request.sessionKey, now)
  if (!found.ok) return found
  if (found.session !== null) {
    const { certificate } = found.session
    const isSame = request.certificate === null || request.certificate === certificate.text
    return isSame ? { ok: true, certificate } : refused('WIRE_CERTIFICATE')
  }
  if (request.certificate === null) return refused('WIRE_SESSION')
  const read = readCertificate(request.certificate)
  if (!read.ok) return read
  const { certificate } = read
  if (certificate.key !== request.sessionKey) return refused('WIRE_CERTIFICATE')
  const { genesisHash, netuid, receiver, admission } = deps
  const judged = judgeCertificate(certificate, { now, genesisHash, netuid, purpose: 'ask', reader: receiver })
  if (!judged.ok) return judged
  const fresh = deps.table.judge(certificate)
  if (!fresh.ok) return fresh
  const registered = admission.caller(certificate.address, certificate.registeredAt)
  if (!registered.ok) return registered
  const taken = admission.check(of.remote)
  if (!taken.ok) return { ok: false, code: 'MINER_RATE', retryAfterS: taken.retryAfterS }
  return verifyCertificate(certificate) ? { ok: true, certificate } : refused('WIRE_CERTIFICATE')
}
