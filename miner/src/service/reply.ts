import { writeAnswer } from '@arbor/shared/protocol/answer'
import type { PairKeys } from '@arbor/shared/protocol/keys'
import { JSON_TYPE, SEALED_TYPE } from '@arbor/shared/protocol/limits'
import { refusalBody } from '@arbor/shared/protocol/refusal'
import type { ReadRequest } from '@arbor/shared/protocol/request'
import type { Session } from '@arbor/shared/protocol/session'
import type { UnixMs } from '@arbor/shared/units'
import { type RefusalCode, statusOf } from '../refusal.ts'
import type { WholeAnswer } from './types.ts'

/** A proven request, and what its answer is signed and sealed with. */
export interface Proven {
  readonly request: ReadRequest
  readonly serve: Session
  readonly keys: PairKeys | null
}

/** Retry-after of refusals that pass by themselves and know no better. */
const SOON_S = 1
const PASSING: readonly RefusalCode[] = ['MINER_BUSY', 'MINER_RATE', 'MINER_NOT_READY', 'WIRE_SESSIONS_FULL']

/** Writes a refusal before the proof: nothing is signed for strangers. */
export const refuseUnproven = (code: RefusalCode, retryAfterS: number | null = null): WholeAnswer => ({
  kind: 'whole',
  head: {
    status: statusOf(code),
    contentType: JSON_TYPE,
    envelope: null,
    certificate: null,
    ...retry(code, retryAfterS),
  },
  body: refusalBody(code),
})

/** Writes a refusal after the proof: signed, so that it can be shown to others, and never sealed. */
export const refuseProven = (
  of: Proven & { readonly code: RefusalCode; readonly retryAfterS?: number | null; readonly now: UnixMs },
): WholeAnswer => {
  const { request, serve, code } = of
  const { envelope, body, contentType } = writeAnswer({
    session: serve,
    requestHash: request.hash,
    status: statusOf(code),
    contentType: JSON_TYPE,
    body: refusalBody(code),
    answeredAt: of.now,
    seal: null,
  })
  const head = { status: statusOf(code), contentType, envelope, certificate: certificateFor(of) }
  return { kind: 'whole', head: { ...head, ...retry(code, of.retryAfterS ?? null) }, body }
}

/** Writes an answer; sealed when the question was. */
export const reply = (of: Proven & { readonly body: Uint8Array; readonly now: UnixMs }): WholeAnswer => {
  const { request, serve } = of
  const { envelope, body, contentType } = writeAnswer({
    session: serve,
    requestHash: request.hash,
    status: 200,
    contentType: JSON_TYPE,
    body: of.body,
    answeredAt: of.now,
    seal: sealOf(of),
  })
  const head = { status: 200, contentType, envelope, certificate: certificateFor(of), retryAfterS: null }
  return { kind: 'whole', head, body }
}

/** Finds what an answer is sealed with; null when the question was not. */
export const sealOf = ({ request, keys }: Proven): { readonly keys: PairKeys; readonly counter: number } | null =>
  keys !== null && request.fields.contentType === SEALED_TYPE ? { keys, counter: request.fields.counter } : null

/** A first contact gets the miner's certificate back. */
export const certificateFor = ({ request, serve }: Proven): string | null =>
  request.certificate === null ? null : serve.certificate.text

const retry = (code: RefusalCode, retryAfterS: number | null): { readonly retryAfterS: number | null } => ({
  retryAfterS: retryAfterS ?? (PASSING.includes(code) ? SOON_S : null),
})
