/** Lets rounds go before audits: audits begin nothing while a round judges. */
export interface Precedence {
  /** Runs a round's work, and holds audits back meanwhile. */
  first<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when no round is at work; rejects with the signal's reason. */
  turn(signal: AbortSignal): Promise<void>
}

/** Creates a precedence with nobody at work. */
export const createPrecedence = (): Precedence => {
  let ended: PromiseWithResolvers<void> | null = null
  return {
    first: async (work) => {
      const own = Promise.withResolvers<void>()
      ended = own
      try {
        return await work()
      } finally {
        ended = null
        own.resolve()
      }
    },
    turn: async (signal) => {
      signal.throwIfAborted()
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        while (ended !== null) await Promise.race([ended.promise, aborted])
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}
