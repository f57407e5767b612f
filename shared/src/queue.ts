import { SubnetError } from './errors.ts'

/** What became of an offer: a full queue refuses what is worth no more than its least, or drops its least. */
export type Offer<T> =
  | { readonly accepted: true; readonly evicted: T | null }
  | { readonly accepted: false; readonly reason: 'full' | 'closed' }

/** Holds at most `capacity` items; hands out the highest priority first, and equals in order of arrival. */
export interface BoundedQueue<T> {
  readonly size: number
  offer(item: T, priority: bigint): Offer<T>
  /** Tells whether an offer of this priority would be accepted now. */
  hasRoom(priority: bigint): boolean
  /** Takes the first item without waiting. */
  poll(): T | undefined
  /** Waits for the first item; at most one caller may wait. @throws QUEUE_CLOSED, or the signal's reason */
  take(signal: AbortSignal): Promise<T>
  /** Withdraws an item that still waits. */
  remove(item: T): boolean
  /** Refuses offers from now on and returns what still waited. */
  close(): T[]
}

/** Creates a queue. @param of.capacity items, at least 1 */
export const createQueue = <T>(of: { readonly capacity: number }): BoundedQueue<T> => {
  const entries: { readonly item: T; readonly priority: bigint }[] = []
  let closed = false
  let wake: (() => void) | null = null

  const offer = (item: T, priority: bigint): Offer<T> => {
    if (closed) return { accepted: false, reason: 'closed' }
    const least = entries.at(-1)
    const full = entries.length >= of.capacity
    if (full && (least === undefined || priority <= least.priority)) return { accepted: false, reason: 'full' }
    const evicted = full ? (entries.pop()?.item ?? null) : null
    entries.splice(position(entries, priority), 0, { item, priority })
    wake?.()
    return { accepted: true, evicted }
  }

  const hasRoom = (priority: bigint): boolean =>
    !closed && (entries.length < of.capacity || priority > (entries.at(-1)?.priority ?? priority))

  const take = async (signal: AbortSignal): Promise<T> => {
    for (;;) {
      signal.throwIfAborted()
      const entry = entries.shift()
      if (entry !== undefined) return entry.item
      if (closed)
        throw new SubnetError({ code: 'QUEUE_CLOSED', message: 'The queue is closed and empty; nothing will come' })
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      wake = null
    }
  }

  return {
    get size() {
      return entries.length
    },
    offer,
    hasRoom,
    poll: () => entries.shift()?.item,
    take,
    remove: (item) => {
      const index = entries.findIndex((entry) => entry.item === item)
      if (index >= 0) entries.splice(index, 1)
      return index >= 0
    },
    close: () => {
      closed = true
      wake?.()
      return entries.splice(0).map(({ item }) => item)
    },
  }
}

/** Finds where an item of this priority goes: behind all of the same or higher priority. */
const position = (entries: readonly { readonly priority: bigint }[], priority: bigint): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.priority ?? 0n) >= priority) low = middle + 1
    else high = middle
  }
  return low
}
