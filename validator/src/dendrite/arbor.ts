import { fromHex } from '@arbor/shared/hex'
import type { Certificate } from '@arbor/shared/protocol/certificate'
import { createPairKeyCache, type PairKeyCache, type PairKeys } from '@arbor/shared/protocol/keys'
import { CERTIFICATE_HEADER, ENVELOPE_HEADER } from '@arbor/shared/protocol/limits'
import { type WrittenRequest, writeRequest } from '@arbor/shared/protocol/request'
import { base64url, writeToken } from '@arbor/shared/protocol/token'
import type { Hex, Ms } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'
import { type ArborEvidence, attestedBytes, signedHash } from '../evidence.ts'
import { type Answer, LAGGED_MS, type SocketTiming, withTimeBefore } from './answer.ts'
import { createReceiver, type Mend, type Received, type SignedAnswer } from './arbor-answer.ts'
import type { Certificates } from './certificates.ts'
import type { OwnSession, OwnSessions } from './own-session.ts'
import type { Question, Speaker, SpeakerContext } from './speaker.ts'

export interface ArborDeps {
  readonly sessions: OwnSessions
  readonly certificates: Certificates
  /** Whether questions and answers are sealed. */
  readonly isSealed: boolean
  readonly proof: 'mac' | 'signature'
}

/**
 * Creates the speaker of Arbor's own protocol. A miner that has restarted does not know our session, or has another one itself:
 * then the certificate is sent again, a session opened, or its certificate fetched, and the question put again with a new
 * counter, all within the miner's time.
 */
export const createArborSpeaker = (deps: ArborDeps): Speaker => {
  const pairs = createPairKeyCache()
  return async (question, context, signal) => {
    const mended = new Set<Mend>()
    let left = question.deadlineMs
    let beforeMs = 0
    for (;;) {
      const attempt = await prepare({ ...deps, pairs, question, context, left, signal })
      if ('kind' in attempt) return attempt
      const received = await putOnce(deps, { attempt, question, context, left, signal })
      if (received.kind !== 'mend') return withTimeBefore(received.answer, beforeMs)
      const { mend, otherwise } = received
      beforeMs += otherwise.timing?.totalMs ?? 0
      left = Math.floor(question.deadlineMs - beforeMs)
      if (mended.has(mend) || left < 1 || !apply(deps, mend, { attempt, question })) return otherwise
      mended.add(mend)
      context.log.debug({ event: 'ask.again', hotkey: question.hotkey, mend }, otherwise.why)
    }
  }
}

/** Everything that a request is written with. */
interface Attempt {
  readonly own: OwnSession
  readonly certificate: Certificate
  readonly keys: PairKeys
  readonly written: WrittenRequest
}

interface Preparing extends ArborDeps {
  readonly pairs: PairKeyCache
  readonly question: Question
  readonly context: SpeakerContext
  readonly left: number
  readonly signal: AbortSignal
}

/** Finds both sessions and writes the request; an answer when that is not possible. */
async function prepare(of: Preparing): Promise<Attempt | Answer> {
  const { question, context, signal } = of
  const found = await of.certificates.get(question, signal)
  if (!found.ok) {
    const { reason, why } = found
    if (reason === 'sockets') return { kind: 'ours', reason, why }
    return { kind: 'fault', reason, why, timing: null }
  }
  const { certificate } = found
  const own = await of.sessions
    .current(signal)
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  signal.throwIfAborted()
  if (own instanceof Error)
    return { kind: 'ours', reason: 'session', why: `no session could be opened: ${own.message}` }
  const keys = of.pairs.get(own.session, certificate)
  if (keys === null)
    return { kind: 'fault', reason: 'certificate-wrong', why: 'the certificate has a weak key', timing: null }
  const written = writeRequest({
    session: own.session,
    pair: { serveId: certificate.id, keys },
    isSealed: of.isSealed,
    proof: of.proof,
    counter: own.counters.next(question.hotkey),
    receiver: certificate.hotkey,
    netuid: context.netuid,
    method: 'POST',
    path: pathOf(question),
    accept: wantsStream(question) ? 'stream' : 'whole',
    sentAt: context.clock.now(),
    timeoutMs: of.left as Ms,
    body: question.body,
  })
  return { own, certificate, keys, written }
}

interface Putting {
  readonly attempt: Attempt
  readonly question: Question
  readonly context: SpeakerContext
  readonly left: number
  readonly signal: AbortSignal
}

type Put = { readonly kind: 'done'; readonly answer: Answer } | Extract<Received, { kind: 'mend' }>

/** Sends the request once and judges what comes back. */
async function putOnce(deps: ArborDeps, { attempt, question, context, left, signal }: Putting): Promise<Put> {
  const { own, certificate, written, keys } = attempt
  const isFirst = !own.met.has(question.hotkey)
  const seal = deps.isSealed ? { keys, counter: written.fields.counter } : null
  const receiver = createReceiver({ question, seal, wantsStream: wantsStream(question) })
  const reply = await context.send(
    {
      address: question.address,
      method: 'POST',
      path: pathOf(question),
      headers: {
        'content-type': written.contentType,
        [ENVELOPE_HEADER]: written.envelope,
        ...(isFirst ? { [CERTIFICATE_HEADER]: own.session.certificate.text } : {}),
      },
      body: written.body,
      timeoutMs: left,
      maxBytes: receiver.maxBytes,
      onHead: receiver.onHead,
      onChunk: receiver.onChunk,
    },
    signal,
  )
  if (!reply.ok) {
    const { reason, why, timing, stale } = reply
    if (reason === 'sockets') return { kind: 'done', answer: { kind: 'ours', reason, why } }
    return { kind: 'done', answer: { kind: 'fault', reason, why, timing, stale } }
  }
  const received = await receiver.judge({
    reply,
    requestHash: written.hash,
    certificate,
    other: async (text) => {
      if (text !== null) return deps.certificates.take(question, text)
      deps.certificates.forget(certificate)
      return deps.certificates.get(question, signal)
    },
    now: context.clock.now(),
  })
  if (received.kind === 'mend') return received
  own.met.add(question.hotkey)
  if (received.kind === 'fault') {
    if (received.reason === 'clock') context.log.warn({ event: 'ask.clock', hotkey: question.hotkey }, received.why)
    return { kind: 'done', answer: received }
  }
  const timing = { ...reply.timing, deadlineMs: question.deadlineMs, lagged: isLagged(reply.timing) }
  const { body, signed } = received
  const binding = bindingOf({ ...context, hotkey: question.hotkey, requestHash: written.hash })
  return {
    kind: 'done',
    answer: { kind: 'answered', body, timing, signed: true, binding, ...shown(attempt, question, body, signed) },
  }
}

/** Shows what was asked and answered; our session attests what the sealed bodies held. */
function shown(
  { own: { session }, written }: Attempt,
  question: Question,
  response: Uint8Array,
  { payload, signature, certificate }: SignedAnswer,
): { readonly answerHash: Hex; readonly evidence: ArborEvidence } {
  const answerHash = signedHash(payload)
  const requestHash = written.hash
  const attested = { requestHash, question: question.body, answerHash: fromHex(answerHash), response }
  const evidence: ArborEvidence = {
    protocol: 'arbor',
    request: written.envelope,
    answer: writeToken(payload, signature),
    asker: session.certificate.text,
    miner: certificate.text,
    attest: base64url(session.sign(attestedBytes(attested))),
  }
  return { answerHash, evidence }
}

const isLagged = ({ lagMs }: SocketTiming): boolean => lagMs >= LAGGED_MS

/** Makes the next attempt another one; false when that cannot be. */
function apply(
  { sessions, certificates }: ArborDeps,
  mend: Mend,
  { attempt, question }: { readonly attempt: Attempt; readonly question: Question },
): boolean {
  const { own, certificate } = attempt
  if (mend === 'session') return sessions.retire(own, question.hotkey)
  if (mend === 'certificate') own.met.delete(question.hotkey)
  else certificates.forget(certificate)
  return true
}

const pathOf = ({ task }: Question): string => `/${task}`
const wantsStream = ({ onChunk, definition }: Question): boolean => onChunk !== undefined && definition.stream === true
