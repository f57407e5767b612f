import { readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import type { Synapse } from '@arbor/shared/bittensor/synapse'
import { isDict, type PyDict, type PyValue } from '@arbor/shared/bittensor/value'
import { toBytes } from '@arbor/shared/bytes'
import type { Fault } from '../dendrite/answer.ts'
import { type AnswerHead, isJson, isStream, messageOf, statusOf } from './head.ts'
import { faultOfStatus, type Status } from './status.ts'

/** What an answer's head and body say together. */
export interface ReadAnswer extends Status {
  readonly fault: Fault | null
  readonly why: string
  /** JSON of the response fields; null when there is no answer to take them from. */
  readonly response: Uint8Array | null
}

export type Reading =
  | { readonly ok: true; readonly read: ReadAnswer }
  | { readonly ok: false; readonly fault: Fault; readonly why: string }

/**
 * Reads a whole answer as Bittensor's client does, or in the safer way that docs/bittensor.md names. Nothing in it changes what was asked.
 * @param of.body unpacked
 */
export function readAnswer(of: {
  readonly synapse: Synapse
  readonly head: AnswerHead
  readonly httpStatus: number
  readonly body: Uint8Array
}): Reading {
  const { synapse, head, httpStatus, body } = of
  if (httpStatus === 200 && isStream(head.contentType)) return readStream(synapse, head, body)
  if (!isJson(head.contentType)) return bad('content-type', 'a content type that is not JSON in UTF-8')
  const json = parseJson(body)
  if (!json.ok || json.value === null || typeof json.value !== 'object' || !isDict(json.value))
    return bad('malformed', 'a body that is no JSON object')
  if (httpStatus !== 200) return { ok: true, read: refusal(head, httpStatus, json.value) }
  const terminal = terminalOf(json.value.get('axon') ?? null)
  if (terminal === null) return bad('schema', 'an axon status that cannot be read')
  const asked = readFields(synapse.request, json.value) // looked at and dropped: what was asked stays what it was
  const answered = readFields(synapse.response, json.value)
  const wrong = [...(asked.ok ? [] : asked.wrong), ...(answered.ok ? [] : answered.wrong)]
  if (!answered.ok || wrong.length > 0) return bad('schema', `missing or of another type: ${wrong.join(', ')}`)
  return filled(head, terminal, answered.fields)
}

/** The text of a stream is one field of the response; its status was said before its first byte. */
function readStream(synapse: Synapse, head: AnswerHead, body: Uint8Array): Reading {
  if (synapse.stream === null) return bad('content-type', 'a stream where the synapse has none')
  const text = textOf(body)
  if (text === null) return bad('malformed', 'a stream that is no UTF-8')
  const rest = synapse.response.map(({ name, fallback }) => [name, fallback ?? null] as const)
  return filled(head, NOTHING_SAID, new Map<string, PyValue>([...rest, [synapse.stream, text]]))
}

/** Joins what the head and the body say of the status; the head goes first. */
function filled(head: AnswerHead, body: Status, response: PyDict): Reading {
  const statusCode = head.statusCode ?? body.statusCode
  const statusMessage = head.statusMessage ?? body.statusMessage
  const fault = statusCode === 200 ? null : faultOfStatus(statusCode)
  const why = fault === null ? '' : whyOf(statusCode)
  return { ok: true, read: { statusCode, statusMessage, fault, why, response: toBytes(printJson(response)) } }
}

/** Reads a refusal; a header that claims success does not make it one. */
function refusal(head: AnswerHead, httpStatus: number, body: PyDict): ReadAnswer {
  const claimsSuccess = head.statusCode === 200
  const statusCode = claimsSuccess ? httpStatus : (head.statusCode ?? httpStatus)
  const message = body.get('message')
  const said = typeof message === 'string' ? messageOf(message) : null
  const statusMessage = claimsSuccess ? said : (head.statusMessage ?? said)
  return { statusCode, statusMessage, fault: faultOfStatus(statusCode), why: whyOf(statusCode), response: null }
}

/** Takes status and message out of the body's axon; null when they are of another kind. */
function terminalOf(axon: PyValue): Status | null {
  if (axon === null) return NOTHING_SAID
  if (typeof axon !== 'object' || !isDict(axon)) return null
  const [code, message] = [axon.get('status_code') ?? null, axon.get('status_message') ?? null]
  const statusCode = code === null ? null : statusOf(code)
  if (statusCode === null && code !== null) return null
  if (typeof message !== 'string' && message !== null) return null
  return { statusCode, statusMessage: message === null ? null : messageOf(message) }
}

const NOTHING_SAID: Status = { statusCode: null, statusMessage: null }

const whyOf = (statusCode: number | null): string =>
  statusCode === null ? 'it names no status' : `it answered with status ${statusCode}`

const bad = (fault: Fault, why: string): Reading => ({ ok: false, fault, why })

function textOf(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return null
  }
}
