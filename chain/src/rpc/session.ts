import { RPC, RpcError } from './error.ts'
import type { SubscriptionMethod } from './method.ts'

/** The subscriptions of one connection. */
export interface Session {
  /** Starts a subscription. @returns its id; what it sends is held back until `flush` */
  subscribe(method: SubscriptionMethod, params: readonly unknown[]): string
  /** @returns false when there is none with this id */
  unsubscribe(id: unknown): boolean
  /** Sends what was held back; called once the answer that carries the id is on its way. */
  flush(): void
  /** Ends all subscriptions. */
  close(): void
}

/** Creates the subscriptions of a connection. @param of.limit how many it may have at once */
export const createSession = (of: { readonly send: (text: string) => void; readonly limit: number }): Session => {
  const active = new Map<string, () => void>()
  let held: string[] = []
  let holding = false
  let made = 0

  const subscribe: Session['subscribe'] = (method, params) => {
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
      if (holding) held.push(text)
      else of.send(text)
    }
    holding = true
    active.set(id, method.start(params, notify))
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
      for (const text of texts) of.send(text)
    },
    close: () => {
      for (const stop of active.values()) stop()
      active.clear()
      held = []
    },
  }
}
