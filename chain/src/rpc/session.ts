import { RPC, RpcError } from './error.ts'
import type { Stop, SubscriptionMethod } from './method.ts'

/** The subscriptions of one connection. */
export interface Session {
  /** Starts a subscription. @returns its id; from now on what the session sends is held back until `flush` */
  subscribe(method: SubscriptionMethod, params: readonly unknown[]): Promise<string>
  /** @returns false when there is none with this id */
  unsubscribe(id: unknown): boolean
  /** Sends what was held back; called once the answer that carries the id is on its way. */
  flush(): void
  /** Ends all subscriptions. */
  close(): void
}

/**
 * Creates the subscriptions of a connection.
 * @param of.limit how many it may have at once
 * @param of.heldBytes characters that may be held back during one message, say a long batch
 * @param of.overflow called once when they are more; nothing is held any longer
 */
export const createSession = (of: {
  readonly send: (text: string) => void
  readonly limit: number
  readonly heldBytes: number
  readonly overflow: () => void
}): Session => {
  const active = new Map<string, Stop>()
  let held: string[] = []
  let heldBytes = 0
  let holding = false
  let closed = false
  let made = 0

  const hold = (text: string): void => {
    if (closed) return
    held.push(text)
    heldBytes += text.length
    if (heldBytes <= of.heldBytes) return
    close()
    of.overflow()
  }

  const close = (): void => {
    closed = true
    for (const stop of active.values()) stop()
    active.clear()
    held = []
  }

  const subscribe: Session['subscribe'] = async (method, params) => {
    if (active.size >= of.limit) {
      throw new RpcError({
        code: RPC.tooManySubscriptions,
        message: 'Too many subscriptions on the connection',
        data: `Exceeded max limit of ${of.limit}`,
      })
    }
    made += 1
    const id = `sub-${made}` // known to this connection only, so it need not be hard to guess
    const notify = (result: unknown): void => {
      const text = JSON.stringify({ jsonrpc: '2.0', method: method.notification, params: { subscription: id, result } })
      if (holding) hold(text)
      else of.send(text)
    }
    holding = true
    const stop = await method.start(params, notify)
    if (closed) stop()
    else active.set(id, stop)
    return id
  }

  return {
    subscribe,
    unsubscribe: (id) => {
      const stop = typeof id === 'string' ? active.get(id) : undefined
      if (stop === undefined) return false
      active.delete(String(id))
      stop()
      return true
    },
    flush: () => {
      holding = false
      const texts = held
      held = []
      heldBytes = 0
      for (const text of texts) of.send(text)
    },
    close,
  }
}
