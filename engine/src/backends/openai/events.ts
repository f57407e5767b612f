import { createParser } from 'eventsource-parser'

/**
 * Reads server-sent events out of bytes that are split anywhere; yields their data, and null once where an event exceeds its bound.
 * @param maxEvent UTF-16 units of one event
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>, maxEvent: number): AsyncGenerator<string | null> {
  const decoder = new TextDecoder()
  const ready: string[] = []
  let tooLong = false
  const parser = createParser({
    maxBufferSize: maxEvent,
    onEvent: ({ data }) => ready.push(data),
    onError: ({ type }) => {
      tooLong ||= type === 'max-buffer-size-exceeded'
    },
  })
  for await (const chunk of chunks) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* ready.splice(0)
    if (tooLong) {
      yield null
      return
    }
  }
  // The last event may lack the empty line that ends it.
  parser.feed(`${decoder.decode()}\n\n`)
  yield* ready.splice(0)
}
