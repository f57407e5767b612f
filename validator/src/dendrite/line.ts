/** Leaves a place; calls after the first do nothing. */
export type Leave = () => void

export interface Line {
  /** Those that have a place. */
  readonly working: number
  readonly waiting: number
  /** Takes a place that is free now; null when one would have to wait. */
  tryEnter(bytes: number): Leave | null
  /** Waits for a place and for room; null when too many wait already. Rejects with the signal's reason when it aborts first. */
  enter(of: { readonly bytes: number; readonly signal: AbortSignal }): Promise<Leave | null>
}

interface Waiter {
  readonly bytes: number
  readonly admit: () => void
}

/**
 * Creates a line: first come, first served, bounded in three ways.
 * @param of.places those that work at once
 * @param of.bytes what they may hold together; one that needs more than all of it works alone
 * @param of.capacity those that wait
 */
export const createLine = (of: {
  readonly places: number
  readonly bytes: number
  readonly capacity: number
}): Line => {
  const waiters = new Set<Waiter>()
  let working = 0
  let held = 0

  const hasRoom = (bytes: number): boolean => working === 0 || (working < of.places && held + bytes <= of.bytes)

  const take = (bytes: number): Leave => {
    working += 1
    held += bytes
    let left = false
    return () => {
      if (left) return
      left = true
      working -= 1
      held -= bytes
      admitNext()
    }
  }

  const admitNext = (): void => {
    for (const waiter of waiters) {
      if (!hasRoom(waiter.bytes)) return // who is first stays first, however much it needs
      waiters.delete(waiter)
      waiter.admit()
    }
  }

  const tryEnter = (bytes: number): Leave | null => (waiters.size === 0 && hasRoom(bytes) ? take(bytes) : null)

  const enter: Line['enter'] = ({ bytes, signal }) => {
    if (signal.aborted) return Promise.reject(signal.reason)
    const leave = tryEnter(bytes)
    if (leave !== null) return Promise.resolve(leave)
    if (waiters.size >= of.capacity) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiters.delete(waiter)
        reject(signal.reason)
        admitNext() // the one behind may need less
      }
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', onAbort)
          resolve(take(bytes))
        },
      }
      waiters.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  return {
    get working() {
      return working
    },
    get waiting() {
      return waiters.size
    },
    tryEnter,
    enter,
  }
}

/** Creates one line a key, which is forgotten as soon as nobody is in it. */
export const createLines = (of: Parameters<typeof createLine>[0]): ((key: string) => Line) => {
  const lines = new Map<string, Line>()
  return (key) => {
    const line = lines.get(key) ?? createLine(of)
    const forget = (): void => {
      if (line.working === 0 && line.waiting === 0) lines.delete(key)
    }
    const remembered = (leave: Leave | null): Leave | null => {
      if (leave === null) return null
      lines.set(key, line)
      return () => {
        leave()
        forget()
      }
    }
    const enter: Line['enter'] = async (request) => {
      lines.set(key, line)
      try {
        return remembered(await line.enter(request))
      } catch (error) {
        forget()
        throw error
      }
    }
    return {
      get working() {
        return line.working
      },
      get waiting() {
        return line.waiting
      },
      tryEnter: (bytes) => remembered(line.tryEnter(bytes)),
      enter,
    }
  }
}
