import type { ServerResponse } from 'node:http'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'

/** A stream of server-sent events to one reader. */
export interface EventStream {
  /** Adds text to what the next piece will say. */
  text(piece: string): void
  /** Sends what is left, then these data, and ends the stream. Resolves when the reader has it all, or is gone. */
  end(data: readonly string[]): Promise<void>
}

/** A reader that takes nothing for so long is cut off. */
export const STALL_MS = 30_000

/**
 * Opens a stream of events. Pieces that come faster than they are read are joined, so that a slow reader costs the memory of one
 * answer and gets it in fewer pieces.
 * @param of.write makes the data of one piece
 * @param of.cut called when the reader was cut off
 */
export const openEventStream = (of: {
  readonly response: ServerResponse
  readonly headers: Readonly<Record<string, string>>
  readonly write: (piece: string) => string
  readonly clock: Clock
  readonly cut: () => void
  readonly stallMs?: number
}): EventStream => {
  const { response, clock, stallMs = STALL_MS } = of
  const gone = new AbortController()
  let held = ''
  let isFull = false
  response.once('close', () => gone.abort(new Error('the reader has gone')))
  response.writeHead(200, {
    ...of.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  })

  const put = (data: string): void => {
    isFull = !response.write(`data: ${data}\n\n`)
    if (!isFull) return
    drained().then(flush, () => {
      if (gone.signal.aborted) return
      response.destroy()
      of.cut()
    })
  }
  /** Waits until the reader has taken what was written. */
  const drained = async (): Promise<void> => {
    using deadline = startDeadline({ clock, ms: stallMs as Ms, parent: gone.signal, reason: () => STALLED })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(deadline.signal.reason)
    response.once('drain', resolve)
    deadline.signal.addEventListener('abort', onAbort, { once: true })
    if (deadline.signal.aborted) onAbort()
    try {
      await promise
    } finally {
      response.off('drain', resolve)
    }
  }
  const flush = (): void => {
    isFull = false
    if (held === '' || gone.signal.aborted) return
    const piece = held
    held = ''
    put(of.write(piece))
  }

  return {
    text: (piece) => {
      held += piece
      if (!isFull) flush()
    },
    end: async (data) => {
      if (gone.signal.aborted) return
      const last = held === '' ? data : [of.write(held), ...data]
      held = ''
      response.end(last.map((each) => `data: ${each}\n\n`).join(''))
      using deadline = startDeadline({ clock, ms: stallMs as Ms, parent: gone.signal, reason: () => STALLED })
      await new Promise<void>((resolve) => {
        response.once('finish', resolve)
        deadline.signal.addEventListener('abort', () => resolve(), { once: true })
        if (response.writableFinished || deadline.signal.aborted) resolve()
      })
      if (!response.writableFinished) response.destroy()
    },
  }
}

const STALLED = new Error('the reader takes nothing')
