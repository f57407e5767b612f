import { Readable } from 'node:stream'
import { messageHeaders } from '@arbor/shared/bittensor/message'
import { type AxonAnswer, type Header, messageOf, type Question, refusalOf } from './answer.ts'
import type { AxonAdmitted, OpenDeps } from './open.ts'
import { type AxonRefusal, failed } from './refusal.ts'

/** An answer of which the first chunk is there. */
export interface AxonStream {
  readonly kind: 'stream'
  readonly headers: readonly Header[]
  /** Raw text; fails when the handler does, so that the connection breaks before the end. */
  readonly body: Readable
}

/**
 * Has a question answered as a stream. The head waits for the first chunk: what fails before is refused with a status; what fails
 * after breaks the connection off.
 */
export const answerStream = async (
  deps: OpenDeps,
  admitted: AxonAdmitted,
  { values, request }: Question,
): Promise<AxonStream | AxonAnswer | AxonRefusal> => {
  const { served, signedText, caller, signal } = admitted
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  let left = served.maxResponseBytes
  // Whoever reads slowly makes it grow to the bound of a response, no further.
  const body = new Readable({ highWaterMark: served.maxResponseBytes, read: () => undefined })
  body.on('error', () => undefined) // told by the connection's end; before the first chunk by the refusal
  const emit = (text: string): void => {
    if (text === '' || body.destroyed) return
    left -= Buffer.byteLength(text)
    if (left < 0) return void body.destroy(new Error(`a stream of more than ${served.maxResponseBytes} bytes`))
    body.push(text, 'utf8')
    begin()
  }
  const done = served.answer({ request, signedText, caller, signal, emit }).finally(admitted.leave)
  done.then(
    () => body.push(null),
    (error: Error) => body.destroy(error),
  )
  try {
    await Promise.race([begun, done])
  } catch (error) {
    return refusalOf(deps, admitted, error)
  }
  if (body.destroyed) return failed(deps.randomUuid(), 'the handler streamed too much')
  const message = messageOf(deps, admitted, { values, status: 200, statusMessage: 'Success' })
  return { kind: 'stream', headers: [['content-type', 'text/event-stream'], ...messageHeaders(message, 0)], body }
}
