import { hash } from 'node:crypto'
import type { UnixMs } from '../units.ts'
import { decodeCanonical, encodeCanonical, isBytes, isUint, sameBytes } from './canonical.ts'
import { type Certificate, sessionKey } from './certificate.ts'
import type { PairKeys } from './keys.ts'
import { SEALED_TYPE } from './limits.ts'
import { OK } from './refusal.ts'
import type { Session } from './session.ts'
import { readToken, writeToken } from './token.ts'

const TAG = 'arbor/answer/2'

/** What an answer's signature covers. */
export interface AnswerFields {
  /** The miner's session, 16 bytes. */
  readonly session: Uint8Array
  /** The request that this answers, 32 bytes. */
  readonly requestHash: Uint8Array
  /** HTTP status. */
  readonly status: number
  readonly contentType: string
  /** Bytes of the body as sent. */
  readonly bodyLength: number
  /** SHA-256 of the body as sent, 32 bytes. */
  readonly bodyHash: Uint8Array
  readonly answeredAt: UnixMs
}

/** Encodes what an answer's signature covers. */
export const answerBytes = (of: AnswerFields): Uint8Array =>
  encodeCanonical([
    TAG,
    of.session,
    of.requestHash,
    of.status,
    of.contentType,
    of.bodyLength,
    of.bodyHash,
    of.answeredAt,
  ])

/**
 * Writes a whole answer: seals its body, hashes it, and signs both.
 * @param of.seal what is shared with the asker and the question's counter, where the answer is sealed
 * @returns the value of `arbor-envelope`, the body as sent and its type
 */
export const writeAnswer = (of: {
  readonly session: Session
  readonly requestHash: Uint8Array
  readonly status: number
  readonly contentType: string
  readonly body: Uint8Array
  readonly answeredAt: UnixMs
  readonly seal: { readonly keys: PairKeys; readonly counter: number } | null
}): { readonly envelope: string; readonly body: Uint8Array; readonly contentType: string } => {
  const { seal } = of
  const body = seal === null ? of.body : seal.keys.answer.seal({ counter: seal.counter, bytes: of.body })
  const contentType = seal === null ? of.contentType : SEALED_TYPE
  const payload = answerBytes({
    session: of.session.id,
    requestHash: of.requestHash,
    status: of.status,
    contentType,
    bodyLength: body.length,
    bodyHash: hash('sha256', body, 'buffer'),
    answeredAt: of.answeredAt,
  })
  return { envelope: writeToken(payload, of.session.sign(payload)), body, contentType }
}

/** An answer's envelope as received; nothing of it is believed before `verifyAnswer`. */
export interface ReadAnswer {
  readonly fields: AnswerFields
  /** The miner's session as a key of maps. */
  readonly sessionKey: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** Reads an answer's envelope; null when it is malformed or of another version. */
export const readAnswer = (envelope: string): ReadAnswer | null => {
  const token = readToken(envelope)
  if (token === null || token.proof.length !== 64) return null
  const values = decodeCanonical(token.payload)
  if (values === null || values.length !== 8) return null
  const [tag, session, requestHash, status, contentType, bodyLength, bodyHash, answeredAt] = values
  if (tag !== TAG || !isBytes(session, 16) || !isBytes(requestHash, 32) || !isUint(status, 599)) return null
  if (typeof contentType !== 'string' || !isUint(bodyLength) || !isBytes(bodyHash, 32) || !isUint(answeredAt))
    return null
  return {
    fields: {
      session,
      requestHash,
      status,
      contentType,
      bodyLength,
      bodyHash,
      answeredAt: answeredAt as UnixMs,
    },
    sessionKey: sessionKey(session),
    payload: token.payload,
    signature: token.proof,
  }
}

/** Why an answer is not believed. */
export type AnswerFault =
  /** Its envelope or frames are malformed. */
  | 'malformed'
  /** It is signed in the name of another session than the certificate's. */
  | 'session'
  /** It answers another request. */
  | 'request'
  /** It was signed with another status, or says that it is complete and is not. */
  | 'status'
  /** The body is not the one that was signed. */
  | 'body'
  /** The signature is not the session's. */
  | 'signature'
  /** The question was sealed and the answer is not, or it does not open. */
  | 'seal'

export type AnswerVerdict = { readonly ok: true } | { readonly ok: false; readonly fault: AnswerFault }

/** Names a fault. */
export const fault = (name: AnswerFault): { readonly ok: false; readonly fault: AnswerFault } => ({
  ok: false,
  fault: name,
})

/**
 * Verifies that the miner's session gave this answer to this request, cheap checks first.
 * @param of.certificate the miner's, verified
 * @param of.status HTTP status as received
 * @param of.body as received
 */
export const verifyAnswer = (
  answer: ReadAnswer,
  of: {
    readonly certificate: Certificate
    readonly requestHash: Uint8Array
    readonly status: number
    readonly body: Uint8Array
  },
): AnswerVerdict => {
  const { fields } = answer
  if (!sameBytes(fields.session, of.certificate.id)) return fault('session')
  if (!sameBytes(fields.requestHash, of.requestHash)) return fault('request')
  if (fields.status !== of.status) return fault('status')
  if (fields.bodyLength !== of.body.length || !sameBytes(fields.bodyHash, hash('sha256', of.body, 'buffer')))
    return fault('body')
  return of.certificate.verify(answer.payload, answer.signature) ? OK : fault('signature')
}

/**
 * Opens a verified answer's body; refusals may come unsealed, answers to sealed questions (status 200) may not.
 * @param of.seal what is shared with the miner and the question's counter, where the question was sealed
 */
export const openAnswer = (
  answer: ReadAnswer,
  of: { readonly body: Uint8Array; readonly seal: { readonly keys: PairKeys; readonly counter: number } | null },
): { readonly ok: true; readonly body: Uint8Array } | { readonly ok: false; readonly fault: 'seal' } => {
  const isSealed = answer.fields.contentType === SEALED_TYPE
  if (!isSealed && (of.seal === null || answer.fields.status !== 200)) return { ok: true, body: of.body }
  const opened = isSealed ? (of.seal?.keys.answer.open({ counter: of.seal.counter, bytes: of.body }) ?? null) : null
  return opened === null ? { ok: false, fault: 'seal' } : { ok: true, body: opened }
}
