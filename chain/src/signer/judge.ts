import { hash } from 'node:crypto'
import type { Clock } from '@arbor/shared/clock'
import { fromHex, toHex } from '@arbor/shared/hex'
import { sameBytes } from '@arbor/shared/protocol/canonical'
import { type CertificateFields, readCertificate, writeCertificate } from '@arbor/shared/protocol/certificate'
import { encodeSs58 } from '@arbor/shared/ss58'
import { readTreeHead } from '@arbor/shared/tree-head'
import type { Ss58 } from '@arbor/shared/units'
import { messageOf } from '../client/sign.ts'
import type { ChainCode } from './chain-code.ts'
import { createHistory, type History } from './history.ts'
import { judgeExtrinsic } from './judge-extrinsic.ts'
import type { Policy } from './policy.ts'
import { createRate, type Rate } from './rate.ts'
import { readSynapseText } from './read-text.ts'
import { type Forbidden, forbid, type SignKind } from './rules.ts'
import type { SpendBook } from './spend.ts'

/** What is asked of a signer; `bytes` is the whole payload of an extrinsic, else what is to be signed. */
export interface SignRequest {
  readonly kind: SignKind
  readonly hotkey: Ss58
  readonly bytes: Uint8Array
}

/** What a decision was about, for its line in the log; nothing of it is secret. */
export interface About {
  readonly kind: SignKind
  readonly hotkey: Ss58
  /** First 16 bytes of SHA-256 of the bytes. */
  readonly hash: string
  readonly call?: string
  readonly netuids?: readonly number[]
  readonly purpose?: string
  /** What it can cost at most; decimal. */
  readonly rao?: string
}

/** A decision: what to sign, or the rule that forbids it. */
export type Judgement = { readonly about: About } & ({ readonly ok: true; readonly message: Uint8Array } | Forbidden)

export type Judge = (request: SignRequest, signal: AbortSignal) => Promise<Judgement>

export interface JudgeDeps {
  readonly policy: Policy
  /** The chain's code, and its genesis. */
  readonly code: ChainCode
  readonly spending: SpendBook
  readonly clock: Clock
}

/** How far what is signed may be from the signer's own clock, which is its machine's and so mostly the asker's. */
export const MAX_SKEW_MS = 30_000
/** Kinds and hotkeys are few; a rate for each. */
type Rates = (kind: SignKind, hotkey: Ss58) => Rate | null

/** Makes what decides by a policy and by the bytes, whatever they are said to be. */
export const createJudge = (deps: JudgeDeps): Judge => {
  const rates = createRates(deps)
  const history = createHistory()
  return async (request, signal) => {
    const { kind, hotkey, bytes } = request
    const about: About = { kind, hotkey, hash: toHex(hash('sha256', bytes, 'buffer').subarray(0, 16)) }
    const rate = rates(kind, hotkey)
    if (rate === null) return { ...forbid('purpose', `the policy lets no ${kind} be signed`), about }
    if (kind === 'extrinsic') {
      // Reading a payload takes time, so those that turn out bad count too.
      if (!rate.take()) return { ...tooOften(deps.policy, kind), about }
      const judged = await judgeExtrinsic(deps, request, signal)
      if (judged.ok && otherReading(messageOf(bytes))) return { ...ambiguous, about: { ...about, ...judged.more } }
      return { ...judged, about: { ...about, ...judged.more } }
    }
    const judged = judgeBytes(deps, history, request)
    const more = { ...about, ...judged.more }
    if (!judged.ok) return { ...judged, about: more }
    if (!rate.take()) return { ...tooOften(deps.policy, kind), about: more }
    judged.commit?.()
    return { ok: true, message: bytes, about: more }
  }
}

type Verdict = { readonly more: Partial<About> } & ({ readonly ok: true; readonly commit?: () => void } | Forbidden)

const judgeBytes = (deps: JudgeDeps, history: History, request: SignRequest): Verdict => {
  if (request.kind === 'certificate') return judgeCertificate(deps, request)
  return request.kind === 'head' ? judgeHead(deps, history, request) : judgeSynapse(deps, request)
}

/** Certificates begin with 0x8b, heads with 0x87 and a synapse's text with a digit, so that none is ever the other. */
const judgeCertificate = ({ policy, code, clock }: JudgeDeps, { hotkey, bytes }: SignRequest): Verdict => {
  const read = certificateOf(bytes)
  if (read === null) return { ...forbid('bytes', 'these are no bytes of a certificate'), more: {} }
  const more = { netuids: [read.netuid], purpose: read.purpose }
  const no = (...of: Parameters<typeof forbid>): Verdict => ({ ...forbid(...of), more })
  const { purposes = [], maxLifetimeMs = 0 } = policy.certificates ?? {}
  if (encodeSs58(read.hotkey) !== hotkey) return no('hotkey', 'the certificate names another hotkey')
  if (!sameBytes(read.genesisHash, code.genesisHash)) return no('chain', 'the certificate is for another chain')
  if (!policy.netuids.includes(read.netuid)) return no('netuid', `the policy does not name subnet ${read.netuid}`)
  if (!purposes.includes(read.purpose)) return no('purpose', `the policy signs no certificate to ${read.purpose}`)
  const lifetimeMs = read.expiresAt - read.issuedAt
  if (lifetimeMs > maxLifetimeMs)
    return no('lifetime', `it would live ${lifetimeMs} ms, and the policy allows ${maxLifetimeMs}`)
  const skewMs = read.issuedAt - clock.now()
  if (Math.abs(skewMs) > MAX_SKEW_MS) return no('time', `it is issued ${skewMs} ms from the signer's clock`)
  return { ok: true, more }
}

/** A head is signed for as long as it follows those that this process signed; over restarts the validator's ledger sees to that. */
const judgeHead = ({ policy, code }: JudgeDeps, history: History, { hotkey, bytes }: SignRequest): Verdict => {
  const read = readTreeHead(bytes)
  if (read === null) return { ...forbid('bytes', "these are no bytes of a log's head"), more: {} }
  const more = { netuids: [read.netuid] }
  const no = (...of: Parameters<typeof forbid>): Verdict => ({ ...forbid(...of), more })
  if (read.hotkey !== hotkey) return no('hotkey', 'the head names another hotkey')
  if (!sameBytes(fromHex(read.genesisHash), code.genesisHash)) return no('chain', 'the head is for another chain')
  if (!policy.netuids.includes(read.netuid)) return no('netuid', `the policy does not name subnet ${read.netuid}`)
  const refusal = history.refusalOf(read)
  if (refusal !== null) return no('history', refusal)
  return { ok: true, more, commit: () => history.add(read) }
}

const judgeSynapse = ({ clock }: JudgeDeps, { hotkey, bytes }: SignRequest): Verdict => {
  const read = readSynapseText(bytes)
  const no = (...of: Parameters<typeof forbid>): Verdict => ({ ...forbid(...of), more: {} })
  if (read === null) return no('bytes', "this is no text of a request on Bittensor's wire")
  if (read.dendrite !== hotkey) return no('hotkey', 'the request names another hotkey')
  const skewMs = Number(read.nonce / 1_000_000n) - clock.now()
  if (Math.abs(skewMs) > MAX_SKEW_MS) return no('time', `its nonce is ${skewMs} ms from the signer's clock`)
  return { ok: true, more: {} }
}

/** Reads a certificate before it has its signature. */
const certificateOf = (bytes: Uint8Array): CertificateFields | null => {
  const read = readCertificate(writeCertificate(bytes, new Uint8Array(64)))
  return read.ok ? read.certificate : null
}

/** Tells whether what is signed for an extrinsic would convince somebody as something else. */
export const otherReading = (message: Uint8Array): boolean =>
  certificateOf(message) !== null || readSynapseText(message) !== null || readTreeHead(message) !== null

const ambiguous = forbid('ambiguous', 'the payload is also a certificate, a request or a head')

const limitsOf = ({ certificates, extrinsics, synapses, heads }: Policy) => ({
  certificate: certificates,
  extrinsic: extrinsics,
  synapse: synapses,
  head: heads,
})

const tooOften = (policy: Policy, kind: SignKind): Forbidden => {
  const { perMinute = 0 } = limitsOf(policy)[kind] ?? {}
  return forbid('rate', `the policy lets ${perMinute} of kind ${kind} be signed in a minute`)
}

const createRates = ({ policy, clock }: JudgeDeps): Rates => {
  const limits = limitsOf(policy)
  const rates = new Map<string, Rate>()
  return (kind, hotkey) => {
    const limit = limits[kind]
    if (limit === undefined) return null
    const key = `${kind} ${hotkey}`
    const rate = rates.get(key) ?? createRate({ perMinute: limit.perMinute, clock })
    rates.set(key, rate)
    return rate
  }
}
