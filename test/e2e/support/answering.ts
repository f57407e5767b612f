import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { systemClock } from '@arbor/shared/clock'
import { fromHex } from '@arbor/shared/hex'
import { writeAnswer } from '@arbor/shared/protocol/answer'
import {
  type Certificate,
  judgeCertificate,
  readCertificate,
  verifyCertificate,
} from '@arbor/shared/protocol/certificate'
import { judgeProof, judgeReceiver, judgeTarget, judgeTime, openBody } from '@arbor/shared/protocol/judge'
import { createPairKeyCache, type PairKeys } from '@arbor/shared/protocol/keys'
import { SEALED_TYPE } from '@arbor/shared/protocol/limits'
import { refusalBody, WIRE_STATUS, type WireCode } from '@arbor/shared/protocol/refusal'
import { readRequest } from '@arbor/shared/protocol/request'
import { openSession, type Session } from '@arbor/shared/protocol/session'
import { createStreamWriter, type StreamWriter } from '@arbor/shared/protocol/stream'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Hex, Ms, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import { bindingOf } from '@arbor/subnet-spec/binding'

/** What a miner of a test is asked, and what it answers with. */
export interface Asked {
  readonly request: unknown
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly isSealed: boolean
  readonly proof: 'mac' | 'signature'
  readonly counter: number
  readonly accept: 'whole' | 'stream'
  /** Hash of the request. */
  readonly hash: Uint8Array
  /** What an honest answer is made under. */
  readonly binding: Hex
  readonly hasCertificate: boolean
  /** Signs an answer, and seals it when the question was; `over` makes it another than an honest one. */
  sign(body: string | Uint8Array, over?: Over): { readonly headers: Record<string, string>; readonly body: Uint8Array }
  /** Writes a streamed answer's frames. */
  stream(over?: Pick<Over, 'session' | 'requestHash'>): StreamWriter
}

export interface Over {
  readonly status?: number
  readonly contentType?: string
  readonly requestHash?: Uint8Array
  readonly session?: Session
  readonly unsealed?: boolean
  readonly answeredAt?: UnixMs
}

/** A miner's half of the protocol, which checks what it is sent as any miner does and leaves the answer to the test. */
export interface Answering {
  /** The session whose certificate is served; a test may put another in its place. */
  session: Session
  /** Sessions of askers that are known; a test may clear them, as a restart does. */
  readonly askers: Map<string, Certificate>
  /** Oldest issue that is taken: a restart raises it. */
  floor: UnixMs | 0
  open(over?: {
    readonly signer?: Signer
    readonly netuid?: NetUid
    readonly lifetimeMs?: Ms
    readonly issuedAt?: UnixMs
  }): Promise<Session>
  /** Serves the certificate, refuses what has to be refused, and hands the rest over. */
  take(incoming: IncomingMessage, response: ServerResponse, answer: (asked: Asked) => unknown): Promise<void>
}

/** Opens the serving half of a miner. */
export async function openAnswering(of: {
  readonly hotkey: Signer
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly registeredAt: Block
}): Promise<Answering> {
  const { hotkey, netuid, registeredAt } = of
  const genesisHash = fromHex(of.genesisHash, 32)
  const pairs = createPairKeyCache()
  const open: Answering['open'] = (over = {}) =>
    openSession({
      signer: hotkey,
      purpose: 'serve',
      genesisHash,
      netuid,
      registeredAt,
      audience: null,
      issuedAt: systemClock.now(),
      randomBytes,
      ...over,
    })

  const take: Answering['take'] = async (incoming, response, answer) => {
    const refuse = (code: WireCode): void =>
      void response.writeHead(WIRE_STATUS[code], { 'content-type': 'application/json' }).end(refusalBody(code))
    const path = incoming.url ?? ''
    if (path.startsWith('/.arbor/certificate/')) {
      if (path !== certificatePath(hotkey.address)) return void response.writeHead(404).end()
      return void response.writeHead(200, { 'content-type': 'text/plain' }).end(answering.session.certificate.text)
    }
    const read = readRequest(incoming.rawHeaders)
    if (!read.ok) throw new Error(`the request has ${read.code}`)
    const { request } = read
    const { fields } = request
    const certificate = known(request.sessionKey, request.certificate)
    if (typeof certificate === 'string') return refuse(certificate)
    const { session } = answering
    const isOurs = request.withKey === session.certificate.key
    const keys = isOurs ? pairs.get(session, certificate) : null
    const body = await buffer(incoming)
    const proven = judgeProof(request, { certificate, keys })
    if (!proven.ok && proven.code === 'WIRE_KEYS') return refuse('WIRE_KEYS')
    const judged = [
      proven,
      judgeReceiver(request, { receiver: hotkey.publicKey, netuid }),
      judgeTime(request, systemClock.now()),
      judgeTarget(request, { method: 'POST', path }),
    ].find(({ ok }) => !ok)
    if (judged !== undefined && !judged.ok) throw new Error(`the request is refused with ${judged.code}`)
    const opened = openBody(request, { body, keys })
    if (!opened.ok) throw new Error(`the body is refused with ${opened.code}`)
    const isSealed = fields.contentType === SEALED_TYPE
    const seal = isSealed && keys !== null ? { keys, counter: fields.counter } : null
    await answer({
      request: JSON.parse(String(Buffer.from(opened.body))),
      incoming,
      response,
      isSealed,
      proof: request.proof.length === 64 ? 'signature' : 'mac',
      counter: fields.counter,
      accept: fields.accept,
      hash: request.hash,
      binding: bindingOf({ genesisHash: of.genesisHash, netuid, hotkey: hotkey.address, requestHash: request.hash }),
      hasCertificate: request.certificate !== null,
      sign: (text, over = {}) => sign({ session, requestHash: request.hash, seal }, text, over),
      stream: (over = {}) => createStreamWriter({ session, requestHash: request.hash, seal, ...over }),
    })
  }

  const known = (key: string, text: string | null): Certificate | WireCode => {
    const asker = answering.askers.get(key)
    if (asker !== undefined) return asker
    if (text === null) return 'WIRE_SESSION'
    const read = readCertificate(text)
    if (!read.ok) throw new Error(`the certificate has ${read.code}`)
    const { certificate } = read
    const now = systemClock.now()
    const judged = judgeCertificate(certificate, { now, genesisHash, netuid, purpose: 'ask', reader: hotkey.publicKey })
    if (!judged.ok) throw new Error(`the certificate is refused with ${judged.code}`)
    if (certificate.issuedAt <= answering.floor) return 'WIRE_SESSION_OLD'
    if (!verifyCertificate(certificate)) throw new Error('the certificate is not signed')
    answering.askers.set(key, certificate)
    return certificate
  }

  const answering: Answering = { session: await open(), askers: new Map(), floor: 0, open, take }
  return answering
}

/** Where a miner's certificate is had. */
export const certificatePath = (hotkey: Ss58): string => `/.arbor/certificate/${hotkey}`

function sign(
  of: {
    readonly session: Session
    readonly requestHash: Uint8Array
    readonly seal: { readonly keys: PairKeys; readonly counter: number } | null
  },
  text: string | Uint8Array,
  { unsealed = false, status = 200, contentType = 'application/json', ...over }: Over,
) {
  const body = typeof text === 'string' ? Buffer.from(text) : text
  const seal = unsealed || status !== 200 ? null : of.seal
  const written = writeAnswer({ ...of, answeredAt: systemClock.now(), ...over, seal, status, contentType, body })
  return {
    headers: { 'arbor-envelope': written.envelope, 'content-type': written.contentType },
    body: written.body,
  }
}
