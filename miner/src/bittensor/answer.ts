import { bodyHash } from '@arbor/shared/bittensor/body-hash'
import { readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import {
  messageBody,
  messageHeaders,
  NO_TERMINAL,
  type SynapseMessage,
  type Terminal,
} from '@arbor/shared/bittensor/message'
import { fieldsOfPlain, plainOf } from '@arbor/shared/bittensor/plain'
import { pyFloat } from '@arbor/shared/bittensor/text'
import type { PyFields } from '@arbor/shared/bittensor/value'
import { codeOf } from '../refusal.ts'
import type { AxonAdmitted, OpenDeps } from './open.ts'
import { type AxonRefusal, busy, failed, tooLarge, tooLate, unfit } from './refusal.ts'

/** A header's name and value. */
export type Header = readonly [string, string]

export interface AxonAnswer {
  readonly kind: 'whole'
  readonly status: number
  readonly headers: readonly Header[]
  readonly body: Buffer
}

/** A body that is no JSON: FastAPI's own refusal, which names no status of Bittensor's. */
export interface NoJson {
  readonly kind: 'no-json'
}

/** A question that may be answered. */
export interface Question {
  readonly kind: 'question'
  /** As the synapse has them. */
  readonly values: PyFields
  /** As the schema has them. */
  readonly request: unknown
}

/** Reads a body, whose hashed fields must be the signed ones. */
export const readQuestion = (
  deps: Pick<OpenDeps, 'randomUuid'>,
  { served, headers }: AxonAdmitted,
  body: Uint8Array,
): Question | AxonRefusal | NoJson => {
  const parsed = parseJson(body)
  if (!parsed.ok) return { kind: 'no-json' }
  const { synapse } = served
  const read = readFields(synapse.request, parsed.value)
  if (!read.ok) return failed(deps.randomUuid(), `fields are missing or of another type: ${read.wrong.join(', ')}`)
  const answered = readFields(synapse.response, parsed.value)
  if (!answered.ok) return failed(deps.randomUuid(), `fields are of another type: ${answered.wrong.join(', ')}`)
  const values = new Map([...read.fields, ...answered.fields])
  if (bodyHash({ synapse, values, timeoutS: timeoutOf(parsed.value, headers.timeoutS) }) !== headers.bodyHash)
    return failed(deps.randomUuid(), 'the body is not the signed one')
  if (body.length > served.maxRequestBytes && Buffer.byteLength(printJson(read.fields)) > served.maxRequestBytes)
    return tooLarge()
  const fits = served.request.safeParse(plainOf(synapse.request, read.fields))
  if (!fits.success) return unfit(fits.error.issues[0]?.path.join('.') ?? '')
  return { kind: 'question', values, request: fits.data }
}

/** The body has a timeout of its own, which a synapse may hash. */
const timeoutOf = (body: unknown, otherwise: number): number => {
  const timeout = body instanceof Map ? body.get('timeout') : undefined
  return typeof timeout === 'number' || typeof timeout === 'bigint' ? Number(timeout) : otherwise
}

/** Has a question answered as a whole; never throws for what a caller sent or a handler did. */
export const answerWhole = async (
  deps: OpenDeps,
  admitted: AxonAdmitted,
  { values, request }: Question,
): Promise<AxonAnswer | AxonRefusal> => {
  const { served, signedText, caller, signal } = admitted
  try {
    const result = await served.answer({ request, signedText, caller, signal }).finally(admitted.leave)
    const answered = fieldsOfPlain(served.synapse.response, result.response)
    if (answered === undefined) return failed(deps.randomUuid(), 'the handler gave a response of another type')
    const status = result.statusCode ?? 200
    const message = messageOf(deps, admitted, {
      values: new Map([...values, ...answered]),
      status,
      statusMessage: latin1(result.statusMessage ?? 'Success'),
    })
    const body = Buffer.from(printJson(messageBody(message)))
    return { kind: 'whole', status, headers: messageHeaders(message, body.length), body }
  } catch (error) {
    return refusalOf(deps, admitted, error)
  }
}

/** Writes what goes before an answer. Who asked is taken from the verified headers, whatever the body says of it. */
export const messageOf = (
  { receiver, clock }: Pick<OpenDeps, 'receiver' | 'clock'>,
  { served, headers, caller, startedAt }: AxonAdmitted,
  of: { readonly values: PyFields; readonly status: number; readonly statusMessage: string },
): SynapseMessage => {
  const { synapse } = served
  const dendrite: Terminal = {
    ...NO_TERMINAL,
    ip: headers.dendriteIp,
    version: headers.version,
    nonce: headers.nonce,
    uuid: headers.uuid,
    hotkey: caller,
    signature: headers.signature,
  }
  const axon: Terminal = {
    ...NO_TERMINAL,
    statusCode: of.status,
    statusMessage: of.statusMessage,
    processTime: (clock.monotonic() - startedAt) / 1_000,
    ip: headers.axonIp,
    port: headers.axonPort,
    hotkey: receiver,
  }
  const { timeoutS } = headers
  // What only has the request's fields is the hash that was compared with them.
  const isAsked = synapse.hashed.every((name) => synapse.request.some((field) => field.name === name))
  const hash = isAsked ? headers.bodyHash : bodyHash({ synapse, values: of.values, timeoutS })
  return { synapse, values: of.values, timeoutS, dendrite, axon, bodyHash: hash }
}

/** Finds what to tell a caller about an error of a handler. */
export const refusalOf = (deps: OpenDeps, { headers, signal }: AxonAdmitted, error: unknown): AxonRefusal => {
  const code = signal.aborted ? 'MINER_LATE' : codeOf(error)
  if (code === 'MINER_LATE') return tooLate(pyFloat(headers.timeoutS))
  if (code === 'MINER_BUSY') return busy(1)
  if (code === 'MINER_BAD_REQUEST') return unfit(code)
  const refusal = failed(deps.randomUuid(), String(error))
  deps.log.error({ event: 'bittensor.failed', error: String(error), number: refusal.message }, 'answering failed')
  return refusal
}

/** Headers are latin-1, and a control would end one. */
const latin1 = (text: string): string => text.replaceAll(/[^\x20-\x7e\xa0-\xff]/gu, '?').slice(0, 256)
