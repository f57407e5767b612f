import { type AnswerFault, openAnswer, readAnswer, verifyAnswer } from '@arbor/shared/protocol/answer'
import type { Certificate } from '@arbor/shared/protocol/certificate'
import { readOwnHeaders } from '@arbor/shared/protocol/headers'
import { JSON_TYPE, SEAL_BYTES, SEALED_TYPE, STREAM_TYPE } from '@arbor/shared/protocol/limits'
import { REFUSAL_BYTES, readRefusal } from '@arbor/shared/protocol/refusal'
import { type StreamSeal, verifyEnd } from '@arbor/shared/protocol/stream'
import type { UnixMs } from '@arbor/shared/units'
import { type Fault, type FaultAnswer, RELAYED } from './answer.ts'
import { createCollector } from './arbor-stream.ts'
import type { Found } from './certificates.ts'
import type { HttpHead, HttpReply } from './http.ts'
import { readResponse } from './response.ts'
import type { Question } from './speaker.ts'

/** What can be mended in the course of one question: the miner lacks our certificate, takes our session for an old one, or has another itself. */
export type Mend = 'certificate' | 'session' | 'keys'

/** An answer's envelope or the end of its stream, verified. */
export interface SignedAnswer {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  readonly certificate: Certificate
}

/** What a reply comes to. */
export type Received =
  | {
      readonly kind: 'body'
      readonly body: Uint8Array
      /** What the miner signed, and with which session. */
      readonly signed: SignedAnswer
    }
  | FaultAnswer
  | { readonly kind: 'mend'; readonly mend: Mend; readonly otherwise: FaultAnswer }

/** Takes one reply as it comes, and judges it when it is whole. */
export interface Receiver {
  readonly maxBytes: number
  readonly onHead: (head: HttpHead) => Fault | null
  readonly onChunk: (bytes: Uint8Array) => Fault | null
  judge(of: {
    readonly reply: Extract<HttpReply, { ok: true }>
    readonly requestHash: Uint8Array
    /** The miner's, by which the request was written. */
    readonly certificate: Certificate
    /** Finds the certificate of another session that signed: the one that came along, or the miner's present one. */
    readonly other: (text: string | null) => Promise<Found>
    readonly now: UnixMs
  }): Promise<Received>
}

/** Creates the receiver of one reply. @param of.seal what is shared with the miner and the question's counter, where it was sealed */
export const createReceiver = (of: {
  readonly question: Question
  readonly seal: StreamSeal | null
  readonly wantsStream: boolean
}): Receiver => {
  const { question, seal, wantsStream } = of
  const wholeBytes = Math.max(question.maxResponseBytes + SEAL_BYTES, REFUSAL_BYTES)
  const parts: Uint8Array[] = []
  let size = 0
  let collector: ReturnType<typeof createCollector> | null = null

  const onHead: Receiver['onHead'] = ({ status, headers }) => {
    const isStream = wantsStream && status === 200 && headers['content-type'] === STREAM_TYPE
    if (isStream) collector = createCollector({ seal, question })
    return null
  }
  const onChunk: Receiver['onChunk'] = (bytes) => {
    if (collector !== null) return collector.push(bytes)
    size += bytes.length
    if (size > wholeBytes) return 'oversized'
    parts.push(bytes)
    return null
  }

  const judge: Receiver['judge'] = async ({ reply, requestHash, certificate, other, now }) => {
    const fault = (reason: Fault, why: string): FaultAnswer => ({ kind: 'fault', reason, why, timing: reply.timing })
    const headers = readOwnHeaders(reply.rawHeaders)
    if (headers === null) return fault('unsigned', 'its own headers are malformed')
    const refused = (code: string | null, answeredAt: UnixMs | null): Received => {
      const otherwise = refusal({ code, answeredAt, head: reply, now, fault })
      const mend = code === null ? undefined : MENDS[code]
      return mend === undefined ? otherwise : { kind: 'mend', mend, otherwise }
    }
    const signer = async (session: Uint8Array): Promise<Certificate> => {
      if (Buffer.compare(session, certificate.id) === 0) return certificate
      const found = await other(headers.certificate)
      return found.ok ? found.certificate : certificate // by which it is not signed
    }

    if (collector !== null) {
      const collected = collector.finish()
      if (!collected.ok) return fault(collected.reason, collected.why)
      const { end } = collected
      const by = await signer(end.fields.session)
      const verdict = verifyEnd(end, { certificate: by, requestHash })
      if (!verdict.ok)
        return fault(UNBELIEVED[verdict.fault], `the end of the stream is not believed: ${verdict.fault}`)
      if (end.fields.status !== 200) return refused(end.fields.code, end.fields.answeredAt)
      return collected.body === null
        ? fault('malformed', 'the stream has no response after its text')
        : fitting(question, collected.body, { ...end, certificate: by }, fault)
    }

    const body = Buffer.concat(parts)
    if (headers.envelope === null) {
      const code = readRefusal(body)
      return code === null ? fault('unsigned', `HTTP ${reply.status} without a signature`) : refused(code, null)
    }
    const answer = readAnswer(headers.envelope)
    if (answer === null) return fault('forged', 'its envelope is malformed')
    const { fields } = answer
    const signed = { certificate: await signer(fields.session), requestHash, status: reply.status, body }
    const verdict = verifyAnswer(answer, signed)
    if (!verdict.ok) return fault(UNBELIEVED[verdict.fault], `the answer is not believed: ${verdict.fault}`)
    const opened = openAnswer(answer, { body, seal })
    if (fields.status === 200 && fields.contentType !== JSON_TYPE && fields.contentType !== SEALED_TYPE)
      return fault('content-type', 'the answer has another content type than JSON')
    if (!opened.ok) return fault('unsealed', 'the answer is not sealed as the question was')
    if (fields.status !== 200) return refused(readRefusal(opened.body), fields.answeredAt)
    return fitting(question, opened.body, { ...answer, certificate: signed.certificate }, fault)
  }

  // Frames take 5 bytes and a seal's 16 each; what is over the bound on their content is seen as they come.
  const maxBytes = wantsStream ? 2 * question.maxResponseBytes * (1 + SEAL_BYTES + 5) + 65_536 : wholeBytes
  return { maxBytes, onHead, onChunk, judge }
}

/** Refusals that another attempt may mend. */
const MENDS: Readonly<Record<string, Mend>> = {
  WIRE_SESSION: 'certificate',
  WIRE_SESSION_OLD: 'session',
  WIRE_KEYS: 'keys',
}

/** Refusals that have a word of their own whoever says them; the others are `rejected` when nobody signed them. */
const SAID: Readonly<Record<string, Fault>> = { ...RELAYED, WIRE_EXPIRED: 'clock', WIRE_SESSION_EXPIRED: 'clock' }
/** Refusals that have a word of their own when the miner signed them; the others are `refused`. */
const SIGNED: Readonly<Record<string, Fault>> = { ...SAID, MINER_BUSY: 'busy', MINER_RATE: 'rate' }

const UNBELIEVED: Readonly<Record<AnswerFault, Fault>> = {
  malformed: 'forged',
  session: 'forged',
  request: 'wrong-request',
  status: 'forged',
  body: 'forged',
  signature: 'forged',
  seal: 'unsealed',
}

type MakeFault = (reason: Fault, why: string) => FaultAnswer

function refusal(of: {
  readonly code: string | null
  /** When it was signed, by the miner's clock; null when it is not. */
  readonly answeredAt: UnixMs | null
  readonly head: HttpHead
  readonly now: UnixMs
  readonly fault: MakeFault
}): FaultAnswer {
  const { code, answeredAt, head, now, fault } = of
  const signed = answeredAt !== null
  const word = code === null ? undefined : (signed ? SIGNED : SAID)[code]
  const what = `HTTP ${head.status}, ${code ?? 'no code'}`
  if (word === 'clock')
    return fault('clock', `its clock and ours differ: ${offBy(answeredAt ?? dateOf(head), now)} (${what})`)
  return fault(word ?? (signed ? 'refused' : 'rejected'), `the miner refuses: ${what}${signed ? '' : ', unsigned'}`)
}

/** Reads the Date header, which has whole seconds; NaN without one. */
const dateOf = ({ headers }: HttpHead): number => Date.parse(String(headers['date'] ?? ''))

/** Says how far the other's clock is off. */
function offBy(theirs: number, now: UnixMs): string {
  if (Number.isNaN(theirs)) return 'it does not say by how much'
  const seconds = Math.round((theirs - now) / 1_000)
  return seconds === 0 ? 'by less than a second' : `it is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
}

/** Passes on a response that fits the task's schema. */
function fitting(
  { definition, maxResponseBytes }: Question,
  body: Uint8Array,
  { payload, signature, certificate }: SignedAnswer,
  fault: MakeFault,
): Received {
  if (body.length > maxResponseBytes) return fault('oversized', 'the response is larger than the task allows')
  const read = readResponse(definition, body)
  if (read.ok) return { kind: 'body', body, signed: { payload, signature, certificate } }
  const why = read.reason === 'malformed' ? 'the response is no JSON' : "the response does not fit the task's schema"
  return fault(read.reason, why)
}
