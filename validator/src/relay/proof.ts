import type { Clock } from '@arbor/shared/clock'
import type { Hello } from '@arbor/shared/dial/messages'
import { dialStatement } from '@arbor/shared/dial/statement'
import {
  type Certificate,
  judgeCertificate,
  readCertificate,
  verifyCertificate,
} from '@arbor/shared/protocol/certificate'
import type { Block, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import type { ProofRate } from './proof-rate.ts'

/** A certificate whose hotkey signed it and is registered. */
export interface ProvedCertificate {
  readonly hotkey: Ss58
  readonly registeredAt: Block
  readonly expiresAt: UnixMs
  /** As a header carries it. */
  readonly text: string
}

/** What certificates are measured by. */
export interface ProofDeps {
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  /** Public key of the validator that listens; zeros for a relay, which has none. */
  readonly self: Uint8Array
  /** Block of a hotkey's registration; null when it has none. */
  readonly registeredAt: (hotkey: Ss58) => Block | null
  /** Bounds how many certificates of an address are verified. */
  readonly rate: ProofRate
  readonly clock: Clock
}

export type ProofRefusal = 'RELAY_CERTIFICATE' | 'RELAY_UNREGISTERED' | 'RELAY_PROOF' | 'RELAY_EXPIRED' | 'RELAY_RATE'

/**
 * Proves that a message comes from the holder of a serve session of a registered hotkey; the costly signature comes last.
 * @param of.certificate as a header carries it
 * @param of.message what the session signed
 */
export const proveHolder = (
  deps: ProofDeps,
  of: {
    readonly certificate: string
    readonly message: Uint8Array
    readonly signature: Uint8Array
    readonly address: string
  },
):
  | { readonly ok: true; readonly certificate: ProvedCertificate }
  | { readonly ok: false; readonly code: ProofRefusal } => {
  const refuse = (code: ProofRefusal) => ({ ok: false, code }) as const
  const read = readCertificate(of.certificate)
  if (!read.ok) return refuse('RELAY_CERTIFICATE')
  const { certificate } = read
  const { genesisHash, netuid, self, clock } = deps
  const judged = judgeCertificate(certificate, {
    now: clock.now(),
    genesisHash,
    netuid,
    purpose: 'serve',
    reader: self,
  })
  if (!judged.ok) return refuse(judged.code === 'WIRE_SESSION_EXPIRED' ? 'RELAY_EXPIRED' : 'RELAY_CERTIFICATE')
  if (deps.registeredAt(certificate.address) !== certificate.registeredAt) return refuse('RELAY_UNREGISTERED')
  if (!certificate.verify(of.message, of.signature)) return refuse('RELAY_PROOF')
  if (!deps.rate.take(of.address)) return refuse('RELAY_RATE')
  return verifyCertificate(certificate) ? { ok: true, certificate: proved(certificate) } : refuse('RELAY_PROOF')
}

const proved = ({ address, registeredAt, expiresAt, text }: Certificate): ProvedCertificate => ({
  hotkey: address,
  registeredAt,
  expiresAt,
  text,
})

/** Judges a hello on a connection. */
export type Prover = (of: {
  readonly hello: Hello
  readonly challenge: Uint8Array
  readonly address: string
  readonly isOwnHost: (host: string) => boolean
}) =>
  | { readonly ok: true; readonly certificate: ProvedCertificate }
  | { readonly ok: false; readonly code: ProofRefusal | 'RELAY_HOST' }

/** Makes the judge of hellos: signed for a host that is ours, over this connection's challenge. */
export const createProver =
  (deps: ProofDeps): Prover =>
  ({ hello, challenge, address, isOwnHost }) => {
    const { certificate, host, signature } = hello
    if (!isOwnHost(host)) return { ok: false, code: 'RELAY_HOST' }
    return proveHolder(deps, { certificate, message: dialStatement({ challenge, host }), signature, address })
  }
