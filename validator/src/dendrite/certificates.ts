import type { Address } from '@arbor/chain/address'
import type { Clock } from '@arbor/shared/clock'
import {
  type Certificate,
  judgeCertificate,
  readCertificate,
  verifyCertificate,
} from '@arbor/shared/protocol/certificate'
import { readRefusal } from '@arbor/shared/protocol/refusal'
import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import { type Fault, RELAYED } from './answer.ts'
import type { HttpFailure, Send } from './http.ts'

/** Whose certificate, and where it is had. */
export interface Whose {
  readonly hotkey: Ss58
  /** Block of the miner's registration, as the metagraph says. */
  readonly registeredAt: Block
  readonly address: Address
}

/** A miner's certificate, or why there is none. */
export type Found = { readonly ok: true; readonly certificate: Certificate } | NotFound
export interface NotFound {
  readonly ok: false
  readonly reason: HttpFailure['reason']
  readonly why: string
}

export interface Certificates {
  /** The miner's certificate: the one known, or fetched. Rejects with the signal's reason when it aborts first. */
  get(of: Whose, signal: AbortSignal): Promise<Found>
  /** Checks a certificate that came with an answer, and keeps it when it is the miner's. */
  take(of: Whose, text: string): Found
  /** Forgets a certificate that the miner does not know any more. */
  forget(certificate: Certificate): void
}

const MAX_BYTES = 1_024
/** A certificate is not used in its last seconds: the answer must come before it ends. */
const LAST_USE_MS = 70_000 // the longest deadline and two skews
const ASK_AGAIN_SHARE = 0.1

/**
 * Keeps the miners' certificates, fetched from the miners themselves and believed for the hotkey's signature alone.
 * @param of.capacity miners; the one that was asked least recently is forgotten
 * @param of.timeoutMs of a fetch
 */
export const createCertificates = (of: {
  readonly send: Send
  readonly clock: Clock
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  /** Public key of our hotkey. */
  readonly reader: Uint8Array
  readonly capacity: number
  readonly timeoutMs: number
}): Certificates => {
  const known = new Map<Ss58, Certificate>()
  const fetching = new Map<Ss58, Promise<Found>>()

  const keep = (certificate: Certificate): void => {
    known.delete(certificate.address)
    known.set(certificate.address, certificate)
    const [oldest] = known.keys()
    if (known.size > of.capacity && oldest !== undefined) known.delete(oldest)
  }

  const usable = ({ hotkey, registeredAt }: Whose): Certificate | null => {
    const certificate = known.get(hotkey)
    if (certificate === undefined || certificate.registeredAt !== registeredAt) return null
    const { issuedAt, expiresAt } = certificate
    const margin = Math.min(LAST_USE_MS, (expiresAt - issuedAt) * ASK_AGAIN_SHARE)
    if (of.clock.now() >= expiresAt - margin) return null
    keep(certificate)
    return certificate
  }

  const take: Certificates['take'] = (whose, text) => {
    const read = readCertificate(text)
    if (!read.ok) return notFound('certificate-malformed', 'the certificate cannot be read')
    const { certificate } = read
    const fault = judge(certificate, whose)
    if (fault !== null) return fault
    keep(certificate)
    return { ok: true, certificate }
  }

  const judge = (certificate: Certificate, { hotkey, registeredAt }: Whose): NotFound | null => {
    if (certificate.address !== hotkey)
      return notFound('certificate-stolen', `the certificate is of ${certificate.address}`)
    const { genesisHash, netuid, reader } = of
    const judged = judgeCertificate(certificate, { now: of.clock.now(), genesisHash, netuid, purpose: 'serve', reader })
    if (!judged.ok && judged.code === 'WIRE_SESSION_EXPIRED')
      return notFound('certificate-expired', 'the certificate is not of this time')
    if (!judged.ok) return notFound('certificate-wrong', `the certificate is for something else (${judged.code})`)
    if (certificate.registeredAt !== registeredAt)
      return notFound(
        'certificate-wrong',
        `the certificate names block ${certificate.registeredAt} as its registration`,
      )
    const isKnown = known.get(hotkey)?.text === certificate.text
    return isKnown || verifyCertificate(certificate) ? null : notFound('certificate-wrong', 'the signature is not its')
  }

  const fetch = async (whose: Whose, signal: AbortSignal): Promise<Found> => {
    const { address, hotkey } = whose
    const path = `/.arbor/certificate/${hotkey}`
    const { timeoutMs } = of
    const reply = await of.send(
      { address, method: 'GET', path, headers: {}, body: null, timeoutMs, maxBytes: MAX_BYTES },
      signal,
    )
    if (!reply.ok) return notFound(reply.reason, `fetching its certificate: ${reply.why}`)
    const relayed = RELAYED[readRefusal(reply.body) ?? '']
    if (relayed !== undefined) return notFound(relayed, `no certificate through the relay: HTTP ${reply.status}`)
    if (reply.status === 429 || reply.status === 503)
      return notFound('rejected', `no certificate: HTTP ${reply.status}`)
    if (reply.status !== 200) return notFound('certificate-missing', `it serves no certificate: HTTP ${reply.status}`)
    return take(whose, Buffer.from(reply.body).toString('latin1').trim())
  }

  return {
    take,
    get: (whose, signal) => {
      const certificate = usable(whose)
      if (certificate !== null) return Promise.resolve({ ok: true, certificate })
      // A miner asked twice at once is asked for its certificate once, and again when the first of the two was called off.
      const under = fetching.get(whose.hotkey)
      if (under !== undefined) return under.catch(() => fetch(whose, signal))
      const fetched = fetch(whose, signal).finally(() => fetching.delete(whose.hotkey))
      fetching.set(whose.hotkey, fetched)
      return fetched
    },
    forget: (certificate) => {
      if (known.get(certificate.address) === certificate) known.delete(certificate.address)
    },
  }
}

const notFound = (reason: Fault | HttpFailure['reason'], why: string): NotFound => ({ ok: false, reason, why })
