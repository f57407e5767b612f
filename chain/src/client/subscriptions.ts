import type { Requests } from './requests.ts'
import type { Subscription } from './socket-types.ts'

/** Notices kept for subscriptions whose acceptance is not processed yet. */
const MAX_EARLY = 256

/** The subscriptions of one client; those that renew themselves outlive its connections. */
export interface Subscriptions {
  start(subscription: Subscription, now: boolean): Promise<void>
  stop(subscription: Subscription): void
  /** Gives a notice to whom it is for. */
  notice(id: unknown, result: unknown): void
  /** Subscribes again on a new connection. */
  renew(): Promise<void>
  /** Loses the connection. */
  lose(): void
  clear(): void
}

export const createSubscriptions = (of: {
  readonly call: Requests['call']
  readonly isReady: () => boolean
}): Subscriptions => {
  const { call, isReady } = of
  const active = new Map<string, Subscription>()
  const renewable = new Set<Subscription>()
  const stopped = new WeakSet<Subscription>()
  const early = new Map<string, unknown[]>()
  let starting = 0

  const start: Subscriptions['start'] = async (subscription, now) => {
    starting += 1
    try {
      await accept(subscription, now)
    } finally {
      starting -= 1
      if (starting === 0) early.clear()
    }
  }

  const accept = async (subscription: Subscription, now: boolean): Promise<void> => {
    const { method, unsubscribe, params, renew } = subscription
    const id = String(await call(method, params, { replay: renew && !now }, now))
    if (stopped.has(subscription)) {
      call(unsubscribe, [id], { replay: false }, now).catch(() => {})
      return
    }
    active.set(id, subscription)
    if (renew) renewable.add(subscription)
    const missed = early.get(id) ?? []
    early.delete(id)
    for (const result of missed) subscription.onMessage(result)
  }

  return {
    start,
    stop: (subscription) => {
      stopped.add(subscription)
      renewable.delete(subscription)
      for (const [id, entry] of active) {
        if (entry !== subscription) continue
        active.delete(id)
        if (isReady()) call(subscription.unsubscribe, [id], { replay: false }, false).catch(() => {})
      }
    },
    notice: (id, result) => {
      const subscription = active.get(String(id))
      if (subscription) subscription.onMessage(result)
      else if (starting > 0 && early.size < MAX_EARLY)
        early.set(String(id), [...(early.get(String(id)) ?? []).slice(-MAX_EARLY), result])
    },
    renew: async () => {
      for (const subscription of [...renewable]) await start(subscription, true)
    },
    lose: () => {
      early.clear()
      const lost = [...active.values()]
      active.clear()
      for (const subscription of lost) subscription.onLost?.()
    },
    clear: () => renewable.clear(),
  }
}
