import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Post } from './webhook.ts'

/** Posts notices one after the other, and never more than it can hold. */
export interface Poster {
  add(body: string): void
  /** Waits until all is posted or given up, so long at most. */
  drain(ms: number): Promise<void>
}

/** Notices that wait; a receiver that is away for long gets the newest. */
const MOST = 64

/** Creates a poster; what is not taken is told to `onGivenUp`, and not tried again. */
export function createPoster(of: {
  readonly post: Post
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onGivenUp: (why: string) => void
}): Poster {
  const waiting: string[] = []
  let working: Promise<void> | null = null
  const work = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined && !of.signal.aborted; body = waiting.shift()) {
      try {
        await of.post(body, of.signal)
      } catch (error) {
        if (!of.signal.aborted)
          of.onGivenUp(error instanceof SubnetError ? `${error.code}: ${error.message}` : String(error))
      }
    }
    working = null
  }
  return {
    add: (body) => {
      waiting.push(body)
      if (waiting.length > MOST) {
        waiting.shift()
        of.onGivenUp(`more than ${MOST} notices wait; the oldest is dropped`)
      }
      working ??= work()
    },
    drain: async (ms) => {
      const stop = new AbortController()
      await Promise.race([
        working,
        of.clock.sleep(ms as Parameters<Clock['sleep']>[0], stop.signal).catch(() => undefined),
      ])
      stop.abort()
    },
  }
}
