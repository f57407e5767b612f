import { bodyHash } from '@arbor/shared/bittensor/body-hash'
import { readFields } from '@arbor/shared/bittensor/coerce'
import { parseJson, printJson } from '@arbor/shared/bittensor/json'
import { messageHeaders, NO_TERMINAL, SPOKEN_VERSION } from '@arbor/shared/bittensor/message'
import { signatureText, writeSignature } from '@arbor/shared/bittensor/signature'
import type { Synapse } from '@arbor/shared/bittensor/synapse'
import type { PyFields, PyValue } from '@arbor/shared/bittensor/value'
import { toBytes } from '@arbor/shared/bytes'
import type { Question, SpeakerContext } from '../dendrite/speaker.ts'

/** A signed question, ready to be sent. */
export interface Outgoing {
  /** What the hotkey signed. */
  readonly signedText: string
  readonly signature: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What Python's dendrite says of us; the axon overwrites it with the socket's address. */
const NO_ADDRESS = '0.0.0.0'
const PLAIN_HEADERS = {
  accept: '*/*',
  'accept-encoding': 'gzip, deflate',
  'user-agent': 'arbor',
  'content-type': 'application/json',
}

/**
 * Writes a question as Python's dendrite does, and has it signed. The body has the name and the request's fields alone: what the
 * axon has to fill keeps the axon's own defaults.
 */
export async function writeRequest(of: {
  readonly question: Question
  readonly synapse: Synapse
  readonly context: SpeakerContext
  readonly uuid: string
  readonly nonce: bigint
}): Promise<Outgoing> {
  const { question, synapse, context, uuid, nonce } = of
  const sent = requestOf(synapse, question)
  const timeoutS = question.deadlineMs / 1_000
  const unanswered = synapse.response.map(({ name, fallback }) => [name, fallback ?? null] as const)
  const hash = bodyHash({ synapse, values: new Map([...unanswered, ...sent]), timeoutS })
  const own = context.hotkey.address
  const text = signatureText({ nonce, dendriteHotkey: own, axonHotkey: question.hotkey, uuid, bodyHash: hash })
  const signature = writeSignature(await context.sign(toBytes(text), { kind: 'synapse' }))
  const body = toBytes(printJson(new Map<string, PyValue>([['name', synapse.name], ...sent])))
  const message = {
    synapse,
    values: sent,
    timeoutS,
    dendrite: { ...NO_TERMINAL, ip: NO_ADDRESS, version: SPOKEN_VERSION, nonce, uuid, hotkey: own, signature },
    axon: { ...NO_TERMINAL, ...question.address, hotkey: question.hotkey },
    bodyHash: hash,
  }
  const headers = { ...Object.fromEntries(messageHeaders(message, body.length)), ...PLAIN_HEADERS }
  return { signedText: text, signature, path: `/${synapse.name}`, headers, body }
}

/** Reads our own question back, without loss: whole numbers stay floats where the schema says so. */
function requestOf(synapse: Synapse, question: Question): PyFields {
  const json = parseJson(question.body)
  if (!json.ok) throw new Error(`the request of task ${question.task} is no JSON: ${json.why}`)
  const read = readFields(synapse.request, json.value)
  if (!read.ok)
    throw new Error(`the request of task ${question.task} does not fit its schema: ${read.wrong.join(', ')}`)
  return read.fields
}
