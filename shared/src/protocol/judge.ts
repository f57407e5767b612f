import { hash } from 'node:crypto'
import type { NetUid, UnixMs } from '../units.ts'
import { sameBytes } from './canonical.ts'
import type { Certificate } from './certificate.ts'
import type { PairKeys } from './keys.ts'
import { ALLOWED_SKEW_MS, SEAL_BYTES, SEALED_TYPE } from './limits.ts'
import { OK, type Refusal, refuse } from './refusal.ts'
import type { ReadRequest } from './request.ts'

type Verdict<Code extends string> = { readonly ok: true } | Refusal<Code>

/** Judges whom a request is for. @param context.receiver public key of the hotkey that serves */
export const judgeReceiver = (
  { fields }: ReadRequest,
  context: { readonly receiver: Uint8Array; readonly netuid: NetUid },
): Verdict<'WIRE_RECEIVER' | 'WIRE_NETUID'> => {
  if (!sameBytes(fields.receiver, context.receiver)) return refuse('WIRE_RECEIVER')
  return fields.netuid === context.netuid ? OK : refuse('WIRE_NETUID')
}

/**
 * Judges the proof: a MAC under the keys of the pair, or a signature by the asker's session.
 * @param of.certificate the asker's, verified
 * @param of.keys what the asker's session shares with the one that `with` names; null when that is none of ours
 */
export const judgeProof = (
  request: ReadRequest,
  of: { readonly certificate: Certificate; readonly keys: PairKeys | null },
): Verdict<'WIRE_KEYS' | 'WIRE_PROOF'> => {
  if (request.fields.with !== null && of.keys === null) return refuse('WIRE_KEYS')
  const { payload, proof } = request
  const isProven =
    proof.length === 64 ? of.certificate.verify(payload, proof) : (of.keys?.hasMac(payload, proof) ?? false)
  return isProven ? OK : refuse('WIRE_PROOF')
}

/** Judges whether a request is of now: at most 5 s from the future, its time not over for longer than that. */
export const judgeTime = ({ fields }: ReadRequest, now: UnixMs): Verdict<'WIRE_EXPIRED'> =>
  fields.sentAt <= now + ALLOWED_SKEW_MS && now < fields.sentAt + fields.timeoutMs + ALLOWED_SKEW_MS
    ? OK
    : refuse('WIRE_EXPIRED')

/** Judges whether method and target are those that were signed. */
export const judgeTarget = (
  { fields }: ReadRequest,
  of: { readonly method: string; readonly path: string },
): Verdict<'WIRE_TARGET'> => (fields.method === of.method && fields.path === of.path ? OK : refuse('WIRE_TARGET'))

/**
 * Judges the announced length before a byte of the body is read; chunked bodies announce none and are refused.
 * @param limit bytes of the question; a seal may add its 16
 */
export const judgeLength = (
  { fields, contentLength }: ReadRequest,
  limit: number,
): Verdict<'WIRE_LENGTH' | 'WIRE_TOO_LARGE'> => {
  if (contentLength !== String(fields.bodyLength)) return refuse('WIRE_LENGTH')
  const room = fields.contentType === SEALED_TYPE ? limit + SEAL_BYTES : limit
  return fields.bodyLength <= room ? OK : refuse('WIRE_TOO_LARGE')
}

/** Compares the body with the signed hash and opens it, before anything parses it. */
export const openBody = (
  { fields }: ReadRequest,
  of: { readonly body: Uint8Array; readonly keys: PairKeys | null },
): { readonly ok: true; readonly body: Uint8Array } | Refusal<'WIRE_BODY_HASH' | 'WIRE_SEAL'> => {
  if (of.body.length !== fields.bodyLength || !sameBytes(hash('sha256', of.body, 'buffer'), fields.bodyHash))
    return refuse('WIRE_BODY_HASH')
  if (fields.contentType !== SEALED_TYPE) return { ok: true, body: of.body }
  const opened = of.keys?.request.open({ counter: fields.counter, bytes: of.body }) ?? null
  return opened === null ? refuse('WIRE_SEAL') : { ok: true, body: opened }
}
