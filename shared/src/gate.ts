import { createQueue } from './queue.ts'

/** Whether a caller may go in; `release` must be called once when the work is done. */
export type Admission =
  | { readonly admitted: true; readonly release: () => void }
  | { readonly admitted: false; readonly reason: 'full' | 'evicted' | 'closed' }

/** Lets `slots` callers work at once and `capacity` wait, the highest priority first. */
export interface Gate {
  readonly working: number
  readonly waiting: number
  /** Tells whether a caller of this priority would be let in or let wait now. */
  hasRoom(priority: bigint): boolean
  /** Waits for a slot. Rejects with the signal's reason when it aborts first. */
  enter(of: { readonly priority: bigint; readonly signal: AbortSignal }): Promise<Admission>
  /** Refuses all who wait and all who come. */
  close(): void
}

interface Waiter {
  readonly admit: () => void
  readonly refuse: (reason: 'evicted' | 'closed') => void
}

/** Creates a gate. @param of.slots callers that work at once @param of.capacity callers that wait */
export const createGate = (of: { readonly slots: number; readonly capacity: number }): Gate => {
  const waiters = createQueue<Waiter>({ capacity: of.capacity })
  let working = 0
  let closed = false

  const admission = (): Admission => {
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      const next = waiters.poll()
      if (next === undefined) working -= 1
      else next.admit() // the slot passes on, so `working` stays
    }
    return { admitted: true, release }
  }

  const enter = (caller: { readonly priority: bigint; readonly signal: AbortSignal }): Promise<Admission> => {
    if (caller.signal.aborted) return Promise.reject(caller.signal.reason)
    if (closed) return Promise.resolve({ admitted: false, reason: 'closed' })
    if (working < of.slots) {
      working += 1
      return Promise.resolve(admission())
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        if (waiters.remove(waiter)) reject(caller.signal.reason)
      }
      const settle = (result: Admission): void => {
        caller.signal.removeEventListener('abort', onAbort)
        resolve(result)
      }
      const waiter: Waiter = {
        admit: () => settle(admission()),
        refuse: (reason) => settle({ admitted: false, reason }),
      }
      const offer = waiters.offer(waiter, caller.priority)
      if (!offer.accepted) return resolve({ admitted: false, reason: offer.reason })
      offer.evicted?.refuse('evicted')
      caller.signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  return {
    get working() {
      return working
    },
    get waiting() {
      return waiters.size
    },
    hasRoom: (priority) => !closed && (working < of.slots || waiters.hasRoom(priority)),
    enter,
    close: () => {
      closed = true
      for (const waiter of waiters.close()) waiter.refuse('closed')
    },
  }
}
