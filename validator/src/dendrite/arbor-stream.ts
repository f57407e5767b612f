import { createStreamReader, type StreamEnd, type StreamSeal } from '@arbor/shared/protocol/stream'
import type { Fault } from './answer.ts'
import type { Question } from './speaker.ts'

/** Collects a streamed answer: text is handed on as it comes, the response that follows it is kept. */
export interface Collector {
  /** Takes bytes off the socket. @returns a fault to break off with */
  push(bytes: Uint8Array): Fault | null
  /** Says that the socket brought all. @returns the end, still to be verified, and the response after the mark */
  finish():
    | { readonly ok: true; readonly end: StreamEnd; readonly body: Uint8Array | null }
    | { readonly ok: false; readonly reason: Fault; readonly why: string }
}

/** Creates the collector of one answer. An empty chunk marks where text ends and the response begins. */
export const createCollector = (of: { readonly seal: StreamSeal | null; readonly question: Question }): Collector => {
  const { seal, question } = of
  const reader = createStreamReader({ seal, maxBytes: 2 * question.maxResponseBytes })
  const response: Uint8Array[] = []
  let isMarked = false
  return {
    push: (bytes) => {
      const read = reader.push(bytes)
      if (!read.ok) return WORDS[read.fault]
      for (const chunk of read.chunks) {
        if (isMarked) response.push(chunk)
        else if (chunk.length === 0) isMarked = true
        else question.onChunk?.(chunk)
      }
      return null
    },
    finish: () => {
      const read = reader.finish()
      if (read.ok) return { ...read, body: isMarked ? Buffer.concat(response) : null }
      return { ok: false, reason: WORDS[read.fault], why: 'the stream has no end that fits it' }
    },
  }
}

const WORDS = {
  malformed: 'malformed',
  cut: 'stream-cut',
  trailing: 'stream-trailing',
  body: 'forged',
  seal: 'unsealed',
  size: 'oversized',
} as const
