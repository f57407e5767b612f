import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import WebSocket from 'ws'
import { closedError, connectionLost, rpcError, timedOut, unreachable } from './errors.ts'
import type { ConnectionLimits, RequestOptions, RpcSocket, Subscription } from './socket-types.ts'

interface Pending {
  readonly method: string
  readonly text: string
  readonly replay: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  sent: boolean
}

type Message = {
  id?: unknown
  result?: unknown
  error?: { code?: unknown }
  params?: { subscription?: unknown; result?: unknown }
}

/** Requests in flight or waiting for a connection; more are refused with CHAIN_BUSY. */
const MAX_PENDING = 4096
/** Requests on the wire at once; the rest wait their turn. Chain nodes refuse more than about 1 024. */
const MAX_IN_FLIGHT = 512
/** Notifications kept for subscriptions whose acceptance is not processed yet. */
const MAX_EARLY = 256

/**
 * Opens a connection and keeps it.
 * @param onOpen runs on each new socket before anything else is sent on it; a SubnetError from it ends the connection for good
 */
export function openRpcSocket(deps: {
  readonly url: string
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly onOpen: (request: (method: string, params: readonly unknown[]) => Promise<unknown>) => Promise<void>
  /** Called when an established connection ends without being closed by us. */
  readonly onLost?: (cause: string) => void
}): RpcSocket {
  const { url, clock, limits, onOpen } = deps
  const dead = new AbortController()
  const opened = Promise.withResolvers<void>()
  opened.promise.catch(() => {})
  const pending = new Map<number, Pending>()
  const active = new Map<string, Subscription>()
  const renewable = new Set<Subscription>()
  const stopped = new WeakSet<Subscription>()
  const early = new Map<string, unknown[]>()
  let socket: WebSocket | null = null
  let ready = false
  let nextId = 1
  let inFlight = 0
  let closeReason = ''

  const send = (entry: Pending): void => {
    if (socket === null) return
    entry.sent = true
    inFlight += 1
    socket.send(entry.text)
  }

  /** Sends what waits, in order, as far as there is room. */
  const pump = (): void => {
    if (!ready || pending.size === inFlight) return
    for (const entry of pending.values()) {
      if (inFlight >= MAX_IN_FLIGHT) return
      if (!entry.sent) send(entry)
    }
  }

  const call = (
    method: string,
    params: readonly unknown[],
    { replay = true, signal }: RequestOptions,
    now: boolean,
  ): Promise<unknown> => {
    if (dead.signal.aborted) return Promise.reject(dead.signal.reason)
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (pending.size >= MAX_PENDING) return Promise.reject(busy(url))
    const id = nextId++
    const deadline = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const abort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    clock.sleep(limits.requestMs as Ms, deadline.signal).then(
      () => reject(timedOut(url, method, limits.requestMs)),
      () => {},
    )
    const entry = {
      method,
      replay,
      resolve,
      reject,
      sent: false,
      text: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    }
    pending.set(id, entry)
    if (now) send(entry)
    else pump()
    return promise.finally(() => {
      if (entry.sent) inFlight -= 1
      pending.delete(id)
      pump()
      deadline.abort()
      signal?.removeEventListener('abort', abort)
    })
  }

  const receive = (text: string): void => {
    let message: Message
    try {
      message = JSON.parse(text) as Message
    } catch {
      socket?.terminate()
      return
    }
    if (message.id !== undefined && message.id !== null) {
      const entry = pending.get(Number(message.id))
      if (message.error) entry?.reject(rpcError(entry.method, message.error))
      else entry?.resolve(message.result)
      return
    }
    const id = message.params?.subscription
    if (id === undefined) return
    const subscription = active.get(String(id))
    if (subscription) subscription.onMessage(message.params?.result)
    else if (early.size < MAX_EARLY)
      early.set(String(id), [...(early.get(String(id)) ?? []).slice(-MAX_EARLY), message.params?.result])
  }

  const start = async (subscription: Subscription, now: boolean): Promise<void> => {
    const id = String(await call(subscription.method, subscription.params, { replay: subscription.renew && !now }, now))
    if (stopped.has(subscription))
      return void call(subscription.unsubscribe, [id], { replay: false }, now).catch(() => {})
    active.set(id, subscription)
    if (subscription.renew) renewable.add(subscription)
    const missed = early.get(id) ?? []
    early.delete(id)
    for (const result of missed) subscription.onMessage(result)
  }

  const stop = (subscription: Subscription): void => {
    stopped.add(subscription)
    renewable.delete(subscription)
    for (const [id, entry] of active) {
      if (entry !== subscription) continue
      active.delete(id)
      if (ready && !dead.signal.aborted) call(subscription.unsubscribe, [id], { replay: false }, false).catch(() => {})
    }
  }

  const lose = (): void => {
    ready = false
    socket = null
    early.clear()
    const lost = [...active.values()]
    active.clear()
    for (const subscription of lost) subscription.onLost?.()
    inFlight = 0
    for (const entry of pending.values()) {
      if (entry.sent && !entry.replay) entry.reject(connectionLost(url, entry.method))
      entry.sent = false
    }
  }

  const die = (reason: SubnetError): void => {
    if (dead.signal.aborted) return
    dead.abort(reason)
    opened.reject(reason)
    ready = false
    socket?.terminate()
    for (const entry of pending.values()) entry.reject(reason)
    renewable.clear()
  }

  /** Serves one socket until it closes; throws when it could not be opened. */
  const serveOnce = async (timeoutMs: number): Promise<void> => {
    const ws = new WebSocket(url, {
      handshakeTimeout: Math.max(1, timeoutMs),
      perMessageDeflate: false,
      maxPayload: 256 * 1024 * 1024,
    })
    const stopTrying = (): void => ws.terminate()
    dead.signal.addEventListener('abort', stopTrying, { once: true })
    const life = new AbortController()
    const over = Promise.withResolvers<void>()
    let failure: unknown
    ws.on('error', (error) => {
      failure = error
    })
    ws.on('close', (code) => {
      closeReason = failure instanceof Error ? failure.message : `closed with code ${code}`
      life.abort()
      lose()
      over.resolve()
    })
    ws.on('message', (data) => receive(String(data)))
    try {
      await Promise.race([new Promise<void>((resolve) => ws.on('open', resolve)), over.promise])
      if (life.signal.aborted) throw failure ?? new Error('the connection was closed at once')
      socket = ws
      await onOpen((method, params) => call(method, params, { replay: false }, true))
      for (const subscription of [...renewable]) await start(subscription, true)
      ready = true
      opened.resolve()
      pump()
      await Promise.race([keepAlive(ws, life.signal), over.promise])
    } finally {
      dead.signal.removeEventListener('abort', stopTrying)
      ws.terminate()
      await over.promise
    }
  }

  const keepAlive = async (ws: WebSocket, life: AbortSignal): Promise<void> => {
    let alive = true
    ws.on('pong', () => {
      alive = true
    })
    while (!life.aborted) {
      const slept = await clock.sleep(limits.pingMs as Ms, life).then(
        () => true,
        () => false,
      )
      if (!slept) return
      if (!alive) return
      alive = false
      ws.ping()
    }
  }

  const run = async (): Promise<void> => {
    let lostAt = clock.monotonic()
    let attempt = 0
    let patienceMs = Math.min(limits.openMs, limits.giveUpMs)
    while (!dead.signal.aborted) {
      let cause: unknown
      try {
        await serveOnce(patienceMs - (clock.monotonic() - lostAt))
      } catch (error) {
        cause = error
        if (error instanceof SubnetError && error.code === 'CHAIN_OTHER_GENESIS') return die(error)
      }
      if (cause === undefined) {
        if (!dead.signal.aborted) deps.onLost?.(closeReason)
        lostAt = clock.monotonic()
        attempt = 0
        patienceMs = limits.giveUpMs
      }
      const tried = clock.monotonic() - lostAt
      const pause = Math.min(limits.backoffMs, 100 * 2 ** attempt++)
      if (tried + pause > patienceMs) return die(unreachable(url, patienceMs, cause))
      await clock.sleep(pause as Ms, dead.signal).catch(() => {})
    }
  }

  const running = run()

  return {
    request: (method, params, options = {}) => call(method, params, options, false),
    subscribe: async (subscription) => {
      await start(subscription, false)
      return () => stop(subscription)
    },
    opened: opened.promise,
    dead: dead.signal,
    close: async () => {
      die(closedError(url))
      await running
    },
  }
}

const busy = (url: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_BUSY',
    message: `${MAX_PENDING} requests to ${url} are unanswered; wait for some of them`,
    details: { url },
    retryable: true,
  })
