import type { Merged, RoundEvent } from '@arbor/training/types'
import type { Held } from './on-published.ts'

/** A step of a round that waits to be worked on, with the model as it was held when it came. */
export interface Waiting {
  readonly event: RoundEvent
  readonly merged: Merged | null
  readonly held: Held | null
}

/** Holds steps between whoever follows rounds, who must not wait, and whoever works on them. */
export interface Inbox {
  put(waiting: Waiting): void
  /** Waits for the oldest step, and leaves it there until it is done or given up. */
  next(signal: AbortSignal): Promise<Waiting>
  /** Takes a step out. */
  done(waiting: Waiting): void
  /** Counts a failure of a step. @returns whether it is given up */
  failed(waiting: Waiting): boolean
  readonly size: number
}

/** Steps of five rounds: who is further behind has nothing to judge in them any more. */
export const MOST_WAITING = 16
/** Times that a step is tried. */
const MOST_TRIES = 3

/** Makes an inbox; when it is full, the oldest step that nobody works on goes. */
export function createInbox({ dropped }: { readonly dropped: (waiting: Waiting) => void }): Inbox {
  const items: { readonly waiting: Waiting; failures: number }[] = []
  let wake: (() => void) | null = null
  const remove = (waiting: Waiting): void => {
    const place = items.findIndex((item) => item.waiting === waiting)
    if (place >= 0) items.splice(place, 1)
  }
  return {
    get size() {
      return items.length
    },
    put: (waiting) => {
      items.push({ waiting, failures: 0 })
      if (items.length > MOST_WAITING) for (const { waiting: oldest } of items.splice(1, 1)) dropped(oldest)
      wake?.()
    },
    next: async (signal) => {
      for (;;) {
        signal.throwIfAborted()
        const [first] = items
        if (first !== undefined) return first.waiting
        await new Promise<void>((resolve) => {
          const settle = (): void => {
            signal.removeEventListener('abort', settle)
            wake = null
            resolve()
          }
          wake = settle
          signal.addEventListener('abort', settle, { once: true })
        })
      }
    },
    done: remove,
    failed: (waiting) => {
      const item = items.find((one) => one.waiting === waiting)
      if (item === undefined) return true
      item.failures += 1
      if (item.failures < MOST_TRIES) return false
      remove(waiting)
      return true
    },
  }
}
