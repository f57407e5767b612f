import { RPC, RpcError } from './error.ts'
import type { Stop, SubscriptionMethod } from './method.ts'
import type { SharedBounds } from './shared-bounds.ts'

/** The subscriptions of one connection. */
export interface Session {
  /** Starts a subscription. @returns its id; from now on what the session sends is held back until `flush` */
  subscribe(method: SubscriptionMethod, params: readonly unknown[]): Promise<string>
  /** @returns false when there is none with this id */
  unsubscribe(id: unknown): boolean
  /** Sends what was held back; called once the answer that carries the id is on its way. */
  flush(): void
  /** Counts the subscriptions. */
  size(): number
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
  readonly bounds: Pick<SharedBounds, 'takeSubscription' | 'giveSubscription'>
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
    for (const id of [...active.keys()]) end(id)
    held = []
  }

  const end = (id: string): boolean => {
    const stop = active.get(id)
    if (stop === undefined) return false
    active.delete(id)
    of.bounds.giveSubscription()
    stop()
    return true
  }

  const subscribe: Session['subscribe'] = async (method, params) => {
    if (active.size >= of.limit) throw tooMany(`Exceeded max limit of ${of.limit}`)
    if (!of.bounds.takeSubscription()) throw tooMany('The server has as many subscriptions as it serves')
    made += 1
    const id = `sub-${made}` // known to this connection only, so it need not be hard to guess
    const notify = (result: unknown): void => {
      const text = JSON.stringify({ jsonrpc: '2.0', method: method.notification, params: { subscription: id, result } })
      if (holding) hold(text)
      else of.send(text)
    }
    holding = true
    try {
      active.set(id, await method.start(params, notify))
    } catch (error) {
      of.bounds.giveSubscription()
      throw error
    }
    if (closed) end(id)
    return id
  }

  return {
    subscribe,
    unsubscribe: (id) => typeof id === 'string' && end(id),
    size: () => active.size,
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

const tooMany = (data: string): RpcError =>
  new RpcError({ code: RPC.tooManySubscriptions, message: 'Too many subscriptions on the connection', data })
