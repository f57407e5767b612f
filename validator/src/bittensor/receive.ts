import type { Synapse } from '@arbor/shared/bittensor/synapse'
import type { Fault } from '../dendrite/answer.ts'
import type { HttpHead } from '../dendrite/http.ts'
import type { Question } from '../dendrite/speaker.ts'
import { type AnswerHead, isStream, readHead } from './head.ts'

/** Takes one answer as it comes. */
export interface Receiver {
  readonly onHead: (head: HttpHead) => Fault | null
  readonly onChunk: (bytes: Uint8Array) => null
  readonly begun: boolean
  readonly streams: boolean
  readonly head: AnswerHead | null
  /** Why it broke the exchange off, if it did. */
  readonly why: string | null
  body(): Uint8Array
}

/** Collects an answer; the chunks of a stream are also handed on at once, to whoever asked for them. */
export function receive(synapse: Synapse, question: Question): Receiver {
  const parts: Uint8Array[] = []
  let head: AnswerHead | null = null
  let begun = false
  let why: string | null = null
  let streams = false
  const breakOff = (fault: Fault, what: string): Fault => {
    why = what
    return fault
  }
  return {
    onHead: ({ status, headers, rawHeaders }) => {
      begun = true
      const read = readHead(rawHeaders)
      if ('bad' in read) return breakOff('malformed', read.bad)
      head = read
      streams = status === 200 && isStream(read.contentType)
      if (streams && synapse.stream === null) return breakOff('content-type', 'a stream where the synapse has none')
      if (streams && read.encoding !== undefined) return breakOff('compressed', 'a stream with a content encoding')
      if (streams && headers['transfer-encoding'] === undefined && headers['content-length'] === undefined)
        return breakOff('stream-cut', 'a stream whose end is the end of its connection, which a cut one has too')
      return null
    },
    onChunk: (bytes) => {
      parts.push(bytes)
      if (streams) question.onChunk?.(bytes)
      return null
    },
    get begun() {
      return begun
    },
    get streams() {
      return streams
    },
    get head() {
      return head
    },
    get why() {
      return why
    },
    body: () => Buffer.concat(parts),
  }
}
