import { createHash } from 'node:crypto'
import { SubnetError } from '../errors.ts'
import type { UnixMs } from '../units.ts'
import { type AnswerVerdict, fault } from './answer.ts'
import { decodeCanonical, encodeCanonical, isBytes, isUint, sameBytes } from './canonical.ts'
import { type Certificate, sessionKey } from './certificate.ts'
import { CHUNK, createFrameReader, END, MAX_CHUNK_BYTES, writeFrame } from './frames.ts'
import type { PairKeys } from './keys.ts'
import { SEAL_BYTES } from './limits.ts'
import { OK } from './refusal.ts'
import type { Session } from './session.ts'
import { readToken, writeToken } from './token.ts'

const TAG = 'arbor/end/2'
/** Longest chunk before it is sealed. */
export const MAX_OPEN_CHUNK_BYTES = MAX_CHUNK_BYTES - SEAL_BYTES

/** What a stream's end signs. */
export interface EndFields {
  /** The miner's session, 16 bytes. */
  readonly session: Uint8Array
  /** 32 bytes. */
  readonly requestHash: Uint8Array
  readonly status: number
  /** Empty when all is there; else why the stream ends early. */
  readonly code: string
  readonly chunks: number
  /** Bytes of all chunks' payloads as sent. */
  readonly bodyLength: number
  /** SHA-256 of all chunks' payloads as sent, joined; 32 bytes. */
  readonly bodyHash: Uint8Array
  readonly answeredAt: UnixMs
}

/** Encodes what the signature of a stream's end covers. */
export const endBytes = (of: EndFields): Uint8Array =>
  encodeCanonical([
    TAG,
    of.session,
    of.requestHash,
    of.status,
    of.code,
    of.chunks,
    of.bodyLength,
    of.bodyHash,
    of.answeredAt,
  ])

/** What is shared with the other side and the question's counter, where chunks are sealed. */
export interface StreamSeal {
  readonly keys: PairKeys
  readonly counter: number
}

/** Writes a stream's frames, in order; nothing may follow its end. */
export interface StreamWriter {
  /** @param bytes at most MAX_OPEN_CHUNK_BYTES @throws STREAM_CHUNK when it is longer, STREAM_ENDED after the end */
  chunk(bytes: Uint8Array): Buffer
  /** @throws STREAM_ENDED after the end */
  end(of: { readonly status: number; readonly code: string; readonly answeredAt: UnixMs }): Buffer
}

/** Creates the writer of one answer. */
export const createStreamWriter = (of: {
  readonly session: Session
  readonly requestHash: Uint8Array
  readonly seal: StreamSeal | null
}): StreamWriter => {
  const hashing = createHash('sha256')
  let chunks = 0
  let bodyLength = 0
  let isEnded = false
  const checkOpen = (): void => {
    if (isEnded) throw new SubnetError({ code: 'STREAM_ENDED', message: 'The stream has ended; open another answer' })
  }
  const chunk = (bytes: Uint8Array): Buffer => {
    checkOpen()
    if (bytes.length > MAX_OPEN_CHUNK_BYTES)
      throw new SubnetError({
        code: 'STREAM_CHUNK',
        message: `A chunk of ${bytes.length} bytes is over ${MAX_OPEN_CHUNK_BYTES}; cut it`,
      })
    chunks += 1
    const { seal } = of
    const payload = seal === null ? bytes : seal.keys.answer.seal({ counter: seal.counter, index: chunks, bytes })
    hashing.update(payload)
    bodyLength += payload.length
    return writeFrame(CHUNK, payload)
  }
  const end: StreamWriter['end'] = ({ status, code, answeredAt }) => {
    checkOpen()
    isEnded = true
    const { session, requestHash } = of
    const bodyHash = hashing.digest()
    const payload = endBytes({
      session: session.id,
      requestHash,
      status,
      code,
      chunks,
      bodyLength,
      bodyHash,
      answeredAt,
    })
    return writeFrame(END, Buffer.from(writeToken(payload, session.sign(payload)), 'latin1'))
  }
  return { chunk, end }
}

/** How a stream ended, as its signature says. */
export interface StreamEnd {
  readonly fields: EndFields
  /** The miner's session as a key of maps. */
  readonly sessionKey: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** Reads a stream's frames as they come; what is read is believed only when `verifyEnd` says so. */
export interface StreamReader {
  /** Takes bytes off the socket. @returns the chunks that they complete, opened */
  push(bytes: Uint8Array): { readonly ok: true; readonly chunks: readonly Uint8Array[] } | StreamFault
  /** Says that the socket brought all. @returns the end, which is still to be verified */
  finish(): { readonly ok: true; readonly end: StreamEnd } | StreamFault
}

/** Why a stream is no answer: `cut` without its end, `trailing` with bytes after it, `size` over the reader's bound. */
export type StreamFault = {
  readonly ok: false
  readonly fault: 'malformed' | 'cut' | 'trailing' | 'body' | 'seal' | 'size'
}

/**
 * Creates the reader of one answer; holds at most one frame.
 * @param of.maxBytes bound on the opened chunks together
 */
export const createStreamReader = (of: {
  readonly seal: StreamSeal | null
  readonly maxBytes: number
}): StreamReader => {
  const hashing = createHash('sha256')
  const frames = createFrameReader()
  let chunks = 0
  let bodyLength = 0
  let openedLength = 0
  let hasMark = false
  let end: StreamEnd | null = null
  let failed: StreamFault | null = null
  const fail = (name: StreamFault['fault']): StreamFault => {
    failed = { ok: false, fault: name }
    return failed
  }

  /** Takes one chunk's payload and opens it. */
  const take = (payload: Uint8Array): Uint8Array | StreamFault => {
    chunks += 1
    bodyLength += payload.length
    hashing.update(payload)
    const { seal } = of
    const bytes =
      seal === null ? payload : seal.keys.answer.open({ counter: seal.counter, index: chunks, bytes: payload })
    if (bytes === null) return fail('seal')
    // One empty chunk is the mark before the answer's JSON; more of them would cost us and count for nothing.
    if (bytes.length === 0 && hasMark) return fail('malformed')
    hasMark ||= bytes.length === 0
    openedLength += bytes.length
    return openedLength > of.maxBytes ? fail('size') : bytes
  }

  const push: StreamReader['push'] = (bytes) => {
    if (failed !== null) return failed
    const read: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      if (end !== null) return fail('trailing')
      const step = frames.read(bytes, at)
      if (step === null) return fail('malformed')
      at = step.at
      if (step.frame === null) continue
      if (step.frame.kind === END) {
        end = readEnd(step.frame.payload)
        if (end === null) return fail('malformed')
      } else {
        const taken = take(step.frame.payload)
        if ('fault' in taken) return taken
        read.push(taken)
      }
    }
    return { ok: true, chunks: read }
  }
  const finish: StreamReader['finish'] = () => {
    if (failed !== null) return failed
    if (end === null) return fail('cut')
    const { fields } = end
    if (fields.chunks !== chunks || fields.bodyLength !== bodyLength) return fail('body')
    return sameBytes(fields.bodyHash, hashing.copy().digest()) ? { ok: true, end } : fail('body')
  }
  return { push, finish }
}

/** Reads the last frame; null when it is malformed. */
const readEnd = (text: Uint8Array): StreamEnd | null => {
  const token = readToken(Buffer.from(text).toString('latin1'))
  if (token === null || token.proof.length !== 64) return null
  const values = decodeCanonical(token.payload)
  if (values === null || values.length !== 9) return null
  const [tag, session, requestHash, status, code, chunks, bodyLength, bodyHash, answeredAt] = values
  if (tag !== TAG || !isBytes(session, 16) || !isBytes(requestHash, 32) || !isUint(status, 599)) return null
  if (typeof code !== 'string' || !isUint(chunks) || !isUint(bodyLength) || !isBytes(bodyHash, 32)) return null
  if (!isUint(answeredAt)) return null
  const fields = { session, requestHash, status, code, chunks, bodyLength, bodyHash, answeredAt: answeredAt as UnixMs }
  return { fields, sessionKey: sessionKey(session), payload: token.payload, signature: token.proof }
}

/** Verifies that the miner's session ended this answer to this request. @param of.certificate the miner's, verified */
export const verifyEnd = (
  end: StreamEnd,
  of: { readonly certificate: Certificate; readonly requestHash: Uint8Array },
): AnswerVerdict => {
  if (!sameBytes(end.fields.session, of.certificate.id)) return fault('session')
  if (!sameBytes(end.fields.requestHash, of.requestHash)) return fault('request')
  if ((end.fields.status === 200) !== (end.fields.code === '')) return fault('status')
  return of.certificate.verify(end.payload, end.signature) ? OK : fault('signature')
}
