import type { Synapse } from '@arbor/shared/bittensor/synapse'
import { pyFloat } from '@arbor/shared/bittensor/text'
import type { Fault, SocketTiming } from '../dendrite/answer.ts'
import type { HttpReply } from '../dendrite/http.ts'
import type { Question, SpeakerContext } from '../dendrite/speaker.ts'
import { readAnswer } from './answer.ts'
import { ENCODINGS, inflate } from './inflate.ts'
import type { Lanes } from './lanes.ts'
import { type Receiver, receive } from './receive.ts'
import { writeRequest } from './request.ts'
import { type Status, statusOfFault } from './status.ts'

/** What asking an axon came to, in Bittensor's words and in ours. */
export interface SynapseAnswer extends Status {
  /** What the question was signed with. */
  readonly signedText: string
  readonly signature: string
  /** Null when the axon answered with success. */
  readonly fault: Fault | 'sockets' | null
  /** One line for the log; holds no text of the miner's. */
  readonly why: string
  /** JSON of the response fields; null when there is no answer to take them from. */
  readonly response: Uint8Array | null
  /** As far as the exchange came. */
  readonly timing: SocketTiming | null
  /** The connection turned out to be closed before a byte came: the question may be put once more. */
  readonly stale: boolean
}

/** What the synapse's own members take in an answer, beside the task's fields. */
const ENVELOPE_BYTES = 16_384

/**
 * Asks one axon in Bittensor's protocol, once.
 * Rejects only with the signal's reason, or with what the signer threw.
 */
export async function askSynapse(
  of: {
    readonly question: Question
    /** The task's own, or the ping. */
    readonly synapse: Synapse
    readonly context: SpeakerContext
    readonly lanes: Lanes
  },
  signal: AbortSignal,
): Promise<SynapseAnswer> {
  const { question, synapse, context, lanes } = of
  using lane = lanes.take(question.hotkey)
  const outgoing = await writeRequest({ question, synapse, context, uuid: lane.uuid, nonce: lanes.nonce() })
  const receiver = receive(synapse, question)
  // an axon sends the question back with the answer, and may escape every character of it
  const maxBytes = question.maxResponseBytes + 2 * outgoing.body.length + ENVELOPE_BYTES
  const reply = await context.send(
    {
      address: question.address,
      method: 'POST',
      path: outgoing.path,
      headers: outgoing.headers,
      body: outgoing.body,
      timeoutMs: question.deadlineMs,
      maxBytes,
      encodings: ENCODINGS,
      onHead: receiver.onHead,
      onChunk: receiver.onChunk,
    },
    signal,
  )
  const { signedText, signature } = outgoing
  return { ...(await read({ question, synapse, receiver, reply, maxBytes })), signedText, signature }
}

type Unsigned = Omit<SynapseAnswer, 'signedText' | 'signature'>

async function read(of: {
  readonly question: Question
  readonly synapse: Synapse
  readonly receiver: Receiver
  readonly reply: HttpReply
  readonly maxBytes: number
}): Promise<Unsigned> {
  const { question, synapse, receiver, reply, maxBytes } = of
  const { ip, port } = question.address
  const { timing } = reply
  const failed = (fault: Fault | 'sockets', why: string): Unsigned => {
    const timeout = pyFloat(question.deadlineMs / 1_000)
    const status = statusOfFault(fault, { ip, port, synapse: synapse.name, timeout, begun: receiver.begun, why })
    return { ...status, fault, why, response: null, timing, stale: !reply.ok && reply.stale }
  }
  if (!reply.ok) {
    const isCut = receiver.streams && reply.reason === 'early-close'
    return failed(isCut ? 'stream-cut' : reply.reason, receiver.why ?? reply.why)
  }
  const { head } = receiver
  if (head === null) return failed('no-http', 'an answer without a head')
  const unpacked = await inflate({ body: receiver.body(), encoding: head.encoding, maxBytes })
  if (!unpacked.ok) return failed(unpacked.reason, unpacked.why)
  const reading = readAnswer({ synapse, head, httpStatus: reply.status, body: unpacked.body })
  return reading.ok ? { ...reading.read, timing, stale: false } : failed(reading.fault, reading.why)
}
